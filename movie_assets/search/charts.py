"""Charts of an embedding set: a map of the catalogue by genre and a histogram of similarities, each below 20 KB.

The arithmetic is in `search.calibration`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from movie_assets.runs.charts import image
from movie_assets.search.calibration import SimilarityLimits, Values

# The palette of Okabe and Ito, distinguishable with colour blindness, and visible on white and on black.
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#d55e00", "#cc79a7", "#f0e442", "#0072b2", "#9467bd")
OTHER = "#9a9a9a"
SIDE = 420
LEGEND = 175
MARGIN = 12
BINS = 60
WIDTH = 560
HEIGHT = 170
ABOVE = 62  # room for the labels of the limits
FLOOR = ABOVE + HEIGHT  # y coordinate of the axis
BELOW = 58  # room for the axis and the legend
RANDOM_COLOUR = "#9a9a9a"
NEAREST_COLOUR = "#56b4e9"
LINE_COLOUR = "#d55e00"
LABEL_WIDTH = 130


def colour_genres(genres: Sequence[Sequence[str]]) -> tuple[list[str], list[str | None]]:
    """Return the most common genres, and for each film the rarest of them that it has, or None.

    The rarest genre of a film describes it best.
    """
    counts = Counter(genre for film in genres for genre in film)
    shown = [genre for genre, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: len(COLOURS)]]
    place = {genre: n for n, genre in enumerate(shown)}
    film_genres = [max((g for g in film if g in place), key=place.__getitem__, default=None) for film in genres]
    return shown, film_genres


def map_chart(places: Values, genres: Sequence[Sequence[str]]) -> str:
    """Return a Markdown image of films as dots on a plane, coloured by genre. `places` is (n, 2), from 0 to 1."""
    shown, film_genres = colour_genres(genres)
    colours: dict[str | None, str] = {None: OTHER}
    colours.update(zip(shown, COLOURS, strict=False))
    dots: dict[str | None, list[str]] = {genre: [] for genre in colours}
    room = SIDE - 2 * MARGIN
    for (x, y), genre in zip(places, film_genres, strict=True):
        dots[genre].append(f"M{MARGIN + x * room:.0f} {MARGIN + (1 - y) * room:.0f}h0")
    shapes = [
        f'<path d="{"".join(dots[genre])}" stroke="{colours[genre]}" stroke-width="5" stroke-linecap="round"/>'
        for genre in colours
        if dots[genre]
    ]
    # Genres that colour no film are left out of the legend: each of their films has a rarer genre.
    counts = [(genre, len(dots[genre])) for genre in [*shown, None] if dots[genre]]
    shapes += _map_legend(counts, colours)
    frame = f'<rect x=".5" y=".5" width="{SIDE - 1}" height="{SIDE - 1}" fill="none" stroke="#c0c0c0"/>'
    return image("map of the catalogue by genre", frame + "".join(shapes), SIDE + LEGEND, SIDE)


def _map_legend(counts: Sequence[tuple[str | None, int]], colours: Mapping[str | None, str]) -> list[str]:
    """Return the legend as SVG elements: a line for each genre, with its number of films, and an explanation."""
    shapes = []
    for line, (genre, films) in enumerate(counts):
        top = MARGIN + 10 + line * 22
        shapes.append(
            f'<circle cx="{SIDE + 14}" cy="{top}" r="5" fill="{colours[genre]}"/>'
            f'<text x="{SIDE + 26}" y="{top + 4}">{escape((genre or "other")[:18])} ({films:,})</text>'
        )
    top = MARGIN + 22 + len(counts) * 22
    for line, text in enumerate(("a film has the colour of", "its rarest genre here")):
        shapes.append(f'<text x="{SIDE + 8}" y="{top + 16 * line}" font-style="italic">{text}</text>')
    return shapes


@dataclass(frozen=True)
class _Axis:
    """The horizontal axis of a histogram: similarities from `low` to 1."""

    low: float

    def position(self, similarity: float) -> float:
        """Return the x coordinate of a similarity in pixels."""
        return MARGIN + (similarity - self.low) * (WIDTH - 2 * MARGIN) / (1 - self.low)


def histogram_chart(random: Values, nearest: Values, limits: SimilarityLimits) -> str:
    """Return a Markdown image with the similarities of random pairs and of films and their nearest, and the limits.

    Each distribution is scaled to its own highest bar.
    """
    every = np.concatenate([random, nearest])
    lowest = float(np.floor(10 * every.min()) / 10) if every.size else 0.0
    axis = _Axis(min(lowest, 0.9))
    shapes = [
        _bars(axis, random, RANDOM_COLOUR),
        _bars(axis, nearest, NEAREST_COLOUR),
        *_ticks(axis),
        *_limit_lines(axis, limits),
        *_histogram_legend(),
    ]
    return image("histogram of similarities", "".join(shapes), WIDTH, FLOOR + BELOW)


def _bars(axis: _Axis, values: Values, colour: str) -> str:
    edges = np.linspace(axis.low, 1.0, BINS + 1)
    counts, _ = np.histogram(np.clip(values, axis.low, 1.0), bins=edges)
    heights = counts / max(1, counts.max()) * HEIGHT
    outline = "".join(
        f"V{FLOOR - height:.0f}H{axis.position(edge):.0f}" for height, edge in zip(heights, edges[1:], strict=True)
    )
    return f'<path d="M{MARGIN} {FLOOR}{outline}V{FLOOR}z" fill="{colour}" fill-opacity=".6"/>'


def _ticks(axis: _Axis) -> Iterator[str]:
    for tick in np.arange(round(10 * axis.low), 11) / 10:
        x = axis.position(float(tick))
        anchor = "end" if tick == 1.0 else "middle"
        yield (
            f'<path d="M{x:.0f} {FLOOR}v5" stroke="#808080"/>'
            f'<text x="{x:.0f}" y="{FLOOR + 18}" text-anchor="{anchor}">{tick:.1f}</text>'
        )
    yield f'<path d="M{MARGIN} {FLOOR}h{WIDTH - 2 * MARGIN}" stroke="#808080"/>'


def _limit_lines(axis: _Axis, limits: SimilarityLimits) -> Iterator[str]:
    """Yield a dashed line for each known limit, with its label on the side where it fits."""
    named = (("loose", limits.loose), ("related", limits.related), ("very similar", limits.very_similar))
    for line, (name, value) in enumerate(named):
        if value is None:
            continue
        x, top = axis.position(value), 14 + 18 * line
        side, anchor = (4, "start") if x + LABEL_WIDTH < WIDTH else (-4, "end")
        yield (
            f'<path d="M{x:.0f} {top - 10}V{FLOOR}" stroke="{LINE_COLOUR}" stroke-dasharray="4 3"/>'
            f'<text x="{x + side:.0f}" y="{top}" text-anchor="{anchor}" fill="{LINE_COLOUR}">{name} {value:.2f}</text>'
        )


def _histogram_legend() -> Iterator[str]:
    top = FLOOR + 44
    for x, colour, text in (
        (MARGIN, RANDOM_COLOUR, "two films at random"),
        (210, NEAREST_COLOUR, "a film and its nearest"),
    ):
        yield (
            f'<rect x="{x}" y="{top - 10}" width="12" height="12" fill="{colour}" fill-opacity=".6"/>'
            f'<text x="{x + 18}" y="{top}">{text}</text>'
        )
