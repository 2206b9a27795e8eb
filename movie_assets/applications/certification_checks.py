"""The check of certifications: each label that many titles have stands for an age."""

from typing import NamedTuple

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.runs.metadata_tables import shown_table

MAX_UNKNOWN = 0.01  # of the titles with a certification in a country: others are slips of TMDB's users
ALWAYS_ALLOWED = 2  # titles of a country
MAX_SHOWN = 200
COLUMNS = ("media type", "country", "label", "titles", "certified in the country")


class UnknownLabel(NamedTuple):
    """A label without a known age, the number of titles that have it, and of all certified ones in the country."""

    media_type: str
    country: str
    label: str
    titles: int
    certified: int

    @property
    def is_common(self) -> bool:
        """Whether more titles have it than slips explain."""
        return self.titles > max(ALWAYS_ALLOWED, MAX_UNKNOWN * self.certified)


@dg.asset_check(
    asset="reconciliation",
    description="Each certification that more than 1 % of the certified titles of a country have stands for an age. "
    "Titles with an unknown one are not for children: the filter max_age leaves them out.",
)
def certifications_are_known(
    context: dg.AssetCheckExecutionContext,  # noqa: ARG001  # the signature of a check
    database: dg.ResourceParam[Database],
) -> dg.AssetCheckResult:
    """Report the labels of certifications that have no age, with the number of their titles."""
    labels = database.fetch(UnknownLabel, "unknown_certifications")
    common = [label for label in labels if label.is_common]
    examples = "; ".join(f"{e.label} in {e.country} ({e.media_type}, {e.titles:,} titles)" for e in common[:10])
    return dg.AssetCheckResult(
        passed=not common,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"certifications without an age: {examples}" if common else None,
        metadata={
            "unknown_labels": len(labels),
            "titles_with_them": sum(label.titles for label in labels),
            **({"labels": shown_table(COLUMNS, labels[:MAX_SHOWN])} if labels else {}),
        },
    )
