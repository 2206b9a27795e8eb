"""The least that a day can cost, from the stand-in's world itself: no table and no query of the pipeline is asked.

A detail call is needed for a film that TMDB's export and lists let through for the first time, or whose average
crossed the profile's least there, or that TMDB's feed names; tokens, for texts of accepted films that are other ones.
"""

from datetime import date, timedelta

from movie_assets.core.films import read_film, read_json
from movie_assets.core.filters import Profile, Thresholds
from movie_assets.core.hashing import words_of
from movie_assets.core.text import embedding_text
from movie_assets.profiles import thresholds_of
from movie_assets.standin.world import World

PARTS = ("credits", "keywords", "release_dates")


def least_of(world: World, day: date, *, is_first: bool = False) -> dict[str, int]:
    """Calls for details and tokens (words, as the local embedder counts them) of a day after one that was done.

    Of the first day in an empty catalogue, if it `is_first`.
    """
    thresholds = thresholds_of(("quality",), None)
    (profile,) = thresholds.profiles
    before = day - timedelta(days=1)
    known = {} if is_first else _let_through(world, profile, before)
    now = _let_through(world, profile, day)
    changed = {change.tmdb_id for change in world.changes(day)}
    crossed = {n for n in known.keys() & now.keys() if known[n] != now[n]}
    needed = (now.keys() - known.keys()) | (changed & now.keys()) | crossed
    held = {n: _text(world, thresholds, n, before) for n in needed & known.keys()}
    texts = [text for n in needed if (text := _text(world, thresholds, n, day)) and text != held.get(n)]
    return {"detail_calls": len(needed), "texts": len(texts), "tokens": sum(len(words_of(text)) for text in texts)}


def _let_through(world: World, profile: Profile, day: date) -> dict[int, bool]:
    """Ids that pass the export's rules and are listed for their votes, each with whether its average is high enough.

    TMDB's lists are asked for by release date, so films without one are in none.
    """
    rows = (row for piece in world.export(day) for row in piece)
    listed = {
        row.tmdb_id for row in rows
        if row.popularity >= profile.min_popularity and not (row.adult or row.video or row.softcore)
    }  # fmt: skip
    films = world.columns(day)
    listed_for_votes = (films.vote_count >= profile.min_vote_count) & (films.release > 0)
    averages = zip(films.tmdb_id[listed_for_votes].tolist(), films.vote_average[listed_for_votes].tolist(), strict=True)
    return {n: average >= profile.min_vote_average for n, average in averages if n in listed}


def _text(world: World, thresholds: Thresholds, tmdb_id: int, day: date) -> str | None:
    """The text to embed of a film, if it is in the catalogue."""
    body = world.body(tmdb_id, day, PARTS)
    if body is None:
        return None
    film = read_film(read_json(body), tmdb_id)
    return None if thresholds.reason_to_reject(film, day) else embedding_text(film)
