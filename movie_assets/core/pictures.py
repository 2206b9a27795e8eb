"""Small pictures for the web UI: SVG as Markdown images with a data address, a few kilobytes each."""

import base64
from collections.abc import Mapping
from html import escape

BAR = 16
GAP = 6
LABEL = 210
WIDTH = 300


def funnel_picture(total: int, dropped: Mapping[str, int], words: Mapping[str, str]) -> str:
    """Bars of what is left after each rule (dark) and what the rule dropped (light), as a Markdown image."""
    scale = WIDTH / max(total, 1)
    left = total
    bars = []
    for number, (rule, count) in enumerate(dropped.items()):
        top = number * (BAR + GAP)
        rest = left - count
        bars.append(
            f'<text x="{LABEL - 8}" y="{top + 12}" text-anchor="end">{escape(words[rule])}</text>'
            f'<rect x="{LABEL}" y="{top}" width="{left * scale:.1f}" height="{BAR}" fill="#c9c4f4"/>'
            f'<rect x="{LABEL}" y="{top}" width="{rest * scale:.1f}" height="{BAR}" fill="#5a4fcf"/>'
            f'<text x="{LABEL + WIDTH + 8}" y="{top + 12}">{rest:,} (-{count:,})</text>'
        )
        left = rest
    return _image("funnel", "".join(bars), len(bars) * (BAR + GAP))


def _image(name: str, shapes: str, height: int) -> str:
    width = LABEL + WIDTH + 150
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="#808080">{shapes}</svg>'
    )
    return f"![{name}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
