"""Cards have the texts of a language, fall back to those of the catalogue, and say by two etags what changed."""

from typing import Any

from movie_assets.database.database import Database
from movie_assets_tests.support.rows import put_films

TRANSLATIONS = """
insert into catalog.title_translations (title_id, language, country, title, overview, tagline) values
(1, 'de', 'AT', 'Aus Wien', '', null), (1, 'de', 'DE', 'Aus Berlin', 'Eine Geschichte.', ''),
(3, 'fr', 'FR', 'Autre', null, null)
"""

SCORES = """
insert into catalog.rating_methods (method_version, media_type, is_current, says, parameters, computed_at) values
('movies', 'movie', true, '', '{}', now()), ('series', 'series', true, '', '{}', now()),
('former', 'series', false, '', '{}', now());
insert into catalog.rating_aggregates
    (method_version, scope, key, votes, films, score, score_low, score_high, source_scores, computed_at)
select method_version, 'film', key, 9, 1, score, score - 5, score + 5, '{}', now()
from (values ('series', '1000001399', 71.5), ('former', '1000001399', 33), ('movies', '1399', 44))
    s (method_version, key, score)
"""


def cards(database: Database, ids: str, language: str = "en") -> list[Any]:
    with database.transaction() as connection:
        return list(connection.exec_driver_sql(f"select * from catalog.cards('{ids}', '{language}')").all())


def do(database: Database, sql: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(sql)


def test_cards_have_texts_in_a_language_and_change_their_etags_with_what_they_show(database: Database) -> None:
    put_films(database, 1, 3)
    do(database, TRANSLATIONS)
    found = cards(database, "{3,9,1,3}", "de")
    assert [(card.title_id, card.key) for card in found] == [(3, "movie:3"), (1, "movie:1")]
    one = found[1].payload
    assert (one["title"], one["overview"]) == ("Aus Berlin", "Eine Geschichte.")
    assert one["languages"] == {"title": "de", "overview": "de"}
    assert (found[0].payload["title"], found[0].payload["languages"]) == ("Film 3", {"title": "fr"})
    assert cards(database, "{1}", "de-AT")[0].payload["title"] == "Aus Wien"
    assert cards(database, "{3}", "fr")[0].payload["title"] == "Film 3"  # its original title
    assert one["numbers"] == {"vote_average": 6.0 + 1 / 10, "vote_count": 101, "popularity": 5}
    assert found[1].short_payload == {"key": "movie:1", "title": "Aus Berlin", "year": 1990, "vote_average": 6.1}

    do(database, "update catalog.title_stats set vote_count = 500 where title_id = 1")
    voted = cards(database, "{1}", "de")[0]
    assert (voted.facts_etag == found[1].facts_etag, voted.numbers_etag == found[1].numbers_etag) == (True, False)
    do(database, "update catalog.title_translations set overview = 'Anders.' where title_id = 1")
    translated = cards(database, "{1}", "de")[0]
    assert (translated.facts_etag == voted.facts_etag, translated.numbers_etag == voted.numbers_etag) == (False, True)
    assert cards(database, "{1}")[0].facts_etag != translated.facts_etag


def test_a_series_has_a_card_with_its_score_once_it_has_one(database: Database) -> None:
    do(
        database,
        "insert into catalog.titles (title_id, title, original_title, genres, keywords, directors, leading_cast, "
        "countries, embedding_text, text_hash, changed_at) "
        "values (1000001399, 'S', 'S', '{}', '{}', '{}', '{}', '{}', '', '', now())",
    )
    (card,) = cards(database, "{1000001399}")
    assert (card.key, card.payload["media_type"], card.payload["tmdb_id"], card.payload["numbers"]) == (
        "series:1399", "series", 1399, {},
    )  # fmt: skip
    do(database, SCORES)
    (scored,) = cards(database, "{1000001399}")
    assert scored.payload["numbers"] == {"score": 71.5}, "the score of the current method of series"
    assert (scored.facts_etag == card.facts_etag, scored.numbers_etag == card.numbers_etag) == (True, False)
