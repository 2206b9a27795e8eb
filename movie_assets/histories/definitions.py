"""The asset and the check of watch histories."""

from movie_assets.histories.watch_histories import every_file_in_the_inbox_is_imported, watch_histories

ASSETS = (watch_histories,)
CHECKS = (every_file_in_the_inbox_is_imported,)
