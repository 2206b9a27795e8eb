"""Settings of webhooks: the subscriptions that receive events of the catalogue. settings.py reads them."""

import json
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from movie_assets.config.setting_values import fits_a_header, is_a_key, is_a_secret_address


def _is_a_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]{1,40}", name):
        raise ValueError("a name has 1 to 40 of a-z, 0-9, _ and -")
    return name


def _is_a_kind(kind: str) -> str:
    if not re.fullmatch(r"[a-z][a-z_]{1,39}", kind):
        raise ValueError("a kind of events is a word such as new_episode")
    return kind


class Webhook(BaseModel, defer_build=True):
    """A subscription: where events are posted to, the key that signs them, and which events; without a choice all."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, AfterValidator(_is_a_name)]
    url: Annotated[SecretStr, AfterValidator(is_a_secret_address)]
    key: Annotated[SecretStr, AfterValidator(fits_a_header), AfterValidator(is_a_key)]
    kinds: tuple[Annotated[str, AfterValidator(_is_a_kind)], ...] = ()
    media: tuple[Literal["movie", "series"], ...] = ()


def _of_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        listed = json.loads(value)
    except ValueError:
        listed = None
    if not isinstance(listed, list):
        raise ValueError('it is a JSON list: [{"name": "shop", "url": "https://…", "key": "whsec_…"}]')  # noqa: TRY004
    return tuple(listed)


def _have_names_of_their_own(webhooks: tuple[Webhook, ...]) -> tuple[Webhook, ...]:
    if len({each.name for each in webhooks}) < len(webhooks):
        raise ValueError("two subscriptions have the same name")
    return webhooks


class WebhookSettings(BaseModel, defer_build=True):
    """The part of the configuration that is about webhooks."""

    webhooks: Annotated[tuple[Webhook, ...], BeforeValidator(_of_json), AfterValidator(_have_names_of_their_own)] = (
        Field(
            (),
            alias="MOVIE_ASSETS_WEBHOOKS",
            description="Subscriptions to the catalogue's events, a JSON list: "
            '`[{"name": "shop", "url": "https://…", "key": "whsec_…", "kinds": ["added"], "media": ["movie"]}]`. '
            "`kinds` and `media` may be left out ([applications.md](applications.md)). Unset: none.",
        )
    )
