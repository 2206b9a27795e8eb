"""What the week in moved time calls wrong, on days made up by hand; living through it is `-m daemon`."""

from typing import Any

import pytest

from movie_assets_tests.seven_days import wrong_with

DONE = {"due": 1, "texts_embedded": 1, "rows_out": 1}


def told(day: str, *jobs: str, is_first: bool = False, is_late: bool = False) -> dict[str, Any]:
    runs = [
        {"job": job, "status": "SUCCESS", "done": {**DONE, **({"export_date": day} if job == "read_the_day" else {})}}
        for job in ("read_the_day", "fetch_details", "embed_texts", "publish", "read_ratings", *jobs)
    ]
    return {"day": day, "runs": runs, "left": {"due": 0, "given_up": 0}, "is_first": is_first, "is_late": is_late}


WEDNESDAY, SATURDAY, LAST = "2026-11-25", "2026-11-28", "2026-12-31"
LOOK = "look_at_health"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (told(WEDNESDAY, LOOK), []),
        (told(WEDNESDAY, *[LOOK] * 12), []),
        (told(WEDNESDAY), ["look_at_health: 0 runs"]),
        (told(WEDNESDAY, *[LOOK] * 26), ["look_at_health: 26 runs"]),
        (told(WEDNESDAY, LOOK, "publish"), []),
        (told(WEDNESDAY, LOOK, "publish", "publish"), ["publish: 3 runs"]),
        (told(WEDNESDAY, LOOK, "publish", "publish", "fetch_details", is_late=True), []),
        (told(WEDNESDAY, LOOK, "fetch_details"), ["fetch_details: 2 runs"]),
        (told(WEDNESDAY, LOOK, "recommend"), ["recommend: 1 runs"]),
        (told(WEDNESDAY, LOOK, "read_ratings"), ["read_ratings: 2 runs"]),
        (told(WEDNESDAY, LOOK, "reconcile", "clean_up", is_first=True), []),
        (told(SATURDAY, LOOK, "reconcile"), []),
        (told(SATURDAY, LOOK), ["reconcile: 0 runs"]),
        (told(LAST, LOOK, "clean_up"), []),
    ],
)
def test_each_job_is_expected_once_and_looks_at_health_by_the_hour(day: dict[str, Any], expected: list[str]) -> None:
    assert wrong_with(day) == expected
