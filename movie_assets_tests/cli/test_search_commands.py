"""`movie-assets search`, `similar` and `recommend`."""

import json
import re

import psycopg
import pytest

from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.cli.commands import Call, Environment, expected_error, invoke


def test_a_search_finds_films_by_their_plot(call: Call) -> None:
    films = json.loads(call("search", "thieves", "rob", "a", "casino", "--json", "-n", "2").stdout)
    assert {film["tmdb_id"] for film in films} == {1, 2}
    assert films[0].keys() >= {
        "tmdb_id",
        "title",
        "release_year",
        "score",
        "found_by",
        "genres",
        "directors",
        "overview",
    }


@pytest.mark.parametrize(
    ("options", "ids"),
    [(["--genre", "Robots"], {3}), (["--language", "fr"], {4}), (["--to", "1999"], {4}),
     (["--from", "2000", "--language", "fr"], set()), (["--genre", "Robots", "--genre", "Drama"], {1, 2, 3, 4, 5}),
     (["--without-genre", "Drama"], {3}), (["--runtime-to", "99"], set()), (["--certification", "R"], set()),
     (["--country", "XX"], set()), (["--keyword", "no such"], set()), (["--person", "Nobody"], set()),
     (["--max-age", "21"], set()), (["--max-age", "21", "--certified-in", "DE"], set()),
     (["--min-votes", "900"], {1}), (["--min-average", "9.5"], set()), (["--runtime-from", "100"], {1, 2, 3, 4, 5})],
)  # fmt: skip
def test_a_search_can_be_narrowed(call: Call, options: list[str], ids: set[int]) -> None:
    assert {film["tmdb_id"] for film in json.loads(call("search", "film", "--json", *options).stdout)} == ids


def test_a_search_prints_title_year_and_director(call: Call) -> None:
    shown = call("search", "robots against mankind", "-n", "1").stdout
    assert "Iron Minds (2020) by Agnès Varda" in shown


def test_a_search_prints_why_a_film_was_found(call: Call) -> None:
    assert "(title: iron minds, meaning " in call("search", "iron minds", "-n", "1").stdout


def test_a_search_without_a_vector_of_the_text_compares_words_and_says_so(call: Call, environment: Environment) -> None:
    def set_provider(name: str) -> None:
        with psycopg.connect(str(environment["MOVIE_ASSETS_DATABASE_URL"]), autocommit=True) as connection:
            connection.execute("update pipeline.embedding_sets set provider = %s", [name])

    set_provider("openai")
    try:
        result = call("search", "iron", "mnids", "--json")
    finally:
        set_provider("local")
    assert [film["tmdb_id"] for film in json.loads(result.stdout)] == [3]
    assert "Searched by words only: " in result.stderr


def test_an_uncertain_title_is_refused_with_the_candidates(call: Call) -> None:
    sentence = expected_error(call("similar", "Big Iron Minds of Old"))
    assert "name one of these by its id: Iron Minds (2020), 3" in sentence


def test_similar_films_do_not_contain_the_film_itself(call: Call) -> None:
    films = json.loads(call("similar", "the", "heist", "--json").stdout)
    assert films[0]["title"] == "The Heist Returns"
    assert 1 not in {film["tmdb_id"] for film in films}


def test_a_film_can_be_named_by_its_id(call: Call) -> None:
    assert json.loads(call("similar", "2", "--json").stdout)[0]["tmdb_id"] == 1


def test_the_choice_for_an_inexact_title_is_printed(call: Call) -> None:
    message = call("similar", "heist", "--json").stderr
    assert "Taken as The Heist (2020), 1 (loose title)." in message


def test_percent_and_underscore_in_a_title_are_letters(call: Call) -> None:
    assert "like 100 % Luck" in call("similar", "100", "%", "luck").stdout
    assert "no film that is titled “_”" in expected_error(call("similar", "_"))


@pytest.mark.parametrize("title", ["No Such Film", "4242424242", "99999999999999999999999"])
def test_an_unknown_title_or_id_is_reported_in_one_sentence(call: Call, title: str) -> None:
    assert f"no film that is titled “{title}”" in expected_error(call("similar", title))


def test_recommendations_leave_the_named_films_out_and_have_reasons(call: Call) -> None:
    films = json.loads(call("recommend", "--loved", "The Heist", "--disliked", "5", "--json").stdout)
    assert films[0]["tmdb_id"] == 2
    assert {1, 5}.isdisjoint(film["tmdb_id"] for film in films)
    assert films[0]["because"] == "The Heist"
    assert "because you loved The Heist" in call("recommend", "--loved", "The Heist").stdout


def test_recommendations_for_somebody_need_a_watch_history(call: Call) -> None:
    assert "nobody called “me” has a watch history" in expected_error(call("recommend", "--for", "me"))


def test_recommendations_for_somebody_leave_out_seen_films(call: Call, environment: Environment) -> None:
    address = str(environment["MOVIE_ASSETS_DATABASE_URL"])
    with psycopg.connect(address) as connection:
        connection.execute(
            "insert into catalog.watch_histories (person, tmdb_id, source, rating) values ('ann', 1, 'list', 95)"
        )
    films = json.loads(call("recommend", "--for", "ann", "--json").stdout)
    assert films[0]["tmdb_id"] == 2
    assert 1 not in {film["tmdb_id"] for film in films}
    assert films[0]["reasons"][0]["how"] == "loved"
    assert "because you loved The Heist" in call("recommend", "--for", "ann").stdout
    assert "ann" in expected_error(call("recommend", "--for", "bob"))
    assert call("recommend", "--for", "ann", "--loved", "The Heist").exit_code == 2


def test_recommended_films_are_printed_with_the_score_that_orders_them(call: Call) -> None:
    scores = [film["score"] for film in json.loads(call("recommend", "--loved", "The Heist", "--json").stdout)]
    printed = re.findall(r"^  (-?\d\.\d\d)  ", call("recommend", "--loved", "The Heist").stdout, re.MULTILINE)
    assert [float(score) for score in printed] == pytest.approx(scores, abs=0.006)
    assert scores == sorted(scores, reverse=True)


def test_the_spelling_of_names_is_explained_only_after_a_filter_by_names(call: Call) -> None:
    assert call("recommend", "--from", "2100").stderr.strip().endswith("No film was found.")
    assert "Write genres and keywords as TMDB does" in call("recommend", "--genre", "comedies").stderr


@pytest.mark.parametrize("praise", ["--loved", "--liked"])
def test_a_film_cannot_be_liked_and_disliked(call: Call, praise: str) -> None:
    heist = json.loads(call("similar", "The Heist", "--json", "-n", "1").stdout)[0]["tmdb_id"]
    result = call("recommend", praise, str(heist), "--disliked", str(heist))
    assert result.exit_code == 2
    assert "named as disliked and as loved or liked: The Heist" in result.stderr


def test_without_any_film_popular_films_are_recommended(call: Call) -> None:
    assert len(json.loads(call("recommend", "--count", "3", "--json").stdout)) == 3


def test_an_unknown_film_cannot_be_loved(call: Call) -> None:
    assert "no film that is titled" in expected_error(call("recommend", "--loved", "Metropolis Reconsidered"))


def test_an_unknown_disliked_film_is_left_out_with_a_message(call: Call) -> None:
    result = call("recommend", "--loved", "The Heist", "--disliked", "Metropolis Reconsidered", "--json")
    assert result.exit_code == 0
    assert "Left out: the catalogue has no film that is titled “Metropolis Reconsidered”" in result.stderr
    assert json.loads(result.stdout)


@pytest.mark.parametrize("arguments", [("search", "whale"), ("similar", "Deep Water")])
@pytest.mark.parametrize("count", ["0", "-1"])
def test_a_count_below_one_is_a_usage_error(call: Call, arguments: tuple[str, ...], count: str) -> None:
    result = call(*arguments, "--count", count)
    assert result.exit_code == 2
    assert "--count" in result.stderr


@pytest.mark.parametrize("arguments", [("search", "whale"), ("similar", "Deep Water")])
def test_a_search_before_the_first_refresh_says_what_to_do(
    environment: Environment, empty_address: str, arguments: tuple[str, ...]
) -> None:
    result = invoke({**environment, "MOVIE_ASSETS_DATABASE_URL": empty_address}, *arguments)
    assert "run `movie-assets refresh` first" in expected_error(result)


def test_a_reranker_orders_the_films_and_its_silence_is_a_note(environment: Environment, service: TmdbEmulator) -> None:
    question = ("search", "thieves", "casino", "robots", "against", "mankind", "--json")
    plain = json.loads(invoke(environment, *question).stdout)
    reranker = {"MOVIE_ASSETS_RERANK_URL": service.rerank_url, "MOVIE_ASSETS_RERANK_KEY": "canary-of-the-key",
                "MOVIE_ASSETS_RERANK_MODEL": "rerank-v3.5", "MOVIE_ASSETS_RERANK_SECONDS": "10"}  # fmt: skip
    ranked = json.loads(invoke(environment | reranker, *question).stdout)
    assert {film["tmdb_id"] for film in ranked} == {film["tmdb_id"] for film in plain}
    scores = [film["score"] for film in ranked]
    assert scores == sorted(scores, reverse=True)
    assert scores != [film["score"] for film in plain]
    best = json.loads(invoke(environment | reranker, *question, "-n", "1").stdout)
    assert best == ranked[:1]
    service.faults = {"api_key": 1.0}
    try:
        result = invoke(environment | reranker, *question)
    finally:
        service.faults = {}
    assert json.loads(result.stdout) == plain
    assert "In the order of the search: the reranker answered HTTP 401 invalid api token" in result.stderr
    assert "canary-of-the-key" not in result.output


SERIES = """
insert into catalog.titles (title_id, title, original_title, release_date, overview, genres, keywords, directors,
    leading_cast, countries, embedding_text, text_hash, changed_at)
select 1000000001, 'Zeppelin Nurses', '', '2020-01-01', 'Nurses on a zeppelin at night.', '{}', '{}', '{}', '{}', '{}',
    t.words, 'hash', now() from (values ('Zeppelin Nurses. Nurses on a zeppelin at night.')) t (words);
insert into catalog.title_stats values (1000000001, 1, 7, 100, now());
insert into catalog.watched_titles (person, title_id, source, rating) values ('zoe', 1, 'list', 95);
insert into pipeline.title_embeddings (set_id, title_id, text_hash, embedding, embedded_at)
select 1, title_id, 'hash', catalog.hashed_vector(embedding_text, 64), now()
from catalog.titles where title_id = 1000000001;
select pipeline.refresh_vectors(1);
select pipeline.write_documents(0, 1000);
select pipeline.finish_documents();
"""


def test_series_are_found_and_recommended_where_they_are_asked_for(call: Call, environment: Environment) -> None:
    with psycopg.connect(str(environment["MOVIE_ASSETS_DATABASE_URL"]), autocommit=True) as connection:
        connection.execute(SERIES)
    assert "Zeppelin Nurses" in call("recommend", "--media", "series", "--loved", "The Heist").stdout
    assert "Zeppelin Nurses" in call("recommend", "--media", "series", "--for", "zoe").stdout
    assert "Zeppelin Nurses" not in call("recommend", "--loved", "The Heist").stdout
    (series,) = json.loads(call("search", "--media", "series", "zeppelin thieves", "--json").stdout)
    assert (series["title_id"], series["media_type"], series["tmdb_id"]) == (1_000_000_001, "series", 1)
    assert series["why"]["similarity"] > 0.3  # “thieves” is a word of movies only, and not in the question's vector
    for name in ("zeppelin nurses", "1"):
        films = json.loads(call("recommend", "--media", "movie", "--loved", name, "--json").stdout)
        assert {film["media_type"] for film in films} == {"movie"}
        assert films[0]["because"] == ("The Heist" if name == "1" else "Zeppelin Nurses")
