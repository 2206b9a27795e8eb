"""Where a title can be watched on a day: the part `watch/providers` of its details.

Offers come and go, and sometimes one is missing for a day, as at TMDB. The change feed names none of it.
"""

import zlib
from datetime import date

from movie_assets.emulator.shapes import Json

TITLES_WITH_OFFERS = 4  # one title in so many has offers
FEWEST_DAYS, MOST_DAYS = 30, 90  # after which an offer may come or go
CHANCE = 0.7  # that an offer is there
MISSING = 40  # on one of so many days an offer is missing
# Id and name of the providers by country: the same service can have another id in another country.
PROVIDERS = {
    "US": ((8, "Netflix"), (9, "Amazon Prime Video"), (337, "Disney Plus")),
    "GB": ((8, "Netflix"), (119, "Amazon Prime Video")),
    "DE": ((8, "Netflix"), (119, "Amazon Prime Video")),
}


def watch_providers(tmdb_id: int, media_type: str, day: date) -> Json:
    """Return the offers of a title on a day, by country."""
    if tmdb_id % TITLES_WITH_OFFERS:
        return {"results": {}}
    results = {}
    for country, providers in PROVIDERS.items():
        offered = [
            {"logo_path": "/stand-in.jpg", "provider_id": provider, "provider_name": name, "display_priority": place}
            for place, (provider, name) in enumerate(providers)
            if _is_offered(f"{media_type} {tmdb_id} {country} {provider}", day)
        ]
        if offered:
            results[country] = {"link": f"/{media_type}/{tmdb_id}/watch?locale={country}", "flatrate": offered}
    return {"results": results}


def _is_offered(offer: str, day: date) -> bool:
    if _chance(f"{offer} {day}") < 1 / MISSING:
        return False
    days = FEWEST_DAYS + int(_chance(offer) * (MOST_DAYS - FEWEST_DAYS))
    turn = (day.toordinal() + zlib.crc32(offer.encode())) // days
    return _chance(f"{offer} {turn}") < CHANCE


def _chance(words: str) -> float:
    return zlib.crc32(words.encode()) / 2**32
