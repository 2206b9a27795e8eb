"""One series in the shapes of TMDB's `/tv/{id}` and `/tv/{id}/season/{n}`, and their sub-objects.

A `Series` goes in, JSON comes out. What films have in the same shape is in `details`.
"""

from collections.abc import Callable, Collection
from datetime import date

from movie_assets.emulator.details import image, language, person, translation, videos
from movie_assets.emulator.images import images
from movie_assets.emulator.made_up_series import SEASON_TVDB_FROM
from movie_assets.emulator.offers import watch_providers
from movie_assets.emulator.series import Episode, Network, Season, Series
from movie_assets.emulator.series_credits import aggregate_credits, flat_credits
from movie_assets.emulator.series_shapes import (
    EMPTY_SEASON_PARTS,
    EMPTY_SERIES_PARTS,
    NO_IDS,
    TV_GENRES,
    season_number_of,
    series_item,
)
from movie_assets.emulator.shapes import COUNTRIES, Json, stable_id


def detail(series: Series) -> Json:
    """Return a series' details without sub-objects."""
    last, upcoming = series.last_episode, series.next_episode
    return {
        "adult": series.adult,
        "backdrop_path": image(series.tmdb_id, "tv-backdrop") if series.tmdb_id % 10 else None,
        "created_by": [_creator(series, place) for place in range(len(series.people.creators()))],
        "episode_run_time": [] if series.tmdb_id % 7 else [series.minutes],
        "first_air_date": _iso(series.first_air_date) or "",
        "genres": [{"id": TV_GENRES[name], "name": name} for name in series.genres],
        "homepage": "",
        "id": series.tmdb_id,
        "in_production": series.in_production,
        "languages": [series.language] if series.tmdb_id % 12 else [],
        "last_air_date": _iso(last.air_date) if last else None,
        "last_episode_to_air": _brief(series, last) if last else None,
        "name": series.name,
        "next_episode_to_air": _brief(series, upcoming) if upcoming else None,
        "networks": [_network(network) for network in series.networks],
        "number_of_episodes": series.episode_count,
        "number_of_seasons": len(series.numbered),
        "origin_country": list(series.countries),
        "original_language": series.language,
        "original_name": series.original_name,
        "overview": series.overview,
        "popularity": series.popularity,
        "poster_path": image(series.tmdb_id, "tv-poster") if series.tmdb_id % 20 else None,
        "production_companies": [
            {"id": stable_id("company", name), "logo_path": None, "name": name, "origin_country": ""}
            for name in series.companies
        ],
        "production_countries": [{"iso_3166_1": code, "name": COUNTRIES.get(code, code)} for code in series.countries],
        "seasons": [{"episode_count": season.episode_count, **_season(season)} for season in series.seasons],
        "softcore": series.softcore,
        "spoken_languages": [language(series.language)],
        "status": series.status,
        "tagline": series.tagline,
        "type": series.type,
        "vote_average": series.vote_average,
        "vote_count": series.vote_count,
    }


def item(series: Series) -> Json:
    """Return a series as it is on a list page."""
    return series_item(detail(series))


def with_parts(series: Series, parts: Collection[str], day: date) -> Json:
    """Return details with the requested sub-objects and seasons; seasons and names that TMDB does not know are ignored.

    A season is requested as `season/N`.
    """
    body = detail(series)
    for part in parts:
        number = season_number_of(part)
        if number is not None:
            season = series.season(number)
            if season is not None:
                body[part] = season_detail(series, season)
        elif part == "watch/providers":
            body[part] = watch_providers(series.tmdb_id, "tv", day)
        elif part in PARTS:
            body[part] = PARTS[part](series)
        elif part in EMPTY_SERIES_PARTS:
            body[part] = EMPTY_SERIES_PARTS[part]
    return body


def season_detail(series: Series, season: Season, parts: Collection[str] = ()) -> Json:
    """Return a season with its episodes and the requested sub-objects."""
    body = {
        "_id": f"{season.season_id:024x}",
        **_season(season),
        "episodes": [episode_detail(series, episode) for episode in season.episodes],
        "networks": [_network(network) for network in series.networks],
    }
    for part in parts:
        if part in SEASON_PARTS:
            body[part] = SEASON_PARTS[part](series, season)
        elif part in EMPTY_SEASON_PARTS:
            body[part] = EMPTY_SEASON_PARTS[part]
    return body


def episode_detail(series: Series, episode: Episode) -> Json:
    """Return an episode as an entry of its season."""
    return {
        **_brief(series, episode),
        "crew": [
            {
                "job": job.job,
                "department": job.department,
                "credit_id": f"{episode.episode_id:016x}c{order:07x}",
                **person(job.person, job.department),
            }
            for order, job in enumerate(episode.crew)
        ],
        "guest_stars": [
            {
                "character": role.character,
                "credit_id": f"{episode.episode_id:016x}{order:08x}",
                "order": 500 + order,
                **person(role.person, "Acting"),
            }
            for order, role in enumerate(episode.guests)
        ],
    }


def episode_result(series: Series, episode: Episode) -> Json:
    """Return an episode as `/find` gives it."""
    return {**_brief(series, episode), "media_type": "tv_episode"}


def season_result(series: Series, season: Season) -> Json:
    """Return a season as `/find` gives it."""
    return {
        **_season(season),
        "episode_count": season.episode_count,
        "media_type": "tv_season",
        "show_id": series.tmdb_id,
    }


def _brief(series: Series, episode: Episode) -> Json:
    return {
        "id": episode.episode_id,
        "name": episode.name,
        "overview": episode.overview,
        "vote_average": episode.vote_average,
        "vote_count": episode.vote_count,
        "air_date": _iso(episode.air_date),
        "episode_number": episode.number,
        "episode_type": episode.episode_type,
        "production_code": "",
        "runtime": episode.runtime,
        "season_number": episode.season_number,
        "show_id": series.tmdb_id,
        "still_path": image(episode.episode_id, "still") if episode.runtime and episode.episode_id % 3 else None,
    }


def _season(season: Season) -> Json:
    return {
        "air_date": _iso(season.air_date),
        "id": season.season_id,
        "name": season.name,
        "overview": season.overview,
        "poster_path": image(season.season_id, "season") if season.season_id % 4 else None,
        "season_number": season.number,
        "vote_average": season.vote_average,
    }


def _creator(series: Series, place: int) -> Json:
    creator = series.people.creators()[place]
    return {
        "id": creator.person_id,
        "credit_id": f"{series.tmdb_id:016x}d{place:07x}",
        "name": creator.name,
        "original_name": creator.name,
        "gender": creator.gender,
        "profile_path": None,
    }


def _network(network: Network) -> Json:
    logo = image(network.network_id, "network").replace("jpg", "png")
    return {"id": network.network_id, "logo_path": logo, "name": network.name, "origin_country": network.country}


def _content_ratings(series: Series) -> Json:
    ratings = {"US": series.rating, **({"DE": "16"} if series.tmdb_id % 3 == 0 else {})}
    return {
        "results": [
            {"descriptors": [], "iso_3166_1": country, "rating": rating}
            for country, rating in ratings.items()
            if rating
        ]
    }


def _translations(series: Series) -> Json:
    entries = [("US", "en", series.name, series.overview)]
    if series.language != "en" and series.countries:
        entries.append((series.countries[0], series.language, series.original_name, ""))
    return {
        "translations": [
            translation(country, code, {"name": name, "overview": text, "tagline": ""})
            for country, code, name, text in entries
        ]
    }


def _alternative_titles(series: Series) -> Json:
    country = series.countries[0] if series.countries else "US"
    return {"results": [{"iso_3166_1": country, "title": name, "type": ""} for name in series.other_names]}


def _external_ids(series: Series) -> Json:
    wikidata = f"Q{series.tmdb_id + 800_000_000}"
    return {**NO_IDS, "imdb_id": series.imdb_id, "tvdb_id": series.tvdb_id, "wikidata_id": wikidata}


def _season_ids(_: Series, season: Season) -> Json:
    return {**EMPTY_SEASON_PARTS["external_ids"], "tvdb_id": season.season_id + SEASON_TVDB_FROM}


PARTS: dict[str, Callable[[Series], Json]] = {
    "aggregate_credits": lambda series: aggregate_credits(series, series.numbered),
    "alternative_titles": _alternative_titles,
    "content_ratings": _content_ratings,
    "credits": lambda series: flat_credits(series, len(series.numbered)),
    "external_ids": _external_ids,
    "images": lambda series: images(series.tmdb_id, "tv-", series.language),
    "keywords": lambda series: {
        "results": [{"name": name, "id": stable_id("keyword", name)} for name in series.keywords]
    },
    "translations": _translations,
    "videos": lambda series: videos(series.tmdb_id, series.name, _iso(series.first_air_date) or ""),
}
SEASON_PARTS: dict[str, Callable[[Series, Season], Json]] = {
    "aggregate_credits": lambda series, season: aggregate_credits(series, (season,)),
    "credits": lambda series, season: flat_credits(series, season.number),
    "external_ids": _season_ids,
}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
