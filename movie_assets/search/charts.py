"""Pictures of an embedding set: a map of the catalogue by genre, a histogram of similarities; each below 20 KB.

The arithmetic behind them is `search.calibration`.
"""

from collections import Counter
from collections.abc import Sequence
from html import escape

import numpy as np

from movie_assets.runs.charts import image
from movie_assets.search.calibration import FilterProfiles, Values

# Okabe and Ito's colours, which people with colour blindness can tell apart; all can be seen on white and on black.
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#d55e00", "#cc79a7", "#f0e442", "#0072b2", "#9467bd")
OTHER = "#9a9a9a"
SIDE = 420
LEGEND = 175
MARGIN = 12
BINS = 60
WIDTH = 560
HEIGHT = 170
ABOVE = 62  # room for the thresholds' names
BELOW = 58  # … for the axis and the legend
RANDOM_COLOUR = "#9a9a9a"
NEAREST_COLOUR = "#56b4e9"
LINE_COLOUR = "#d55e00"
LABEL_WIDTH = 130


def colour_genres(genres: Sequence[Sequence[str]]) -> tuple[list[str], list[str | None]]:
    """The commonest genres, and for each film the rarest of those that it has, which says most about it."""
    counts = Counter(genre for film in genres for genre in film)
    shown = [genre for genre, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: len(COLOURS)]]
    place = {genre: n for n, genre in enumerate(shown)}
    of_films = [max((g for g in film if g in place), key=place.__getitem__, default=None) for film in genres]
    return shown, of_films


def map_chart(places: Values, genres: Sequence[Sequence[str]]) -> str:
    """Films as dots on a plane, coloured by genre, as a Markdown image. `places` is (n, 2), 0 to 1."""
    shown, of_films = colour_genres(genres)
    counts = Counter(of_films)
    ink: dict[str | None, str] = {None: OTHER}
    ink.update(zip(shown, COLOURS, strict=False))
    dots: dict[str | None, list[str]] = {genre: [] for genre in ink}
    room = SIDE - 2 * MARGIN
    for (x, y), genre in zip(places, of_films, strict=True):
        dots[genre].append(f"M{MARGIN + x * room:.0f} {MARGIN + (1 - y) * room:.0f}h0")
    shapes = [
        f'<path d="{"".join(dots[genre])}" stroke="{ink[genre]}" stroke-width="5" stroke-linecap="round"/>'
        for genre in ink
        if dots[genre]
    ]
    # Those that colour no film are not explained: all their films have a rarer genre.
    explained = [genre for genre in [*shown, None] if counts[genre]]
    for line, genre in enumerate(explained):
        top = MARGIN + 10 + line * 22
        shapes.append(
            f'<circle cx="{SIDE + 14}" cy="{top}" r="5" fill="{ink[genre]}"/>'
            f'<text x="{SIDE + 26}" y="{top + 4}">{escape((genre or "other")[:18])} ({counts[genre]:,})</text>'
        )
    top = MARGIN + 22 + len(explained) * 22
    for line, says in enumerate(("a film has the colour of", "its rarest genre here")):
        shapes.append(f'<text x="{SIDE + 8}" y="{top + 16 * line}" font-style="italic">{says}</text>')
    frame = f'<rect x=".5" y=".5" width="{SIDE - 1}" height="{SIDE - 1}" fill="none" stroke="#c0c0c0"/>'
    return image("map of the catalogue by genre", frame + "".join(shapes), SIDE + LEGEND, SIDE)


def histogram_chart(random: Values, nearest: Values, thresholds: FilterProfiles) -> str:
    """Similarities of random pairs and of films and their nearest, each scaled to its highest bar, and the thresholds.

    A Markdown image.
    """
    every = np.concatenate([random, nearest])
    low = float(np.floor(10 * every.min()) / 10) if every.size else 0.0
    low, high = min(low, 0.9), 1.0
    edges = np.linspace(low, high, BINS + 1)
    scale = (WIDTH - 2 * MARGIN) / (high - low)

    def across(similarity: float) -> float:
        return MARGIN + (similarity - low) * scale

    floor = ABOVE + HEIGHT
    shapes = []
    for values, colour in ((random, RANDOM_COLOUR), (nearest, NEAREST_COLOUR)):
        counts, _ = np.histogram(np.clip(values, low, high), bins=edges)
        heights = counts / max(1, counts.max()) * HEIGHT
        outline = "".join(
            f"V{floor - height:.0f}H{across(edge):.0f}" for height, edge in zip(heights, edges[1:], strict=True)
        )
        shapes.append(f'<path d="M{MARGIN} {floor}{outline}V{floor}z" fill="{colour}" fill-opacity=".6"/>')
    for tick in np.arange(round(10 * low), 11) / 10:
        x = across(float(tick))
        anchor = "end" if tick == high else "middle"
        shapes.append(
            f'<path d="M{x:.0f} {floor}v5" stroke="#808080"/>'
            f'<text x="{x:.0f}" y="{floor + 18}" text-anchor="{anchor}">{tick:.1f}</text>'
        )
    shapes.append(f'<path d="M{MARGIN} {floor}h{WIDTH - 2 * MARGIN}" stroke="#808080"/>')
    named = (("loose", thresholds.loose), ("related", thresholds.related), ("very similar", thresholds.very_similar))
    for line, (name, value) in enumerate(named):
        if value is None:
            continue
        x, top = across(value), 14 + 18 * line
        # A name on the side where there is room for it.
        side, anchor = (4, "start") if x + LABEL_WIDTH < WIDTH else (-4, "end")
        shapes.append(
            f'<path d="M{x:.0f} {top - 10}V{floor}" stroke="{LINE_COLOUR}" stroke-dasharray="4 3"/>'
            f'<text x="{x + side:.0f}" y="{top}" text-anchor="{anchor}" fill="{LINE_COLOUR}">{name} {value:.2f}</text>'
        )
    legend = floor + 44
    for x, colour, says in (
        (MARGIN, RANDOM_COLOUR, "two films at random"),
        (210, NEAREST_COLOUR, "a film and its nearest"),
    ):
        shapes.append(
            f'<rect x="{x}" y="{legend - 10}" width="12" height="12" fill="{colour}" fill-opacity=".6"/>'
            f'<text x="{x + 18}" y="{legend}">{says}</text>'
        )
    return image("histogram of similarities", "".join(shapes), WIDTH, floor + BELOW)
