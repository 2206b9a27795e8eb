"""Pictures of how the catalogue is operated: what they show, and how large they are."""

import base64
import re
from xml.etree import ElementTree as ET

from movie_assets.runs.operating_charts import BAD, GOOD, days_chart


def svg(markdown: str) -> ET.Element:
    (data,) = re.findall(r"base64,([^)]+)\)", markdown)
    assert len(markdown) < 20_000
    return ET.fromstring(base64.b64decode(data))  # noqa: S314  # our own


def fills(markdown: str) -> list[str | None]:
    return [e.get("fill") for e in svg(markdown).iter("{http://www.w3.org/2000/svg}rect")]


def words(markdown: str) -> str:
    return " ".join(e.text or "" for e in svg(markdown).iter("{http://www.w3.org/2000/svg}text"))


def test_days_are_columns_of_their_parts() -> None:
    colours = {"answered": GOOD, "failed": BAD}
    days = [(f"{n:02} Nov", {"answered": 1000.0 * n, "failed": 10.0}) for n in range(14)]
    chart = days_chart("calls <by> day", days, colours)
    assert "13,010" in words(chart)
    assert fills(chart).count(BAD) == 14 + 1


def test_days_without_anything_are_no_error() -> None:
    assert "0.00" in words(days_chart("cost", [("01 Nov", {"dollars": 0.0})], {"dollars": GOOD}, "{:.2f}"))
    assert svg(days_chart("cost", [], {"dollars": GOOD})) is not None
