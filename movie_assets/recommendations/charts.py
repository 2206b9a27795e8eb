"""Charts of the quality of recommenders: a bar with its interval for each model."""

from collections.abc import Sequence
from html import escape

from movie_assets.runs.charts import image

BAR = 16
GAP = 8
LABEL = 130
WIDTH = 320
ABOVE = 24


def bars_chart(title: str, bars: Sequence[tuple[str, float, float, float]], marked: str) -> str:
    """Return bars from 0, each with a whisker for its interval, as a Markdown image.

    A bar is a tuple of name, value, and lower and upper end of the interval. The bar with the name `marked` is dark.
    """
    scale = WIDTH / max([1e-9, *(high for _, _, _, high in bars)])
    shapes = [f'<text x="{LABEL}" y="14">{escape(title)}</text>']
    for number, (name, value, low, high) in enumerate(bars):
        top = ABOVE + number * (BAR + GAP)
        middle = top + BAR / 2
        colour = "#5a4fcf" if name == marked else "#a9a2ec"
        shapes.append(
            f'<text x="{LABEL - 8}" y="{top + 12}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{LABEL}" y="{top}" width="{value * scale:.1f}" height="{BAR}" fill="{colour}"/>'
            f'<path d="M{LABEL + low * scale:.1f} {middle}H{LABEL + high * scale:.1f}" '
            'stroke="#d55e00" stroke-width="2"/>'
            f'<text x="{LABEL + WIDTH + 8}" y="{top + 12}">{value:.3f} ({low:.3f} to {high:.3f})</text>'
        )
    return image(title, "".join(shapes), LABEL + WIDTH + 150, ABOVE + len(bars) * (BAR + GAP))
