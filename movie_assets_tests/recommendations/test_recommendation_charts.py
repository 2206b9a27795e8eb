"""The bars with their intervals."""

import base64

from movie_assets.recommendations.charts import bars_chart


def svg_of(chart: str) -> str:
    return base64.b64decode(chart.split("base64,")[1].rstrip(")")).decode()


def test_each_bar_has_its_length_its_interval_and_its_figures() -> None:
    chart = bars_chart("NDCG@10", [("a & b", 0.2, 0.1, 0.4), ("other", 0.1, 0.05, 0.2)], "other")
    svg = svg_of(chart)
    assert 'width="160.0" height="16" fill="#a9a2ec"' in svg
    assert 'width="80.0" height="16" fill="#5a4fcf"' in svg
    assert "M210.0 32.0H450.0" in svg
    assert "0.200 (0.100 to 0.400)" in svg
    assert "a &amp; b" in svg
    assert len(chart) < 20_000


def test_bars_of_nothing_are_a_picture_all_the_same() -> None:
    assert svg_of(bars_chart("NDCG@10", [("a", 0.0, 0.0, 0.0)], "a")).startswith("<svg")
