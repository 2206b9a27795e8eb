"""Whether texts are sent through the service's Batch API: the setting MOVIE_ASSETS_BULK_ABOVE_TEXTS decides.

What counts is how many texts of the whole set wait, as a run may have a few of the batches only.
"""

from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.store import EmbeddingStore


def may_go_in_bulk(embedder: Embedder, settings: Settings) -> bool:
    """Return whether texts go through the Batch API if enough of them wait."""
    return settings.bulk_above_texts > 0 and embedder.bulk_api is not None


def goes_in_bulk(embedder: Embedder, store: EmbeddingStore, settings: Settings, texts: int) -> bool:
    """Return whether the setting has texts sent in bulk; a run has `texts` of them, the whole set perhaps more."""
    if not may_go_in_bulk(embedder, settings):
        return False
    waiting = store.database.fetch_value(int, "count_waiting_texts", set_id=store.set_id, as_of=store.as_of)
    return settings.goes_in_bulk(max(texts, waiting))
