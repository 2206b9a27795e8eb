"""The text that is embedded: its shape, what moves it, and that SQL hashes it the same."""

import hashlib
import unicodedata
from datetime import date
from typing import Any

import pytest

from movie_assets.catalog.embedding_text import LONGEST_OVERVIEW, MAX_KEYWORDS, TEMPLATE, embedding_text, text_hash
from movie_assets.database.database import Database
from movie_assets.embeddings.checks import StaleVectors
from movie_assets.embeddings.sets import SetId
from movie_assets_tests.tmdb.bodies import details, film, sent

EMPTY: dict[str, Any] = {"overview": "", "genres": [], "keywords": None, "credits": None}
FEW_TOKENS = 4 * 8191  # characters that fit into OpenAI's 8,191 tokens for an input, in English


def text_of(**changes: Any) -> str:
    return embedding_text(film(**changes))


def test_the_template_puts_everything_into_one_paragraph() -> None:
    assert text_of() == (
        "The Matrix (1999). Set in the 22nd century, The Matrix tells the story of a computer hacker. "
        "Genres: Action, Science Fiction. Keywords: artificial intelligence, philosophy. "
        "Directed by Lana Wachowski, Lilly Wachowski. Starring Keanu Reeves, Laurence Fishburne."
    )


def test_clauses_without_content_are_left_out() -> None:
    assert text_of(**EMPTY) == "The Matrix (1999)."


def test_an_unknown_year_is_left_out() -> None:
    assert text_of(**EMPTY, release_date="") == "The Matrix."


@pytest.mark.parametrize(
    ("change", "left_out"),
    [
        ({"genres": []}, "Genres"),
        ({"keywords": None}, "Keywords"),
        ({"credits": None}, "Directed"),
        ({"credits": None}, "Starring"),
    ],
)
def test_an_empty_clause_has_no_label(change: dict[str, Any], left_out: str) -> None:
    assert left_out not in text_of(**change)


def test_line_breaks_and_runs_of_blanks_become_one_blank() -> None:
    assert text_of(**{**EMPTY, "overview": "One\r\n\r\n two\t\u00a0three "}) == "The Matrix (1999). One two three"


def test_invisible_characters_are_left_out() -> None:
    assert text_of(**EMPTY, title="\u202eThe\u200b Mat\u200drix\ufeff") == "The Matrix (1999)."


def test_two_ways_to_write_an_accent_give_the_same_text() -> None:
    assert text_of(title="Ame\u0301lie") == text_of(title="Am\u00e9lie")


@pytest.mark.parametrize("overview", ["Ame\u0301lie", "Ame\u200b\u0301lie"])
def test_the_text_is_in_normal_form_c(overview: str) -> None:
    assert unicodedata.is_normalized("NFC", text_of(overview=overview))


def test_a_long_overview_is_cut() -> None:
    assert len(text_of(**{**EMPTY, "overview": "x" * 10_000})) == LONGEST_OVERVIEW + len("The Matrix (1999). ")


def test_only_the_first_keywords_directors_and_leads_are_named() -> None:
    text = text_of(
        keywords={"keywords": [{"id": 1 + number, "name": f"k{number:02}"} for number in range(30)]},
        credits={
            "crew": [{"name": f"D{number}", "job": "Director"} for number in range(5)],
            "cast": [{"name": f"A{number}", "order": number} for number in range(9)],
        },
    )
    assert f"k{MAX_KEYWORDS - 1}." in text
    assert f"k{MAX_KEYWORDS}" not in text
    assert text.endswith("Directed by D0, D1. Starring A0, A1, A2.")


@pytest.mark.parametrize(
    "change",
    [
        {"keywords": {"keywords": [{"name": "k" * 50_000}]}},
        {"genres": [{"name": "g" * 50_000}]},
        {"credits": {"crew": [{"name": "d" * 50_000, "job": "Director"}]}},
        {"credits": {"cast": [{"name": "a" * 50_000, "order": 0}]}},
    ],
    ids=["keyword", "genre", "director", "actor"],
)
def test_no_name_makes_a_text_longer_than_a_model_takes(change: dict[str, Any]) -> None:
    assert len(text_of(**change)) < FEW_TOKENS


@pytest.mark.parametrize(
    "change",
    [
        {"popularity": 1.0},
        {"vote_count": 1, "vote_average": 1.0},
        {"revenue": 1, "budget": 1},
        {"poster_path": "/other.jpg", "backdrop_path": None},
        {"status": "Rumored", "tagline": "Other"},
        {"release_date": "1999-12-24"},
        {"runtime": 99},
    ],
    ids=str,
)
def test_what_moves_without_meaning_does_not_move_the_text(change: dict[str, Any]) -> None:
    assert text_of(**change) == text_of()


def test_the_order_of_genres_and_keywords_does_not_move_the_text() -> None:
    body = details()
    body["genres"].reverse()
    body["keywords"]["keywords"].reverse()
    assert embedding_text(sent(body)) == text_of()


def test_with_many_keywords_their_order_decides_nothing() -> None:
    names = [{"name": f"keyword {number}"} for number in range(40)]
    assert text_of(keywords={"keywords": names}) == text_of(keywords={"keywords": names[::-1]})


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Matrix"},
        {"overview": "Another story."},
        {"genres": [{"name": "Action"}]},
        {"keywords": {"keywords": [{"name": "philosophy"}]}},
        {"release_date": date(2000, 1, 1).isoformat()},
    ],
    ids=str,
)
def test_what_has_meaning_moves_the_hash(change: dict[str, Any]) -> None:
    assert text_hash(text_of(**change)) != text_hash(text_of())


def test_the_hash_covers_the_templates_name() -> None:
    assert text_hash("a") == hashlib.sha256(f"{TEMPLATE}\na".encode()).hexdigest()


MOMENT = "2026-10-05 12:00+00"
MOVIE = """
insert into catalog.movies (
    tmdb_id, title, original_title, genres, keywords, directors, leading_cast, countries,
    embedding_text, text_hash, changed_at
) values (%(id)s, 'a', 'a', '{}', '{}', '{}', '{}', '{}', %(text)s, %(hash)s, now())
"""
STEP = """
insert into pipeline.run_log (run_id, job, step, trigger, triggered_by, moment, started_at, ended_at, status)
values (%(run)s, '', %(step)s, 'sensor', '', now(), '2026-10-05 12:00+00',
    cast(%(ended)s as timestamptz), case when cast(%(ended)s as text) is null then 'running' else 'succeeded' end)
"""
VECTOR = "insert into pipeline.embeddings values (%(set)s, %(id)s, default, %(hash)s, '[1,0,0,0,0,0,0,0]', now())"
SET = {"provider": "local", "former_provider": "local", "model": "m", "dimensions": 8, "template": TEMPLATE}
TEXTS = [
    "plain",
    "",
    "Amélie (2001).",
    "फ़िल्म 映画 🎬",
    "line\nbreak",
    "back\\slash 'quote' \"double\" %s :name",
    "a" * 9000,
]


def test_sql_computes_the_same_hash(database: Database) -> None:
    (made,) = database.execute_returning(SetId, "ensure_set", **SET)
    with database.transaction() as connection:
        for number, text in enumerate(TEXTS, 1):
            row = {"id": number, "text": text, "hash": text_hash(text), "set": made.set_id}
            connection.exec_driver_sql(MOVIE, row)
            connection.exec_driver_sql(VECTOR, row)
    assert (
        database.fetch(
            StaleVectors,
            "stale_vectors",
            set_id=made.set_id,
            template=TEMPLATE,
            as_of=MOMENT,
            batches=[1],
            planned=[],
            run_id="",
        )
        == []
    )


def test_sql_notices_a_vector_of_another_text(database: Database) -> None:
    (made,) = database.execute_returning(SetId, "ensure_set", **SET)
    row = {"id": 65, "text": "new", "hash": text_hash("old"), "set": made.set_id}
    with database.transaction() as connection:
        connection.exec_driver_sql(MOVIE, row)
        connection.exec_driver_sql(VECTOR, row)
    stale = database.fetch_one(
        StaleVectors,
        "stale_vectors",
        set_id=made.set_id,
        template=TEMPLATE,
        as_of=MOMENT,
        batches=[1],
        planned=[],
        run_id="",
    )
    assert (stale.batch, stale.films) == (1, 1)


@pytest.mark.parametrize(
    ("batches", "planned", "fetched_until", "expected"),
    [
        ([1], [], None, (0, 1)), ([1], [], "2026-10-05 12:00:01+00", (0, 1)),
        ([1], [], "2026-10-05 11:59:59+00", (1, 0)), ([1], [text_hash("new")], None, (1, 0)), ([2], [], None, (1, 0)),
    ],
)  # fmt: skip
def test_only_a_text_that_a_run_fetched_meanwhile_is_the_next_runs(
    batches: list[int], planned: list[str], fetched_until: str | None, expected: tuple[int, int], database: Database
) -> None:
    (made,) = database.execute_returning(SetId, "ensure_set", **SET)
    with database.transaction() as connection:
        connection.exec_driver_sql(MOVIE, {"id": 65, "text": "new", "hash": text_hash("new")})
        connection.exec_driver_sql(VECTOR, {"id": 65, "hash": text_hash("old"), "set": made.set_id})
        connection.exec_driver_sql(STEP, {"run": "ours", "step": "movie_embeddings", "ended": None})
        connection.exec_driver_sql(STEP, {"run": "another", "step": "movie_details", "ended": fetched_until})
    stale = database.fetch_one(
        StaleVectors,
        "stale_vectors",
        set_id=made.set_id,
        template=TEMPLATE,
        as_of=MOMENT,
        batches=batches,
        planned=planned,
        run_id="ours",
    )
    assert (stale.films, stale.came_later) == expected
