"""The map and the histogram: valid SVG, small, every label there and none of them upon another."""

import base64
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from movie_assets.search.calibration import SimilarityLimits
from movie_assets.search.charts import COLOURS, OTHER, colour_genres, histogram_chart, map_chart

MANY = [f"Genre number {n}" for n in range(20)]


def drawn(image: str) -> ET.Element:
    match = re.fullmatch(r"!\[[a-z ]+\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", image)
    assert match is not None
    return ET.fromstring(base64.b64decode(match[1]))  # noqa: S314  # our own picture


def elements(svg: ET.Element, tag: str) -> list[ET.Element]:
    return [element for element in svg if element.tag.endswith(tag)]


def texts(svg: ET.Element) -> list[str]:
    return [str(element.text) for element in elements(svg, "text")]


def test_a_film_has_the_colour_of_its_rarest_genre() -> None:
    shown, of_films = colour_genres([["Drama", "War"], ["Drama"], ["Drama", "Comedy"], ["Comedy"], []])
    assert shown == ["Drama", "Comedy", "War"]
    assert of_films == ["War", "Drama", "Comedy", "Comedy", None]


def test_every_film_is_a_dot_and_every_colour_is_explained() -> None:
    places = np.random.default_rng(1).random((100, 2))
    genres = [[MANY[n % 12]] for n in range(100)]
    svg = drawn(map_chart(places, genres))
    dots = elements(svg, "path")
    assert sum(path.attrib["d"].count("M") for path in dots) == 100
    explained = {circle.attrib["fill"] for circle in elements(svg, "circle")}
    assert explained == {path.attrib["stroke"] for path in dots} == {*COLOURS, OTHER}
    assert "Genre number 0 (9)" in texts(svg)


def test_names_of_genres_are_escaped() -> None:
    assert "Sci-Fi & <more> (1)" in texts(drawn(map_chart(np.array([[0.5, 0.5]]), [["Sci-Fi & <more>"]])))


def test_pictures_stay_below_twenty_kilobytes() -> None:
    chance = np.random.default_rng(1)
    places = chance.random((1000, 2))
    assert len(map_chart(places, [[MANY[n % 20]] for n in range(1000)])) < 20_000
    similarities = chance.random(1000)
    assert len(histogram_chart(similarities, similarities, SimilarityLimits(0.1, 0.2, 0.3))) < 20_000


@pytest.mark.parametrize("values", [(0.1, 0.5, 0.9), (0.31, 0.32, 0.33), (0.97, 0.98, 0.99), (-0.4, 0, 1)])
def test_thresholds_are_named_within_the_picture_and_on_lines_of_their_own(values: tuple[float, ...]) -> None:
    similarities = np.linspace(-0.5, 1, 50)
    svg = drawn(histogram_chart(similarities, similarities, SimilarityLimits(*values)))
    named = [t for t in elements(svg, "text") if (t.text or "").startswith(("loose", "related", "very"))]
    assert [t.text for t in named] == [
        f"{name} {value:.2f}" for name, value in zip(("loose", "related", "very similar"), values, strict=True)
    ]
    assert len({t.attrib["y"] for t in named}) == 3
    assert all(
        float(t.attrib["x"]) + (110 if t.attrib["text-anchor"] == "start" else 0) < float(svg.attrib["width"])
        for t in named
    )


def test_nothing_can_be_drawn() -> None:
    nothing = np.array([])
    assert "two films at random" in texts(drawn(histogram_chart(nothing, nothing, SimilarityLimits(None, None, None))))
    assert elements(drawn(map_chart(np.zeros((0, 2)), [])), "circle") == []
