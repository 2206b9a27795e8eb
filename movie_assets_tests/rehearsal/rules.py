"""The profiles `quality` and `new_releases` once more, from their description in movie_assets/config/profiles.toml.

Nothing here calls the pipeline's own rules.
"""

from datetime import date, timedelta

from movie_assets.emulator.movie import Movie

FLAGS = ("adult", "video", "softcore")
LANGUAGES = {"en", "es", "fr", "de", "it", "ja", "ko"}
MIN_POPULARITY = 1.0  # of both profiles
LISTED_VOTES = 10  # the lists name every movie with so many votes or more: the least of both profiles
VOTES = (10, 100)  # of the profiles
LISTED = ("vote_count", "vote_average", "release_date", "language")  # the fields that lists have
KNOWN_FROM_DETAILS = {"runtime"}  # the export and the lists have everything else


def failed_rules(movie: Movie, day: date) -> dict[str, set[str]]:
    """By profile, all rules of the detail stage that a movie fails on a day."""
    common = {flag for flag in FLAGS if getattr(movie, flag)}
    if movie.vote_average < 5:
        common.add("vote_average")
    if not 60 <= movie.runtime <= 240:
        common.add("runtime")
    released = date.fromisoformat(movie.release_date) if movie.release_date else None
    quality, new_releases = set(common), set(common)
    if movie.vote_count < 100:
        quality.add("vote_count")
    if released is None or released < date(1990, 1, 1):
        quality.add("release_date")
    if movie.language not in LANGUAGES:
        quality.add("language")
    if movie.vote_count < 10:
        new_releases.add("vote_count")
    if released is None or not day - timedelta(days=365) <= released <= day:
        new_releases.add("release_date")
    return {"quality": quality, "new_releases": new_releases}


def passes(movie: Movie, day: date, *, is_kept: bool) -> bool:
    """Whether a movie belongs in the catalogue; a kept one has to pass no rule but those on adult titles and videos."""
    if is_kept:
        return not any(getattr(movie, flag) for flag in FLAGS)
    return any(not rules for rules in failed_rules(movie, day).values())


def is_listed(movie: Movie | None) -> bool:
    """Whether TMDB's lists name a movie: those of the rehearsal ask for its votes, by ranges of release dates."""
    return movie is not None and bool(movie.release_date) and movie.vote_count >= LISTED_VOTES and not movie.adult


def is_worth_a_call(movie: Movie, day: date) -> bool:
    """Whether the lists leave open that a movie passes one of the profiles."""
    failed = failed_rules(movie, day).values()
    return is_listed(movie) and any(not rules - KNOWN_FROM_DETAILS for rules in failed)


def days_a_copy_may_be_old(movie: Movie, day: date) -> int:
    """After how many days the details of an accepted movie are fetched again, by its release date."""
    if not movie.release_date:
        return 30
    released = date.fromisoformat(movie.release_date)
    ages = ((30, 2), (180, 7), (365, 14))
    return next((allowed for within, allowed in ages if released > day - timedelta(days=within)), 30)
