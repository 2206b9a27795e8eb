"""Charts of the scores: their distribution, scores against votes, the agreement of sources; each below 20 KB."""

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from movie_assets.runs.charts import image

Values = npt.NDArray[np.float64]
WIDTH = 520
HEIGHT = 200
SIDE = 300
LEFT = 40
TOP = 14
BELOW = 40
COLOUR = "#56b4e9"
LINE = "#d55e00"
CELLS = 30  # per side: the size of a chart does not grow with the number of films
SHADES = 6


def distribution_chart(scores: Values) -> str:
    """Return a histogram of scores in bins of two points, with the median, as a Markdown image."""
    counts, _ = np.histogram(scores, bins=np.arange(0, 101, 2))
    scale, step, floor = (HEIGHT - 16) / max(1, int(counts.max())), WIDTH / len(counts), TOP + HEIGHT
    bars = [
        f'<rect x="{LEFT + n * step:.1f}" y="{floor - count * scale:.1f}" width="{step - 1:.1f}" '
        f'height="{count * scale:.1f}" fill="{COLOUR}"/>'
        for n, count in enumerate(counts.tolist())
        if count
    ]
    if len(scores):
        middle = float(np.median(scores))
        x = LEFT + middle / 100 * WIDTH
        bars.append(
            f'<path d="M{x:.1f} {TOP}V{floor}" stroke="{LINE}" stroke-dasharray="4 3"/>'
            f'<text x="{x + 4:.1f}" y="{TOP + 10}" fill="{LINE}">median {middle:.1f}</text>'
        )
    ticks = [(LEFT + tick / 100 * WIDTH, str(tick)) for tick in range(0, 101, 20)]
    return _framed("distribution of scores", bars, ticks, [], WIDTH, HEIGHT, f"score of {len(scores):,} films")


def votes_chart(votes: Values, scores: Values) -> str:
    """Return the density of films by votes (logarithmic) and score as a Markdown image."""
    decades = max(1.0, float(np.ceil(np.log10(votes.max())))) if len(votes) else 1.0
    across, up = np.log10(np.maximum(votes, 1)) / decades, scores / 100
    ticks = [(LEFT + SIDE * n / decades, _short(10**n)) for n in range(int(decades) + 1)]
    return _density("scores against votes", across, up, ticks, "votes", "score")


def agreement_chart(source: str, values: Values, reference: str, reference_values: Values) -> str:
    """Return the density of the films that two sources rate, by their values on 0-100, as a Markdown image.

    The dashed line is where both values are equal.
    """
    name = f"agreement of {source} and {reference}"
    ticks = [(LEFT + SIDE * n / 100, str(n)) for n in range(0, 101, 25)]
    agree = f'<path d="M{LEFT} {TOP + SIDE}l{SIDE} {-SIDE}" stroke="{LINE}" stroke-dasharray="4 3"/>'
    return _density(name, values / 100, reference_values / 100, ticks, source, reference, agree)


def _density(
    name: str,
    across: Values,
    up: Values,
    ticks: Sequence[tuple[float, str]],
    below: str,
    beside: str,
    more: str = "",
) -> str:
    """Draw the number of films in each cell of the unit square; the darkness of a cell is its logarithm."""
    counts, _, _ = np.histogram2d(across, up, bins=CELLS, range=((0, 1), (0, 1)))
    levels = np.ceil(SHADES * np.log1p(counts) / np.log1p(max(1.0, float(counts.max())))).astype(int)
    size, cells = SIDE // CELLS, []
    for shade in range(1, SHADES + 1):
        path = "".join(
            f"M{LEFT + x * size} {TOP + SIDE - y * size - size // 2}h{size}" for x, y in np.argwhere(levels == shade)
        )
        cells.append(f'<path d="{path}" opacity="{shade / SHADES:.2f}"/>' if path else "")
    cells = [f'<g stroke="{COLOUR}" stroke-width="{size}">{"".join(cells)}</g>', more]
    high = [(TOP + SIDE * (1 - n / 100), str(n)) for n in range(0, 101, 25)]
    return _framed(name, cells, ticks, high, SIDE, SIDE, f"{below}; upwards: {beside} ({len(across):,} films)")


def _framed(
    name: str,
    shapes: Sequence[str],
    ticks: Sequence[tuple[float, str]],
    marks: Sequence[tuple[float, str]],
    width: int,
    height: int,
    caption: str,
) -> str:
    """Draw shapes within two axes with their labels and a caption."""
    floor = TOP + height
    frame = [f'<path d="M{LEFT} {TOP}V{floor}h{width}" stroke="#808080" fill="none"/>']
    frame += [f'<text x="{x:.0f}" y="{floor + 15}" text-anchor="middle">{text}</text>' for x, text in ticks]
    frame += [f'<text x="{LEFT - 5}" y="{y + 4:.0f}" text-anchor="end">{text}</text>' for y, text in marks]
    frame.append(f'<text x="{LEFT}" y="{floor + 33}">{escape(caption)}</text>')
    return image(name, "".join([*shapes, *frame]), LEFT + width + 20, floor + BELOW)


def _short(number: int) -> str:
    for least, sign in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= least:
            return f"{number // least}{sign}"
    return str(number)
