"""Reading filter profiles: those of the project and those of a user's own TOML file.

`config.filter_profiles` defines the conditions of a profile.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from movie_assets.config.filter_profiles import RULES_OF, FilterProfile, FilterProfiles

LISTS = {"languages": "language", "types": "type", "statuses": "status"}
BUNDLED = Path(__file__).with_name("profiles.toml")
KEYS = {field.name for field in fields(FilterProfile)} - {"name"}


def profiles_of(names: Sequence[str], file: Path | None = None, media: str = "movie") -> FilterProfiles:
    """Return the named profiles, which are for titles of a media type.

    Raises ValueError with one sentence that says what to change.
    """
    tables = _tables(BUNDLED) | (_tables(file) if file else {})
    for name in names:
        if name not in tables:
            raise ValueError(f"there is no profile {name}; known are {', '.join(_of_media(tables, media))}")
    if not names:
        raise ValueError("no profile is named")
    profiles = tuple(_profile(name, tables[name]) for name in dict.fromkeys(names))
    for profile in profiles:
        if profile.media != media:
            raise ValueError(f'profile {profile.name} has media = "{profile.media}"; it has to be "{media}" here')
    return FilterProfiles(profiles)


def _of_media(tables: Mapping[str, object], media: str) -> list[str]:
    """Return the names of the profiles for titles of a media type."""
    return [
        name for name, table in tables.items()
        if (table.get("media", "movie") if isinstance(table, dict) else "movie") == media
    ]  # fmt: skip


def _tables(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is not TOML ({error})") from None


def _profile(name: str, table: object) -> FilterProfile:
    if not isinstance(table, dict):
        raise ValueError(f"{name} is no table of a profile file; a profile begins with [{name}]")  # noqa: TRY004
    if unknown := table.keys() - KEYS:
        raise ValueError(f"profile {name} has {', '.join(sorted(unknown))}; known are {', '.join(sorted(KEYS))}")
    for key, value in table.items():
        _require_usable(name, key, value)
    try:
        profile = TypeAdapter(FilterProfile).validate_python({"name": name, **table})
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"profile {name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if profile.media == "movie" and (profile.types or profile.statuses):
        raise ValueError(f'profile {name}: only series have types and statuses; add media = "series"')
    if profile.max_runtime is not None and profile.min_runtime > profile.max_runtime:
        raise ValueError(f"profile {name}: min_runtime is greater than max_runtime")
    return profile


def _require_usable(name: str, key: str, value: object) -> None:
    """Raise ValueError for a value that no title can be compared with."""
    if value == [] and key in LISTS:
        raise ValueError(f"profile {name}: {key} is empty, which no film passes; leave it out for any {LISTS[key]}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"profile {name}: {key} is {value}, which is no number that a film can be compared with")
    if isinstance(value, int | float) and value < 0:
        raise ValueError(f"profile {name}: {key} is {value}; it cannot be below 0")
    if key == "media" and value not in RULES_OF:
        raise ValueError(f"profile {name}: media is none of {', '.join(RULES_OF)}")
