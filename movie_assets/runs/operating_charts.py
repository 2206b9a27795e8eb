"""Charts of the catalogue's operation: coverage by batch, age of data, calls and costs by day; below 20 KB each."""

from collections.abc import Mapping, Sequence
from html import escape

from movie_assets.runs.charts import image

GOOD, MIDDLING, BAD, NONE = "#009e73", "#e69f00", "#d55e00", "#9a9a9a"
COLUMNS, CELL, CELL_GAP = 16, 26, 4
LABEL, WIDTH, BAR, GAP = 130, 320, 16, 8
HEIGHT, DAY, TOP, BELOW = 120, 34, 22, 44
WELL, FAIRLY = 0.99, 0.9


def coverage_chart(shares: Sequence[float | None]) -> str:
    """Draw a square for each batch, coloured by the share of its ids with details; None is a batch without ids."""
    cells = []
    for batch, share in enumerate(shares):
        x, y = batch % COLUMNS * (CELL + CELL_GAP), batch // COLUMNS * (CELL + CELL_GAP)
        fill = NONE if share is None else GOOD if share >= WELL else MIDDLING if share >= FAIRLY else BAD
        faint = ' fill-opacity="0.35"' if share is None else ""
        cells.append(
            f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" rx="3" fill="{fill}"{faint}/>'
            f'<text x="{x + CELL / 2}" y="{y + 17}" text-anchor="middle" font-size="11" fill="#fff">{batch}</text>'
        )
    rows = -(-len(shares) // COLUMNS)
    bottom = rows * (CELL + CELL_GAP)
    key = _key(((f"{WELL:.0%} or more", GOOD), (f"{FAIRLY:.0%} or more", MIDDLING), ("less", BAD)), bottom + 14)
    return image("coverage by batch", "".join(cells) + key, COLUMNS * (CELL + CELL_GAP), bottom + 22)


def age_chart(tiers: Sequence[tuple[str, int, int, int]]) -> str:
    """Draw a bar for each allowed age: (name, films, films within that age, films overdue by a day)."""
    bars = []
    for number, (name, films, within, overdue) in enumerate(tiers):
        y = number * (BAR + GAP)
        scale = WIDTH / max(1, films)
        good, bad = within * scale, overdue * scale
        bars.append(
            f'<text x="{LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{LABEL}" y="{y}" width="{good:.1f}" height="{BAR}" fill="{GOOD}"/>'
            f'<rect x="{LABEL + good:.1f}" y="{y}" width="{WIDTH - good - bad:.1f}" height="{BAR}" fill="{MIDDLING}"/>'
            f'<rect x="{LABEL + WIDTH - bad:.1f}" y="{y}" width="{bad:.1f}" height="{BAR}" fill="{BAD}"/>'
            f'<text x="{LABEL + WIDTH + 8}" y="{y + 12}">{within / max(1, films):.0%} of {films:,}</text>'
        )
    bottom = len(tiers) * (BAR + GAP)
    key = _key((("within its age", GOOD), ("due", MIDDLING), ("overdue by a day", BAD)), bottom + 14, left=LABEL)
    return image("age of data", "".join(bars) + key, LABEL + WIDTH + 110, bottom + 22)


def days_chart(
    name: str, days: Sequence[tuple[str, Mapping[str, float]]], colours: Mapping[str, str], form: str = "{:,.0f}"
) -> str:
    """Draw a stacked column for each day: its parts in the order of their colours, with the sum above."""
    highest = max([sum(parts.values()) for _, parts in days], default=0.0) or 1.0
    columns = []
    for number, (day, parts) in enumerate(days):
        x, y = number * (DAY + CELL_GAP), float(TOP + HEIGHT)
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
    return image(name, "".join(columns) + key, max(len(days) * (DAY + CELL_GAP), 360), TOP + HEIGHT + BELOW)


def _key(entries: Sequence[tuple[str, str]], y: float, *, left: float = 0) -> str:
    """Draw the legend of the colours."""
    parts, x = [], left
    for label, colour in entries:
        parts.append(
            f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
            f'<text x="{x + 14}" y="{y}">{escape(label)}</text>'
        )
        x += 34 + 7 * len(label)
    return "".join(parts)
