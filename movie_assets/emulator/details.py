"""One film in the shape of TMDB's `/movie/{id}`, and its sub-objects.

The facts come as a `Movie`; whether it exists and who may ask is decided elsewhere.
"""

import zlib
from collections.abc import Callable, Collection

from movie_assets.emulator.film import Job, Movie, Person, Role
from movie_assets.emulator.shapes import COUNTRIES, EMPTY_PARTS, GENRES, LANGUAGE_NAMES, Json, stable_id


def detail(film: Movie) -> Json:
    """Details without sub-objects."""
    return {
        "adult": film.adult,
        "backdrop_path": _image(film.tmdb_id, "backdrop") if film.tmdb_id % 10 else None,
        "belongs_to_collection": _collection(film),
        "budget": film.budget,
        "genres": [{"id": GENRES[name], "name": name} for name in film.genres],
        "homepage": "",
        "id": film.tmdb_id,
        "imdb_id": film.imdb_id,
        "origin_country": list(film.countries[:1]),
        "original_language": film.language,
        "original_title": film.original_title,
        "overview": film.overview,
        "popularity": film.popularity,
        "poster_path": _image(film.tmdb_id, "poster") if film.tmdb_id % 20 else None,
        "production_companies": [
            {
                "id": stable_id("company", name),
                "logo_path": None,
                "name": name,
                "origin_country": film.countries[0] if film.countries else "",
            }
            for name in film.companies
        ],
        "production_countries": [{"iso_3166_1": code, "name": COUNTRIES.get(code, code)} for code in film.countries],
        "release_date": film.release_date,
        "revenue": film.revenue,
        "runtime": film.runtime,
        "softcore": film.softcore,
        "spoken_languages": [_language(film.language)],
        "status": film.status,
        "tagline": film.tagline,
        "title": film.title,
        "video": film.video,
        "vote_average": film.vote_average,
        "vote_count": film.vote_count,
    }


def with_parts(film: Movie, parts: Collection[str]) -> Json:
    """Details with the sub-objects asked for; names that TMDB does not know are passed over."""
    body = detail(film)
    for part in parts:
        if part in PARTS:
            body[part] = PARTS[part](film)
        elif part in EMPTY_PARTS:
            body[part] = EMPTY_PARTS[part]
    return body


def _credits(film: Movie) -> Json:
    return {
        "cast": [_cast_member(film, role, order) for order, role in enumerate(film.cast)],
        "crew": [_crew_member(film, job, order) for order, job in enumerate(film.crew)],
    }


def _cast_member(film: Movie, role: Role, order: int) -> Json:
    return {
        **_person(role.person, "Acting"),
        "cast_id": order + 1,
        "character": role.character,
        "credit_id": f"{film.tmdb_id:016x}{order:08x}",
        "order": order,
    }


def _crew_member(film: Movie, job: Job, order: int) -> Json:
    return {
        **_person(job.person, job.department),
        "credit_id": f"{film.tmdb_id:016x}c{order:07x}",
        "department": job.department,
        "job": job.job,
    }


def _person(person: Person, department: str) -> Json:
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


def _keywords(film: Movie) -> Json:
    return {"keywords": [{"id": stable_id("keyword", name), "name": name} for name in film.keywords]}


def _release_dates(film: Movie) -> Json:
    if not film.release_date:
        return {"results": []}
    releases = dict.fromkeys(film.countries, "")
    releases["US"] = film.certification
    return {
        "results": [
            {
                "iso_3166_1": code,
                "release_dates": [
                    {
                        "certification": certification,
                        "descriptors": [],
                        "iso_639_1": "",
                        "note": "",
                        "release_date": f"{film.release_date}T00:00:00.000Z",
                        "type": 3,
                    }
                ],
            }
            for code, certification in releases.items()
        ]
    }


def _external_ids(film: Movie) -> Json:
    return {
        "imdb_id": film.imdb_id,
        "wikidata_id": f"Q{film.tmdb_id + 900_000_000}",
        "facebook_id": None,
        "instagram_id": None,
        "twitter_id": None,
    }


def _videos(film: Movie) -> Json:
    if film.tmdb_id % 3:
        return {"results": []}
    return {
        "results": [
            {
                "iso_639_1": "en",
                "iso_3166_1": "US",
                "name": f"{film.title} | Official Trailer",
                "key": f"{zlib.crc32(film.title.encode()):011x}",
                "site": "YouTube",
                "size": 1080,
                "type": "Trailer",
                "official": True,
                "id": f"{film.tmdb_id:024x}",
                "published_at": f"{film.release_date or '2000-01-01'}T12:00:00.000Z",
            }
        ]
    }


def _watch_providers(film: Movie) -> Json:
    if film.tmdb_id % 4:
        return {"results": {}}
    provider = {
        "logo_path": "/stand-in.jpg",
        "provider_id": 8,
        "provider_name": "Netflix",
        "display_priority": 0,
    }
    return {"results": {"US": {"link": f"/movie/{film.tmdb_id}/watch", "flatrate": [provider]}}}


def _translations(film: Movie) -> Json:
    entries = [("US", "en", film.title, film.overview)]
    if film.language != "en" and film.countries:
        entries.append((film.countries[0], film.language, film.original_title, ""))
    return {
        "translations": [
            {
                "iso_3166_1": country,
                "iso_639_1": code,
                "name": LANGUAGE_NAMES.get(code, (code, code))[1],
                "english_name": LANGUAGE_NAMES.get(code, (code, code))[0],
                "data": {
                    "homepage": "",
                    "overview": text,
                    "runtime": film.runtime,
                    "tagline": "",
                    "title": title,
                },
            }
            for country, code, title, text in entries
        ]
    }


def _alternative_titles(film: Movie) -> Json:
    if film.original_title == film.title or not film.countries:
        return {"titles": []}
    return {"titles": [{"iso_3166_1": film.countries[0], "title": film.original_title, "type": ""}]}


PARTS: dict[str, Callable[[Movie], Json]] = {
    "alternative_titles": _alternative_titles,
    "credits": _credits,
    "external_ids": _external_ids,
    "keywords": _keywords,
    "release_dates": _release_dates,
    "translations": _translations,
    "videos": _videos,
    "watch/providers": _watch_providers,
}


def _collection(film: Movie) -> Json | None:
    if film.collection is None:
        return None
    return {
        "id": film.collection.collection_id,
        "name": film.collection.name,
        "poster_path": None,
        "backdrop_path": None,
    }


def _language(code: str) -> Json:
    english, own = LANGUAGE_NAMES.get(code, (code, code))
    return {"english_name": english, "iso_639_1": code, "name": own}


def _image(tmdb_id: int, kind: str) -> str:
    return f"/{kind}{tmdb_id}.jpg"
