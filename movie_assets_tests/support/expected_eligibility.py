"""An independent computation of which movies belong in the catalogue, to compare with sql/catalog/eligibility.sql."""

from datetime import date, timedelta

from movie_assets.config.filter_profiles import DETAIL_RULES, NEVER_WANTED, FilterProfile, FilterProfiles
from movie_assets.tmdb.movies import Movie


def first_failed(profile: FilterProfile, film: Movie, day: date) -> str | None:
    """Return the first rule of the details that a movie fails on a day, or None.

    A date, runtime or language that is not known fails a rule on it.
    """
    runtime_matters = profile.min_runtime > 0 or profile.max_runtime is not None
    passes = {
        "adult": not film.adult,
        "video": not film.video,
        "softcore": not film.softcore,
        "vote_count": film.vote_count >= profile.min_vote_count,
        "vote_average": film.vote_average >= profile.min_vote_average,
        "release_date": _is_in_time(profile, film.release_date, day),
        "runtime": not runtime_matters
        or (
            film.runtime_minutes is not None
            and profile.min_runtime <= film.runtime_minutes
            and (profile.max_runtime is None or film.runtime_minutes <= profile.max_runtime)
        ),
        "language": not profile.languages or film.original_language in profile.languages,
    }
    return next((rule for rule in DETAIL_RULES if not passes[rule]), None)


def reason_to_reject(thresholds: FilterProfiles, film: Movie, day: date, *, is_kept: bool = False) -> str | None:
    """Return the rule that keeps a movie out, or None when it is accepted.

    Of several profiles, the one in which the movie passed most rules counts. A requested movie has to pass no rule
    but those on adult titles and videos.
    """
    failed = [first_failed(profile, film, day) for profile in thresholds.profiles]
    reason = None if None in failed else max((r for r in failed if r), key=DETAIL_RULES.index)
    return reason if not is_kept or reason in NEVER_WANTED else None


def _is_in_time(profile: FilterProfile, released: date | None, day: date) -> bool:
    if profile.released_since is None and profile.released_within_days is None:
        return True
    if released is None or (profile.released_since is not None and released < profile.released_since):
        return False
    within = profile.released_within_days
    return within is None or day - timedelta(days=within) <= released <= day
