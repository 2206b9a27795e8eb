"""The errors that a command prints as one sentence."""

import sqlalchemy as sa

from movie_assets.config.settings import Settings, SettingsError
from movie_assets.database.addresses import DatabaseError
from movie_assets.database.embedded import EmbeddedPostgresError, embedded_data
from movie_assets.database.retry import sentence_of
from movie_assets.embeddings.embedder import EmbedderError
from movie_assets.embeddings.sets import SetError
from movie_assets.histories.choices import ImportFailedError
from movie_assets.refresh.outcome import RefreshError
from movie_assets.search.queries import NothingToSearchError

EXPECTED_ERRORS = (
    SettingsError,
    DatabaseError,
    EmbeddedPostgresError,
    EmbedderError,
    NothingToSearchError,
    SetError,
    RefreshError,
    ImportFailedError,
)


def expected_sentence(error: Exception) -> str | None:
    """Return what is printed of an error that a command may end with; None of any other error."""
    if isinstance(error, EXPECTED_ERRORS):
        return str(error)
    if isinstance(error, sa.exc.DBAPIError):  # Dagster's own reads and writes
        settings = Settings.from_env()
        address = settings.database_url.get_secret_value() if settings.database_url else None
        return sentence_of(error, embedded_data(address, settings.home))
    return None
