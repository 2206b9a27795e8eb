"""From a response to what is stored of a film, and the name of the parser and template that did it."""

import pytest

from movie_assets.catalog import eligibility as rules
from movie_assets.catalog.eligibility import derivation_name, derive
from movie_assets.catalog.embedding_text import embedding_text, text_hash
from movie_assets.tmdb.json_values import UnusableResponseError
from movie_assets_tests.tmdb.bodies import details


def test_the_text_and_its_hash_are_the_films() -> None:
    derived = derive(details(), 603)
    assert (derived.text, derived.text_hash) == (embedding_text(derived.movie), text_hash(derived.text))


def test_a_response_about_another_film_is_refused() -> None:
    with pytest.raises(UnusableResponseError):
        derive(details(id=604), 603)


@pytest.mark.parametrize(("name", "value"), [("PARSER_VERSION", 99), ("TEMPLATE", "film-v99")])
def test_parser_and_template_move_the_name(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    before = derivation_name()
    monkeypatch.setattr(rules, name, value)
    assert derivation_name() != before
