"""TMDB's images of a title: posters, backdrops and logos, with and without words."""

from collections.abc import Mapping

from movie_assets.emulator.shapes import Json

WIDTHS = {"posters": (2000, 3000), "backdrops": (1920, 1080), "logos": (800, 310)}
KINDS = tuple(WIDTHS)


def images(tmdb_id: int, prefix: str, original: str) -> Json:
    """Return the images of a title: some have no poster, every third one has German images.

    `prefix` begins the names of files: `tv-` for those of series.
    """
    languages = dict.fromkeys(("en", original, *(("de",) if tmdb_id % 3 == 0 else ())))
    posters = [_image("posters", f"/{prefix}poster{tmdb_id}-{code}.jpg", code, 10 + tmdb_id % 7) for code in languages]
    backdrops = [_image("backdrops", f"/{prefix}backdrop{tmdb_id}.jpg", None, 4)]
    logos = [_image("logos", f"/{prefix}logo{tmdb_id}.svg", "en", 0)]
    main = _image("posters", f"/{prefix}poster{tmdb_id}.jpg", "en", 3)
    textless = _image("posters", f"/{prefix}poster{tmdb_id}-plain.jpg", None, 1)
    return {
        "backdrops": backdrops if tmdb_id % 10 else [],
        "logos": logos,
        "posters": [main, *posters, textless] if tmdb_id % 20 else [],
    }


def in_languages(body: Json, parameters: Mapping[str, str]) -> Json:
    """Return the images that a call asks for: `include_image_language=de,null` also asks for those without words.

    `language` alone leaves only its images, as at TMDB; without either parameter all are returned.
    """
    asked = parameters.get("include_image_language") or parameters.get("language", "").partition("-")[0]
    if not asked or "posters" not in body:
        return body
    wanted = {None if code == "null" else code for code in asked.split(",")}
    return {
        key: [image for image in value if image["iso_639_1"] in wanted] if key in KINDS else value
        for key, value in body.items()
    }


def _image(kind: str, path: str, language: str | None, votes: int) -> Json:
    width, height = WIDTHS[kind]
    return {
        "aspect_ratio": round(width / height, 3),
        "height": height,
        "iso_3166_1": None,
        "iso_639_1": language,
        "file_path": path,
        "vote_average": 5.0 + votes / 10 if votes else 0.0,
        "vote_count": votes,
        "width": width,
    }
