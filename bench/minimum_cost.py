"""The minimum cost of a day, computed from the emulator's world without the pipeline's tables and queries.

A detail call is needed for a film that TMDB's export and lists let through for the first time (by popularity, votes,
average, date and language, the only fields that they have), for one of these that TMDB's feed names, and for an
accepted film that the lists stop naming, or whose copy is as old as that of a new film may be. Tokens are needed for
changed texts of accepted films. It is the minimum under this rule, as a field that only details have (runtime) is
unknown before the fetch.

Calls for lists are those of the least that keeps what MOVIE_ASSETS_VOTES_DAYS promises: the pages of the films of the
last 90 days, of the 1,000 most popular ones and of a seventh of the others. That no other film crossed the votes of a
profile takes further calls, at least one.
"""

import sys
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from movie_assets.catalog.embedding_text import embedding_text
from movie_assets.config.filter_profiles import FilterProfile, FilterProfiles
from movie_assets.config.paths import CHECKOUT
from movie_assets.config.profiles import profiles_of
from movie_assets.embeddings.hashing import words_of
from movie_assets.emulator.world import Columns, World
from movie_assets.tmdb.json_values import read_json
from movie_assets.tmdb.list_slices import NEW_FOR
from movie_assets.tmdb.movies import Movie, read_movie

sys.path.insert(0, str(CHECKOUT))  # where the tests are
from movie_assets_tests.support.expected_eligibility import reason_to_reject

PAGE = 20
MAX_POPULAR = 1_000
VOTES_DAYS = 7
PARTS = ("credits", "keywords", "release_dates")
NEW_FOR_DAYS = 30  # from its release on; before it, too, …
OLDEST_OF_NEW = timedelta(days=2)  # … a film's copy may be so old, and is fetched with what else the day has


def minimum_of(world: World, day: date, *, is_first: bool = False, copies: date | None = None) -> dict[str, int]:
    """Calls for details and tokens (words, as the local embedder counts them) of a day after one that was done.

    Of the first day in an empty catalogue, if it `is_first`; `copies` is the day on which that was built. `for_age`
    are the calls that only the age of copies asks for.
    """
    thresholds = profiles_of(("quality",), None)
    (profile,) = thresholds.profiles
    before = day - timedelta(days=1)
    known = set() if is_first else _let_through(world, profile, before)
    now = _let_through(world, profile, day)
    changed = {change.tmdb_id for change in world.changes(day)}
    unlisted = {
        n for n in known & _exported(world, profile, day) - _listed(world, profile, day)
        if _text(world, thresholds, n, before)
    }  # fmt: skip
    needed = (now - known) | (changed & now) | unlisted
    is_old = copies is not None and day - copies >= OLDEST_OF_NEW
    aged = _new_films(world, thresholds, known & now, day) - needed if is_old else set()
    needed |= aged
    held = {n: _text(world, thresholds, n, before) for n in needed & known}
    texts = [text for n in needed if (text := _text(world, thresholds, n, day)) and text != held.get(n)]
    tokens = sum(len(words_of(text)) for text in texts)
    lists = list_calls_of(world, day, is_first=is_first)
    return {
        "detail_calls": len(needed), "for_age": len(aged), "texts": len(texts), "tokens": tokens, "list_calls": lists,
    }  # fmt: skip


def list_calls_of(world: World, day: date, *, is_first: bool = False) -> int:
    """Return the pages of TMDB's lists that a day reads at least."""
    (profile,) = profiles_of(("quality",), None).profiles
    films = world.columns(day)
    listed = _has_votes(films, profile)
    if is_first:
        return -(-int(listed.sum()) // PAGE)
    release = films.release[listed]
    is_new = (release > (day - NEW_FOR).toordinal()) & (release <= day.toordinal())
    others = films.popularity[listed][~is_new]
    popular = min(MAX_POPULAR, len(others))
    return sum(-(-int(each) // PAGE) for each in (is_new.sum(), popular, (len(others) - popular) / VOTES_DAYS)) + 1


def _let_through(world: World, profile: FilterProfile, day: date) -> set[int]:
    """Ids that pass the export's rules and the rules that the lists can decide."""
    films = world.columns(day)
    wanted = _has_votes(films, profile) & (films.vote_average >= profile.min_vote_average)
    if profile.released_since is not None:
        wanted &= films.release >= profile.released_since.toordinal()
    if profile.languages:
        wanted &= np.isin(films.language, profile.languages)
    return _exported(world, profile, day) & set(films.tmdb_id[wanted].tolist())


def _exported(world: World, profile: FilterProfile, day: date) -> set[int]:
    rows = (row for piece in world.export(day) for row in piece)
    return {
        row.tmdb_id for row in rows
        if row.popularity >= profile.min_popularity and not (row.adult or row.video or row.softcore)
    }  # fmt: skip


def _listed(world: World, profile: FilterProfile, day: date) -> set[int]:
    films = world.columns(day)
    return set(films.tmdb_id[_has_votes(films, profile)].tolist())


def _has_votes(films: Columns, profile: FilterProfile) -> npt.NDArray[np.bool_]:
    """TMDB's lists are asked for by release date, so films without one are in none."""
    has_votes: npt.NDArray[np.bool_] = (films.vote_count >= profile.min_vote_count) & (films.release > 0)
    return has_votes


def _new_films(world: World, thresholds: FilterProfiles, among: set[int], day: date) -> set[int]:
    """Accepted films that are about to be released, or were within a month."""
    films = world.columns(day)
    new = set(films.tmdb_id[films.release > (day - timedelta(days=NEW_FOR_DAYS)).toordinal()].tolist()) & among
    return {n for n in new if (film := _film(world, n, day)) and reason_to_reject(thresholds, film, day) is None}


def _film(world: World, tmdb_id: int, day: date) -> Movie | None:
    body = world.body(tmdb_id, day, PARTS)
    return None if body is None else read_movie(read_json(body), tmdb_id)


def _text(world: World, thresholds: FilterProfiles, tmdb_id: int, day: date) -> str | None:
    """The text to embed of a film, if it is in the catalogue."""
    film = _film(world, tmdb_id, day)
    return None if film is None or reason_to_reject(thresholds, film, day) else embedding_text(film)
