"""The people of a series in TMDB's two shapes: `credits`, which is flat, and `aggregate_credits` with counted roles.

The flat one has the main cast of a season, or of the latest one; the other has everybody, also guests.
"""

from collections.abc import Sequence

from movie_assets.emulator.details import person
from movie_assets.emulator.movie import Person
from movie_assets.emulator.series import Season, Series
from movie_assets.emulator.shapes import Json

GUEST_EVERY = 5  # a guest of a season appears in one episode in five


def flat_credits(series: Series, season: int) -> Json:
    """Return the main cast of a season, by its number, and the crew."""
    regulars = [regular for regular in series.people.regulars() if season == 0 or regular.plays_in(season)]
    return {
        "cast": [
            {
                **person(regular.role.person, "Acting"),
                "character": regular.role.character,
                "credit_id": credit_id(series, order),
                "order": order,
            }
            for order, regular in enumerate(regulars)
        ],
        "crew": [
            {
                **person(job.person, job.department),
                "credit_id": credit_id(series, order, "c"),
                "department": job.department,
                "job": job.job,
            }
            for order, job in enumerate(series.people.crew())
        ],
    }


def aggregate_credits(series: Series, seasons: Sequence[Season]) -> Json:
    """Return everybody who took part in the seasons, with the number of episodes of each role and job."""
    members: dict[int, tuple[Person, list[tuple[str, int]]]] = {}
    for regular in series.people.regulars():
        episodes = sum(season.episode_count for season in seasons if regular.plays_in(season.number))
        _add(members, regular.role.person, regular.role.character, episodes)
    for season in seasons:
        for place, role in enumerate(series.people.guests(season.season_id)):
            _add(members, role.person, role.character, -(-max(0, season.episode_count - place) // GUEST_EVERY))
    every = sum(season.episode_count for season in seasons)
    return {
        "cast": [
            {
                **person(member, "Acting"),
                "roles": [
                    {
                        "credit_id": credit_id(series, order * 100 + turn),
                        "character": character,
                        "episode_count": episodes,
                    }
                    for turn, (character, episodes) in enumerate(roles)
                ],
                "total_episode_count": sum(episodes for _, episodes in roles),
                "order": order,
            }
            for order, (member, roles) in enumerate(members.values())
        ],
        "crew": [
            {
                **person(job.person, job.department),
                "jobs": [{"credit_id": credit_id(series, order, "c"), "job": job.job, "episode_count": every}],
                "department": job.department,
                "total_episode_count": every,
            }
            for order, job in enumerate(series.people.crew())
            if every
        ],
    }


def credit_id(series: Series, order: int, mark: str = "") -> str:
    """Return the id of a credit: 24 hexadecimal digits."""
    return f"{series.tmdb_id:016x}{mark}{order:0{8 - len(mark)}x}"


def _add(members: dict[int, tuple[Person, list[tuple[str, int]]]], who: Person, character: str, episodes: int) -> None:
    if episodes:
        members.setdefault(who.person_id, (who, []))[1].append((character, episodes))
