"""Charts of scores: they are well-formed, stay small, and show the right figures."""

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest

from movie_assets.ratings.charts import agreement_chart, distribution_chart, votes_chart

DICE = np.random.default_rng(1)
SCORES = DICE.uniform(0, 100, 100_000)
VOTES = 10 ** DICE.uniform(0, 9, 100_000)
NONE = np.array([])
SVG = "{http://www.w3.org/2000/svg}"


def drawn(chart: str) -> ET.Element:
    match = re.fullmatch(r"!\[[^\]]+\]\(data:image/svg\+xml;base64,(\S+)\)", chart)
    assert match
    return ET.fromstring(base64.b64decode(match[1]))  # noqa: S314  # we made it


def words(chart: str) -> list[str]:
    return [str(text.text) for text in drawn(chart).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    "make",
    [lambda: distribution_chart(SCORES), lambda: votes_chart(VOTES, SCORES), lambda: distribution_chart(NONE),
     lambda: votes_chart(NONE, NONE), lambda: agreement_chart("a&b<c>", SCORES, "tmdb", SCORES[::-1]),
     lambda: agreement_chart("imdb", NONE, "tmdb", NONE), lambda: votes_chart(np.array([1.0]), np.array([100.0]))],
)  # fmt: skip
def test_a_chart_is_well_formed_and_below_20_kb(make: Callable[[], str]) -> None:
    chart = make()
    drawn(chart)
    assert len(chart) < 20_000


def test_a_distribution_has_a_bar_for_each_bin_with_films_and_names_the_median() -> None:
    chart = distribution_chart(np.array([10.0, 50.0, 50.5, 51.0, 100.0]))
    heights = [float(bar.attrib["height"]) for bar in drawn(chart).iter(f"{SVG}rect")]
    assert len(heights) == 3
    assert heights[1] == pytest.approx(3 * heights[0], abs=0.2)
    assert {"median 50.5", "score of 5 films"} <= set(words(chart))


def test_votes_are_on_a_scale_of_tens() -> None:
    chart = votes_chart(np.array([1.0, 5000.0]), np.array([60.0, 80.0]))
    assert {"1", "10", "100", "1k", "10k"} <= set(words(chart))


def test_the_more_films_the_darker() -> None:
    values, reference = np.array([20.0] * 100 + [80.0]), np.array([20.0] * 100 + [80.0])
    cells = {
        path.attrib["d"]: float(path.attrib["opacity"])
        for path in drawn(agreement_chart("imdb", values, "tmdb", reference)).iter(f"{SVG}path")
        if "opacity" in path.attrib
    }
    assert sorted(cells.values()) == [0.17, 1.0]
