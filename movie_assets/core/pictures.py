"""Small pictures for the web UI: SVG as Markdown images with a data address, a few kilobytes each."""

import base64
from collections.abc import Sequence
from html import escape

BAR = 16
GAP = 6
LABEL = 210
WIDTH = 300


def funnel_picture(steps: Sequence[tuple[str, int, int]]) -> str:
    """Bars of what is left after each step (dark) and what it dropped (light), as a Markdown image.

    A step is what it says, how many it dropped and how many it kept.
    """
    scale = WIDTH / max([1, *(kept + dropped for _, dropped, kept in steps)])
    bars = []
    for number, (says, dropped, kept) in enumerate(steps):
        top = number * (BAR + GAP)
        bars.append(
            f'<text x="{LABEL - 8}" y="{top + 12}" text-anchor="end">{escape(says)}</text>'
            f'<rect x="{LABEL}" y="{top}" width="{(kept + dropped) * scale:.1f}" height="{BAR}" fill="#c9c4f4"/>'
            f'<rect x="{LABEL}" y="{top}" width="{kept * scale:.1f}" height="{BAR}" fill="#5a4fcf"/>'
            f'<text x="{LABEL + WIDTH + 8}" y="{top + 12}">{kept:,} (-{dropped:,})</text>'
        )
    return image("funnel", "".join(bars), LABEL + WIDTH + 150, len(bars) * (BAR + GAP))


def image(name: str, shapes: str, width: int, height: int) -> str:
    """SVG shapes as a Markdown image; text is grey, which can be read on white and on black."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="#808080">{shapes}</svg>'
    )
    return f"![{name}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
