"""Small charts for the web UI: SVG as Markdown images with a data address, a few kilobytes each."""

import base64


def image(name: str, shapes: str, width: int, height: int) -> str:
    """Return SVG shapes as a Markdown image; text is grey, which is legible on white and on black."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="#808080">{shapes}</svg>'
    )
    return f"![{name}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
