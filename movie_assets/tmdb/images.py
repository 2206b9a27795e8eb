"""Reading TMDB's images of a title, and the sizes in which TMDB has images."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from movie_assets.tmdb.json_values import JsonObject, Reader, UnusableResponseError

KINDS = {"posters": "poster", "backdrops": "backdrop", "logos": "logo"}  # by the key of TMDB's response
SIZES = {
    "backdrop_sizes": "backdrop", "logo_sizes": "logo", "poster_sizes": "poster", "profile_sizes": "profile",
    "still_sizes": "still",
}  # fmt: skip
MAX_OF_A_LANGUAGE = 3  # images of each kind
MAX_PIXELS = 100_000
MAX_VOTES = 10**9
LONGEST_PATH = 200
LONGEST_SIZE = 20


class Image(NamedTuple):
    """An image of a title; `position` is its place among those of its kind and language, 1 for the most voted."""

    kind: str
    path: str
    language: str | None
    position: int
    width: int | None
    height: int | None
    vote_average: float
    vote_count: int


class ImageSize(NamedTuple):
    """A size of images of a kind, and the start of their addresses."""

    kind: str
    size: str
    position: int
    base_url: str


def image_parameters(languages: Sequence[str]) -> dict[str, str | int]:
    """Return the parameters of a call for images in some languages, with those that have none."""
    return {"include_image_language": ",".join((*languages, "null"))}


def read_images(body: JsonObject, languages: Collection[str]) -> list[Image]:
    """Return the first images of each kind in some languages, and without a language, by votes.

    An entry without a path is left out. Raises UnusableResponseError when the response has none of the lists.
    """
    if not any(isinstance(body.get(key), list) for key in KINDS):
        raise UnusableResponseError("no_images", f"the response has no images ({str(body)[:100]})")
    read = [_image(Reader(entry), kind) for key, kind in KINDS.items() for entry in Reader(body).objects(key)]
    wanted = {each.path: each for each in read if each is not None and each.language in {*languages, None}}
    places: Counter[tuple[str, str | None]] = Counter()
    images = []
    for each in sorted(wanted.values(), key=lambda each: (-each.vote_average, -each.vote_count, each.path)):
        places[each.kind, each.language] += 1
        place = places[each.kind, each.language]
        if place <= MAX_OF_A_LANGUAGE:
            images.append(each._replace(position=place))
    return images


def read_image_sizes(body: JsonObject) -> list[ImageSize]:
    """Return the sizes in TMDB's configuration. Raises UnusableResponseError when a kind has none, or the address."""
    images = Reader(body).inner("images")
    base_url = images.text("secure_base_url", LONGEST_PATH)
    if base_url is None or not base_url.startswith("https://") or not base_url.endswith("/"):
        raise UnusableResponseError("no_base_url", f"the configuration has no address of images ({base_url})")
    sizes = [
        ImageSize(kind, size, position, base_url)
        for key, kind in SIZES.items()
        for position, size in enumerate(images.texts(key, LONGEST_SIZE), start=1)
    ]
    if missing := sorted(set(SIZES.values()) - {each.kind for each in sizes if each.size == "original"}):
        raise UnusableResponseError("no_sizes", f"the configuration has no sizes of {', '.join(missing)} images")
    return sizes


def _image(read: Reader, kind: str) -> Image | None:
    path = read.text("file_path", LONGEST_PATH)
    if path is None or not path.startswith("/"):
        return None
    return Image(
        kind, path, read.text("iso_639_1", 10), 0, read.integer("width", 1, MAX_PIXELS),
        read.integer("height", 1, MAX_PIXELS), read.number("vote_average", 0, 10) or 0.0,
        read.integer("vote_count", 0, MAX_VOTES) or 0,
    )  # fmt: skip
