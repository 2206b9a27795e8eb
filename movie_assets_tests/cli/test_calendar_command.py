"""The command `movie-assets calendar` prints dates for people, as JSON and as an iCalendar file."""

import json

import psycopg
import pytest

from movie_assets_tests.applications.ics import events_of
from movie_assets_tests.cli.commands import Call, Environment

PERIOD = ("--from", "2026-12-01", "--to", "2026-12-31")


@pytest.fixture(scope="module", autouse=True)
def dates(environment: Environment) -> None:
    with psycopg.connect(str(environment["MOVIE_ASSETS_DATABASE_URL"]), autocommit=True) as connection:
        connection.execute(
            "insert into catalog.release_dates values (1, 'US', 3, 1, '2026-12-18', 0, '', '', 'PG'), "
            "(1, 'GB', 3, 1, '2026-12-20', 0, '', '', null), (2, 'US', 4, 1, '2026-12-31', 2, 'IMAX', 'en', null), "
            "(3, 'US', 3, 1, '2027-01-01', 0, '', '', null)"
        )


def test_a_calendar_is_printed_for_people_and_programs(call: Call) -> None:
    assert call("calendar", *PERIOD).stdout.splitlines() == [
        "US, 2026-12-01 to 2026-12-31", "  2026-12-18  The Heist  (theatrical, PG)",
        "  2026-12-31  The Heist Returns  (digital, IMAX, en)",
    ]  # fmt: skip
    assert call("calendar", *PERIOD, MOVIE_ASSETS_REGIONS="gb us").stdout.splitlines() == [
        "GB, 2026-12-01 to 2026-12-31", "  2026-12-20  The Heist  (theatrical)",
    ]  # fmt: skip
    assert [
        (entry["day"], entry["title"])
        for entry in json.loads(call("calendar", "--region", "gb", *PERIOD, "--json").stdout)
    ] == [("2026-12-20", "The Heist")]
    assert call("calendar", *PERIOD, "--kind", "premiere", "--media", "movie").stdout.splitlines()[1:] == []


def test_a_calendar_is_printed_as_a_file(call: Call) -> None:
    printed = call("calendar", *PERIOD, "--ics").stdout_bytes.decode()
    assert [event["SEQUENCE"] for event in events_of(printed)] == ["0", "2"]
    assert "choose one" in call("calendar", "--ics", "--json").stderr
    for last in ("2027-01-02", "2025-12-31"):
        assert "no period" in call("calendar", "--from", "2026-01-01", "--to", last).stderr
