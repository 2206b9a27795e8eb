"""The least that a day can cost, from the stand-in's world itself: no table and no query of the pipeline is asked.

A detail call is needed for a film that TMDB's export and lists let through for the first time, or whose average
rose across the profile's least there, or fell below it when the film was in, or that TMDB's feed names, or whose
copy is as old as that of a new film may be; tokens, for texts of accepted films that are other ones. It is the least
under this rule: what details alone tell (runtime, the countries' dates) is not known before, and what is turned away
for its language or year is known once.
"""

from datetime import date, timedelta

from movie_assets.core.films import Film, read_film, read_json
from movie_assets.core.filters import Profile, Thresholds
from movie_assets.core.hashing import words_of
from movie_assets.core.text import embedding_text
from movie_assets.profiles import thresholds_of
from movie_assets.standin.world import World

PARTS = ("credits", "keywords", "release_dates")
NEW_FOR_DAYS = 30  # from its release on; before it, too, …
OLDEST_OF_NEW = timedelta(days=2)  # … a film's copy may be so old, and is fetched with what else the day has
AGES = (None, "vote_count", "vote_average")  # what else turns a film away does not change but by an edit


def least_of(world: World, day: date, *, is_first: bool = False, copies: date | None = None) -> dict[str, int]:
    """Calls for details and tokens (words, as the local embedder counts them) of a day after one that was done.

    Of the first day in an empty catalogue, if it `is_first`; `copies` is the day on which that was built. `for_age`
    are the calls that only the age of copies asks for.
    """
    thresholds = thresholds_of(("quality",), None)
    (profile,) = thresholds.profiles
    before = day - timedelta(days=1)
    known = {} if is_first else _let_through(world, profile, before)
    now = _let_through(world, profile, day)
    changed = {change.tmdb_id for change in world.changes(day)}
    stayed = known.keys() & now.keys()
    crossed = {  # an average that fell matters to films that are in only
        n for n in stayed if known[n] != now[n] and (now[n] or _text(world, thresholds, n, before))
    }
    needed = (now.keys() - known.keys()) | (changed & now.keys()) | crossed
    is_old = copies is not None and day - copies >= OLDEST_OF_NEW
    aged = _new_films(world, thresholds, stayed, day) - needed if is_old else set()
    needed |= aged
    held = {n: _text(world, thresholds, n, before) for n in needed & known.keys()}
    texts = [text for n in needed if (text := _text(world, thresholds, n, day)) and text != held.get(n)]
    tokens = sum(len(words_of(text)) for text in texts)
    return {"detail_calls": len(needed), "for_age": len(aged), "texts": len(texts), "tokens": tokens}


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


def _new_films(world: World, thresholds: Thresholds, among: set[int], day: date) -> set[int]:
    """Films that are about to be released, or were within a month, and are wanted or could be by their votes."""
    films = world.columns(day)
    new = set(films.tmdb_id[films.release > (day - timedelta(days=NEW_FOR_DAYS)).toordinal()].tolist()) & among
    return {n for n in new if (film := _film(world, n, day)) and thresholds.reason_to_reject(film, day) in AGES}


def _film(world: World, tmdb_id: int, day: date) -> Film | None:
    body = world.body(tmdb_id, day, PARTS)
    return None if body is None else read_film(read_json(body), tmdb_id)


def _text(world: World, thresholds: Thresholds, tmdb_id: int, day: date) -> str | None:
    """The text to embed of a film, if it is in the catalogue."""
    film = _film(world, tmdb_id, day)
    return None if film is None or thresholds.reason_to_reject(film, day) else embedding_text(film)
