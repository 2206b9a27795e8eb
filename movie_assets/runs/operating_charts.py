"""Charts of the catalogue's operation: calls and costs by day; below 20 KB each."""

from collections.abc import Mapping, Sequence
from html import escape

from movie_assets.runs.charts import image

GOOD, MIDDLING, BAD, NONE = "#009e73", "#e69f00", "#d55e00", "#9a9a9a"
HEIGHT, DAY, GAP, TOP, BELOW = 120, 34, 4, 22, 44


def days_chart(
    name: str, days: Sequence[tuple[str, Mapping[str, float]]], colours: Mapping[str, str], form: str = "{:,.0f}"
) -> str:
    """Draw a stacked column for each day: its parts in the order of their colours, with the sum above."""
    highest = max([sum(parts.values()) for _, parts in days], default=0.0) or 1.0
    columns = []
    for number, (day, parts) in enumerate(days):
        x, y = number * (DAY + GAP), float(TOP + HEIGHT)
        for part, colour in colours.items():
            height = parts.get(part, 0.0) / highest * HEIGHT
            y -= height
            if height:
                columns.append(f'<rect x="{x}" y="{y:.1f}" width="{DAY}" height="{height:.1f}" fill="{colour}"/>')
        total = form.format(sum(parts.values()))
        middle = x + DAY / 2
        columns.append(
            f'<text x="{middle}" y="{y - 4:.1f}" text-anchor="middle" font-size="9">{total}</text>'
            f'<text x="{middle}" y="{TOP + HEIGHT + 14}" text-anchor="middle" font-size="9">{escape(day)}</text>'
        )
    key = _key(tuple(colours.items()), TOP + HEIGHT + 34)
    return image(name, "".join(columns) + key, max(len(days) * (DAY + GAP), 360), TOP + HEIGHT + BELOW)


def _key(entries: Sequence[tuple[str, str]], y: float) -> str:
    """Draw the legend of the colours."""
    parts, x = [], 0
    for label, colour in entries:
        parts.append(
            f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
            f'<text x="{x + 14}" y="{y}">{escape(label)}</text>'
        )
        x += 34 + 7 * len(label)
    return "".join(parts)
