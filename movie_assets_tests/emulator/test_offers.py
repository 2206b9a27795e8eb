"""The emulator's offers come and go at about TMDB's pace, with ids that differ by country."""

from datetime import timedelta
from itertools import pairwise

from movie_assets.emulator.offers import watch_providers
from movie_assets_tests.conftest import DAY

DAYS, TITLES = 60, 400


def offers(tmdb_id: int, number: int) -> set[tuple[str, int]]:
    results = watch_providers(tmdb_id, "movie", DAY + timedelta(days=number))["results"]
    return {(country, each["provider_id"]) for country, kinds in results.items() for each in kinds["flatrate"]}


def test_offers_move_and_some_are_missing_for_a_day() -> None:
    days = [{n: offers(n, number) for n in range(0, TITLES, 4)} for number in range(DAYS)]
    held = [sum(map(len, day.values())) for day in days]
    changes = [sum(len(now[n] ^ before[n]) for n in now) for before, now in pairwise(days)]
    assert 0.01 < sum(changes) / sum(held) < 0.15
    returned = sum(
        len((first[n] & third[n]) - second[n])
        for first, second, third in zip(days, days[1:], days[2:], strict=False)
        for n in first
    )
    assert 0.005 < returned / sum(held) < 0.04
    assert offers(1, 0) == set(), "most titles have none"


def test_a_service_has_another_id_in_another_country() -> None:
    seen = {offer for n in range(0, TITLES, 4) for offer in offers(n, 0)}
    assert {("US", 9), ("GB", 119), ("DE", 119)} <= seen
    assert ("US", 119) not in seen
    assert ("GB", 9) not in seen
