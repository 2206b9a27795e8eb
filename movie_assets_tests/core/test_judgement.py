"""From an answer to a verdict, and the name of everything that a verdict depends on."""

from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from movie_assets.core import judgement
from movie_assets.core.films import UnusableAnswerError
from movie_assets.core.filters import Profile, Thresholds
from movie_assets.core.judgement import judge, judge_name
from movie_assets.core.text import embedding_text, text_hash
from movie_assets.profiles import thresholds_of
from movie_assets_tests.core.bodies import details

THRESHOLDS = thresholds_of(["quality"])
DAY = date(2026, 11, 19)
OTHER: dict[str, Any] = {
    "name": "mine",
    "min_popularity": 2.0,
    "popularity_rank": 10,
    "released_within_days": 10,
    "target": 10,
    "min_vote_count": 50,
    "min_vote_average": 6.0,
    "released_since": date(1980, 1, 1),
    "min_runtime": 40,
    "max_runtime": 300,
    "languages": ("en",),
}


def test_an_accepted_film_has_no_reason() -> None:
    assert judge(details(), 603, THRESHOLDS, DAY).reason is None


def test_a_rejected_film_has_the_rule_and_its_facts() -> None:
    judged = judge(details(vote_count=5), 603, THRESHOLDS, DAY)
    assert (judged.reason, judged.film.vote_count, judged.film.title) == ("vote_count", 5, "The Matrix")


def test_the_text_and_its_hash_are_the_films() -> None:
    judged = judge(details(), 603, THRESHOLDS, DAY)
    assert (judged.text, judged.text_hash) == (embedding_text(judged.film), text_hash(judged.text))


def test_an_answer_about_another_film_is_not_judged() -> None:
    with pytest.raises(UnusableAnswerError):
        judge(details(id=604), 603, THRESHOLDS, DAY)


def test_the_same_rules_have_the_same_name() -> None:
    assert judge_name(THRESHOLDS) == judge_name(replace(THRESHOLDS))


@pytest.mark.parametrize("threshold", [field.name for field in fields(Profile)])
def test_each_threshold_moves_the_name(threshold: str) -> None:
    (profile,) = THRESHOLDS.profiles
    other = Thresholds((replace(profile, **{threshold: OTHER[threshold]}),))
    assert judge_name(other) != judge_name(THRESHOLDS)


@pytest.mark.parametrize(("name", "value"), [("PARSER_VERSION", 99), ("TEMPLATE", "film-v99")])
def test_parser_and_template_move_the_name(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    before = judge_name(THRESHOLDS)
    monkeypatch.setattr(judgement, name, value)
    assert judge_name(THRESHOLDS) != before
