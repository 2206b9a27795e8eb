"""The funnel's picture: valid SVG in a Markdown image, with the right bars."""

import base64
import re
from xml.etree import ElementTree as ET

from movie_assets.core.pictures import WIDTH, funnel_picture

STEPS = [("not marked adult", 100, 900), ("votes ≥ 100 & <more>", 450, 450)]


def drawn(steps: list[tuple[str, int, int]]) -> ET.Element:
    image = funnel_picture(steps)
    match = re.fullmatch(r"!\[funnel\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", image)
    assert match is not None
    return ET.fromstring(base64.b64decode(match[1]))  # noqa: S314  # our own picture


def texts(svg: ET.Element) -> list[str | None]:
    return [element.text for element in svg if element.tag.endswith("text")]


def widths(svg: ET.Element) -> list[float]:
    return [float(element.attrib["width"]) for element in svg if element.tag.endswith("rect")]


def test_each_rule_has_its_words_and_figures() -> None:
    svg = drawn(STEPS)
    assert texts(svg) == ["not marked adult", "900 (-100)", "votes ≥ 100 & <more>", "450 (-450)"]


def test_bars_show_what_came_and_what_is_left() -> None:
    svg = drawn(STEPS)
    assert widths(svg) == [WIDTH, 0.9 * WIDTH, 0.9 * WIDTH, 0.45 * WIDTH]


def test_an_empty_funnel_can_be_drawn() -> None:
    assert widths(drawn([("nothing", 0, 0)])) == [0, 0]
    assert texts(drawn([])) == []


def test_a_picture_is_small() -> None:
    assert len(funnel_picture(STEPS * 5)) < 4096
