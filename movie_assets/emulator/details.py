"""One film in the shape of TMDB's `/movie/{id}`, and its sub-objects.

A `Movie` goes in, JSON comes out. The worlds decide which films exist, `app` which requests are served.
"""

import zlib
from collections.abc import Callable, Collection
from datetime import date

from movie_assets.emulator.images import images
from movie_assets.emulator.movie import Job, Movie, Person, Role
from movie_assets.emulator.offers import watch_providers
from movie_assets.emulator.releases import releases_of
from movie_assets.emulator.shapes import COUNTRIES, EMPTY_PARTS, GENRES, LANGUAGE_NAMES, Json, stable_id


def detail(movie: Movie) -> Json:
    """Return a film's details without sub-objects."""
    return {
        "adult": movie.adult,
        "backdrop_path": image(movie.tmdb_id, "backdrop") if movie.tmdb_id % 10 else None,
        "belongs_to_collection": _collection(movie),
        "budget": movie.budget,
        "genres": [{"id": GENRES[name], "name": name} for name in movie.genres],
        "homepage": "",
        "id": movie.tmdb_id,
        "imdb_id": movie.imdb_id,
        "origin_country": list(movie.countries[:1]),
        "original_language": movie.language,
        "original_title": movie.original_title,
        "overview": movie.overview,
        "popularity": movie.popularity,
        "poster_path": image(movie.tmdb_id, "poster") if movie.tmdb_id % 20 else None,
        "production_companies": [
            {
                "id": stable_id("company", name),
                "logo_path": None,
                "name": name,
                "origin_country": movie.countries[0] if movie.countries else "",
            }
            for name in movie.companies
        ],
        "production_countries": [{"iso_3166_1": code, "name": COUNTRIES.get(code, code)} for code in movie.countries],
        "release_date": movie.release_date,
        "revenue": movie.revenue,
        "runtime": movie.runtime,
        "softcore": movie.softcore,
        "spoken_languages": [language(movie.language)],
        "status": movie.status,
        "tagline": movie.tagline,
        "title": movie.title,
        "video": movie.video,
        "vote_average": movie.vote_average,
        "vote_count": movie.vote_count,
    }


def with_parts(movie: Movie, parts: Collection[str], day: date) -> Json:
    """Return a film's details with the requested sub-objects; names that TMDB does not know are ignored."""
    body = detail(movie)
    for part in parts:
        if part == "watch/providers":
            body[part] = watch_providers(movie.tmdb_id, "movie", day)
        elif part in PARTS:
            body[part] = PARTS[part](movie)
        elif part in EMPTY_PARTS:
            body[part] = EMPTY_PARTS[part]
    return body


def _credits(movie: Movie) -> Json:
    return {
        "cast": [_cast_member(movie, role, order) for order, role in enumerate(movie.cast)],
        "crew": [_crew_member(movie, job, order) for order, job in enumerate(movie.crew)],
    }


def _cast_member(movie: Movie, role: Role, order: int) -> Json:
    return {
        **person(role.person, "Acting"),
        "cast_id": order + 1,
        "character": role.character,
        "credit_id": f"{movie.tmdb_id:016x}{order:08x}",
        "order": order,
    }


def _crew_member(movie: Movie, job: Job, order: int) -> Json:
    return {
        **person(job.person, job.department),
        "credit_id": f"{movie.tmdb_id:016x}c{order:07x}",
        "department": job.department,
        "job": job.job,
    }


def person(person: Person, department: str) -> Json:
    """Return a person as a member of a cast or crew."""
    return {
        "adult": False,
        "gender": person.gender,
        "id": person.person_id,
        "known_for_department": department,
        "name": person.name,
        "original_name": person.name,
        "popularity": person.person_id % 977 / 100,
        "profile_path": None,
    }


def _keywords(movie: Movie) -> Json:
    return {"keywords": [{"id": stable_id("keyword", name), "name": name} for name in movie.keywords]}


def _release_dates(movie: Movie) -> Json:
    releases = releases_of(movie)
    return {
        "results": [
            {
                "iso_3166_1": code,
                "release_dates": [
                    {
                        "certification": release.certification,
                        "descriptors": [],
                        "iso_639_1": release.language,
                        "note": release.note,
                        "release_date": f"{release.day.isoformat()}T00:00:00.000Z",
                        "type": release.kind,
                    }
                    for release in releases
                    if release.country == code
                ],
            }
            for code in dict.fromkeys(release.country for release in releases)
        ]
    }


def _external_ids(movie: Movie) -> Json:
    return {
        "imdb_id": movie.imdb_id,
        "wikidata_id": f"Q{movie.tmdb_id + 900_000_000}",
        "facebook_id": None,
        "instagram_id": None,
        "twitter_id": None,
    }


def _videos(movie: Movie) -> Json:
    return videos(movie.tmdb_id, movie.title, movie.release_date)


def videos(tmdb_id: int, title: str, released: str) -> Json:
    """Return a trailer for one title in three; `released` is a date or empty."""
    if tmdb_id % 3:
        return {"results": []}
    return {
        "results": [
            {
                "iso_639_1": "en",
                "iso_3166_1": "US",
                "name": f"{title} | Official Trailer",
                "key": f"{zlib.crc32(title.encode()):011x}",
                "site": "YouTube",
                "size": 1080,
                "type": "Trailer",
                "official": True,
                "id": f"{tmdb_id:024x}",
                "published_at": f"{released or '2000-01-01'}T12:00:00.000Z",
            }
        ]
    }


def _translations(movie: Movie) -> Json:
    entries = [("US", "en", movie.title, movie.overview)]
    if movie.language != "en" and movie.countries:
        entries.append((movie.countries[0], movie.language, movie.original_title, ""))
    return {
        "translations": [
            translation(country, code, {"overview": text, "runtime": movie.runtime, "tagline": "", "title": title})
            for country, code, title, text in entries
        ]
    }


def translation(country: str, code: str, texts: Json) -> Json:
    """Return an entry of `translations` with its texts."""
    return {
        "iso_3166_1": country,
        "iso_639_1": code,
        "name": LANGUAGE_NAMES.get(code, (code, code))[1],
        "english_name": LANGUAGE_NAMES.get(code, (code, code))[0],
        "data": {"homepage": "", **texts},
    }


def _alternative_titles(movie: Movie) -> Json:
    if movie.original_title == movie.title or not movie.countries:
        return {"titles": []}
    return {"titles": [{"iso_3166_1": movie.countries[0], "title": movie.original_title, "type": ""}]}


PARTS: dict[str, Callable[[Movie], Json]] = {
    "alternative_titles": _alternative_titles,
    "images": lambda movie: images(movie.tmdb_id, "", movie.language),
    "credits": _credits,
    "external_ids": _external_ids,
    "keywords": _keywords,
    "release_dates": _release_dates,
    "translations": _translations,
    "videos": _videos,
}


def _collection(movie: Movie) -> Json | None:
    if movie.collection is None:
        return None
    return {
        "id": movie.collection.collection_id,
        "name": movie.collection.name,
        "poster_path": None,
        "backdrop_path": None,
    }


def language(code: str) -> Json:
    """Return an entry of `spoken_languages`."""
    english, own = LANGUAGE_NAMES.get(code, (code, code))
    return {"english_name": english, "iso_639_1": code, "name": own}


def image(tmdb_id: int, kind: str) -> str:
    """Return the path of a picture."""
    return f"/{kind}{tmdb_id}.jpg"
