"""All environment variables of the project: their names, defaults and meaning.

Those of the catalogue are in catalogue_settings.py, of alerts in alert_settings.py, of embeddings in
embedding_settings.py, of the reranker in rerank_settings.py, of lists, countries and languages in
application_settings.py, of webhooks in webhook_settings.py, of OMDb in omdb_settings.py;
setting_values.py validates.

A value is read once, and passed on as a field of `Settings`. Secrets are `SecretStr`, so that no log line, traceback or
page of the web UI shows them.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

import platformdirs
from pydantic import AfterValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from movie_assets.config.alert_settings import AlertSettings
from movie_assets.config.application_settings import ApplicationSettings
from movie_assets.config.catalogue_settings import CatalogueSettings
from movie_assets.config.embedding_settings import EmbeddingSettings
from movie_assets.config.omdb_settings import OmdbSettings
from movie_assets.config.paths import CHECKOUT
from movie_assets.config.rating_files import RatingFiles
from movie_assets.config.rerank_settings import RerankSettings
from movie_assets.config.setting_values import (
    Folder,
    Owners,
    Secret,
    Token,
    Url,
    VotesDays,
    is_a_rate,
    passwords_in,
    shortened,
    text_error,
)
from movie_assets.config.webhook_settings import WebhookSettings

RUNBOOK = "docs/runbook.md"
# Variables that deploy/ sets, or `movie-assets` for the Dagster processes that it starts.
OF_DEPLOYMENTS = {
    "MOVIE_ASSETS_DB_PASSWORD", "MOVIE_ASSETS_DAGSTER_DB_PASSWORD", "MOVIE_ASSETS_DAGSTER_FILES", "MOVIE_ASSETS_FOLDER",
    "MOVIE_ASSETS_VERSION", "MOVIE_ASSETS_LISTEN", "MOVIE_ASSETS_LISTEN_READ_ONLY",
}  # fmt: skip
LONGEST_NAME = 100  # of a variable that is compared with the settings' names
TMDB_API = "https://api.themoviedb.org/3"


class SettingsError(Exception):
    """An environment variable has an unusable value. The message names the variable and never shows the value."""


class Settings(
    CatalogueSettings,
    EmbeddingSettings,
    RerankSettings,
    ApplicationSettings,
    OmdbSettings,
    WebhookSettings,
    AlertSettings,
):
    """The project's configuration, with a field for each environment variable (its alias)."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, populate_by_name=True)

    tmdb_api_token: Token = Field(
        None,
        alias="TMDB_API_TOKEN",
        description="TMDB's API read access token (`eyJ…`). Without it, the bundled TMDB emulator is used.",
    )
    tmdb_api_url: Url = Field(TMDB_API, alias="TMDB_API_URL", description="Address of TMDB's API v3.")
    tmdb_export_url: Url = Field(
        "https://files.tmdb.org/p/exports",
        alias="TMDB_EXPORT_URL",
        description="Address of the daily ID exports.",
    )
    tmdb_rate: Annotated[float, AfterValidator(is_a_rate)] = Field(
        38.0,
        alias="MOVIE_ASSETS_TMDB_RATE",
        description="TMDB requests per second, shared by all processes; TMDB allows about 40. 0 = no limit.",
    )
    votes_days: VotesDays = Field(
        7,
        alias="MOVIE_ASSETS_VOTES_DAYS",
        description="The age in days (1 to 30) that the votes and averages of quiet films may reach. Those of the "
        "1,000 most popular films and of films of the last 90 days are read daily, and a film whose votes cross what a "
        "profile asks for is noticed on the day. `exact` (or 1): all of TMDB's lists are read daily, with about three "
        "times as many calls.",
    )
    database_url: Secret = Field(
        None,
        alias="MOVIE_ASSETS_DATABASE_URL",
        description="Your Postgres (14 or newer, with pgvector 0.8 or newer). Unset: an embedded one is started.",
    )
    dagster_database_url: Secret = Field(
        None,
        alias="MOVIE_ASSETS_DAGSTER_DATABASE_URL",
        description="Database of Dagster's own records. Unset: the catalogue's name + `_dagster`, same server.",
    )
    home: Folder = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("movie_assets")),
        alias="MOVIE_ASSETS_HOME",
        description="Data folder: the embedded Postgres and Dagster's log files. "
        "Unset: `~/.local/share/movie_assets` (Linux).",
    )
    postgres_memory_mb: int = Field(
        1024,
        alias="MOVIE_ASSETS_POSTGRES_MEMORY_MB",
        ge=64,
        le=1_000_000,
        description="Memory of the embedded Postgres for its cache (`shared_buffers`), in MB, from its next start on. "
        "Beside it, the build of an index takes up to twice as much for its time, each connection about 10 MB.",
    )
    automation: bool = Field(
        default=False,
        alias="MOVIE_ASSETS_AUTOMATION",
        description="`1`: schedules and sensors are on unless switched off in the web UI (`movie-assets dev` "
        "sets it). `0`: they are off until switched on there.",
    )
    parallel_runs: int = Field(
        1,
        alias="MOVIE_ASSETS_PARALLEL_RUNS",
        ge=1,
        le=64,
        description="Number of runs, each over a range of batches, into which a large backlog is split, so that as "
        "many machines can share it. The pools `tmdb` and `embedder` have to admit as many (web UI: Deployment, "
        "Concurrency).",
    )
    pool_wait_minutes: float = Field(
        120.0,
        alias="MOVIE_ASSETS_POOL_WAIT_MINUTES",
        gt=0,
        allow_inf_nan=False,
        description="How long a run waits for a pool (`tmdb`, `embedder`) that another run holds, before it fails and "
        "names that run.",
    )
    imdb_ratings: str | None = Field(
        None,
        alias="MOVIE_ASSETS_IMDB_RATINGS",
        description="IMDb's daily ratings, an address or a path: `https://datasets.imdbws.com/title.ratings.tsv.gz` "
        "(for personal and non-commercial use only). Unset: none.",
    )
    movielens_ratings: str | None = Field(
        None,
        alias="MOVIE_ASSETS_MOVIELENS_RATINGS",
        description="A MovieLens release with `ratings.csv` and `links.csv`: a folder, a zip, or a zip's address. "
        "Unset: none.",
    )
    ratings_csv: str | None = Field(
        None,
        alias="MOVIE_ASSETS_RATINGS_CSV",
        description="A CSV with ratings of other sources, an address or a path; its columns are in "
        "[ratings.md](ratings.md). Unset: none.",
    )
    learn_from_content: bool = Field(
        default=True,
        alias="MOVIE_ASSETS_LEARN_FROM_CONTENT",
        description="`1`: `recommendation_model` also learns from TMDB's data that films have in common (genres, "
        "keywords, people, decades). `0`: it learns from watch histories only; see "
        "[tmdb_terms.md](tmdb_terms.md).",
    )
    keep_sets_days: int = Field(
        30,
        alias="MOVIE_ASSETS_KEEP_SETS_DAYS",
        ge=1,
        description="Number of days for which the vectors of an embedding set are kept after it was last searched or "
        "written.",
    )
    inbox: Folder | None = Field(
        None,
        alias="MOVIE_ASSETS_INBOX",
        description="Folder with exports of watch histories, which are imported when they are new. Those of a person "
        "are in a folder with the person's name; those outside such folders belong to `me`. Unset: only "
        "`movie-assets import`.",
    )

    owners: Owners = Field(
        (),
        alias="MOVIE_ASSETS_OWNERS",
        description="Owners of the assets, which the web UI shows: e-mail addresses or `team:name`, separated by "
        "blanks or commas.",
    )
    source_url: Url | None = Field(
        None,
        alias="MOVIE_ASSETS_SOURCE_URL",
        description="Target of the web UI's links to code, and of alerts' links to the runbook: a folder of your "
        "repository at a branch or commit, such as `https://github.com/you/movie_assets/blob/main`. Unset: the files "
        "of the machine that runs it.",
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings; an empty variable counts as unset.

        Raises SettingsError with one sentence for each variable that cannot be used.
        """
        names = [name for field in cls.model_fields.values() if (name := field.alias)]
        values = {name: environ[name] for name in names if environ.get(name, "").strip()}
        if unusable := [f"{name}: {why}" for name, value in values.items() if (why := text_error(value))]:
            raise SettingsError("; ".join(unusable))
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = [
                ": ".join([*map(str, e["loc"]), shortened(e["msg"].removeprefix("Value error, "))])
                for e in error.errors()
            ]
            raise SettingsError("; ".join(problems)) from None

    @classmethod
    def misspelt(cls, environ: Mapping[str, str] = os.environ) -> list[str]:
        """Return a warning for each variable that begins with MOVIE_ASSETS_ and is not one of the settings."""
        known = {name for field in cls.model_fields.values() if (name := field.alias)} | OF_DEPLOYMENTS
        warnings = []
        for name in sorted(environ):
            if name.startswith("MOVIE_ASSETS_") and name not in known:
                matches = difflib.get_close_matches(name[:LONGEST_NAME], known, n=1, cutoff=0.6)
                hint = f"; did you mean {matches[0]}?" if matches else ""
                written = shortened(name.encode(errors="replace").decode())
                warnings.append(f"{written} is set and is no setting of movie_assets{hint}")
        return warnings

    @property
    def secrets(self) -> list[str]:
        """All secret values, and the passwords in those that are addresses, to remove them from messages."""
        values = [value.get_secret_value() for _, value in self if isinstance(value, SecretStr)]
        values += [value.get_secret_value() for each in self.webhooks for value in (each.url, each.key)]
        return sorted(
            {part for value in values for part in (value, *passwords_in(value)) if part}, key=len, reverse=True
        )

    @classmethod
    def variables(cls) -> list[FieldInfo]:
        """Return the fields in the order of the documentation, group by group; alerts are last."""

        def place(name: str) -> int:
            if name.startswith("tmdb_") or name == "votes_days":
                return 0
            groups = (
                EmbeddingSettings, RerankSettings, ApplicationSettings, None, OmdbSettings, WebhookSettings,
                AlertSettings,
            )  # fmt: skip
            return next((n for n, group in enumerate(groups, 1) if group and name in group.model_fields), 4)

        return [field for name, field in sorted(cls.model_fields.items(), key=lambda item: place(item[0]))]

    @property
    def runbook_url(self) -> str:
        """The URL of the runbook: in the repository of the settings, or the file of this checkout."""
        return f"{self.source_url}/{RUNBOOK}" if self.source_url else (CHECKOUT / RUNBOOK).as_uri()

    @property
    def uses_emulator(self) -> bool:
        """Whether the bundled emulator is used, as the settings have neither a token nor an address of TMDB."""
        return self.tmdb_api_token is None and self.tmdb_api_url == TMDB_API

    @property
    def rating_files(self) -> RatingFiles:
        """The files of ratings from sources other than TMDB."""
        return RatingFiles(self.imdb_ratings, self.movielens_ratings, self.ratings_csv)

    @property
    def rating_assets(self) -> list[str]:
        """The assets of the sources of ratings, other than TMDB, that are switched on."""
        return [*self.rating_files.assets, *(["omdb_ratings"] if self.omdb_api_key else [])]

    @property
    def switched_off(self) -> list[str]:
        """The assets that the settings switch off, apart from those of media types; what they left may have any age."""
        off = {
            "tmdb_lists": not self.list_pages,
            "title_images": not self.images,
            "exports": self.export_to is None,
            "omdb_ratings": self.omdb_api_key is None,
        }
        return [*self.rating_files.off, *(name for name, is_off in off.items() if is_off)]
