"""Tables of the scores for the web UI: how many films have which score, and how scores depend on votes."""

import dagster as dg
import numpy as np
import numpy.typing as npt

from movie_assets.runs.metadata_tables import bar, shown_table

Values = npt.NDArray[np.float64]
BIN = 10  # points of score


def distribution_table(scores: Values) -> dg.TableMetadataValue:
    """Return the number and share of films for each ten points of score from 0 to 100."""
    counts, edges = np.histogram(scores, bins=np.arange(0, 100 + BIN, BIN))
    shares = counts / max(1, counts.sum())
    return shown_table(
        ("score", "films", "share", "bar"),
        [
            (f"{low:.0f}-{low + BIN:.0f}", int(count), f"{share:.1%}", bar(float(share)))
            for low, count, share in zip(edges, counts, shares, strict=False)
        ],
    )


def votes_table(votes: Values, scores: Values) -> dg.TableMetadataValue:
    """Return the 10th, 50th and 90th percentile of the scores for each power of ten of votes that films have."""
    decades = np.floor(np.log10(np.maximum(votes, 1))).astype(int)
    rows = []
    for decade in np.unique(decades).tolist():
        low, middle, high = np.quantile(scores[decades == decade], (0.1, 0.5, 0.9)).round(1).tolist()
        films = int((decades == decade).sum())
        rows.append((f"{10**decade:,} to {10 ** (decade + 1) - 1:,}", films, low, middle, high))
    return shown_table(("votes", "films", "10th percentile", "median score", "90th percentile"), rows)
