"""The films of each word: listed with the documents, seen by searches at once, made anew when many are due."""

import random
from collections.abc import Callable, Mapping, Sequence

import pytest

from movie_assets.database.migrations import migrate
from movie_assets.search.search_documents import DocumentAgreement, update_documents
from movie_assets_tests.support.made_films import Made, put
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]
PARTS = "select array_agg(distinct part order by part) from catalog.postings"
LISTED = """
select count(*) from (
    select w.key, unnest(w.films) from pipeline.films_of_words() w
    except select p.key, unnest(p.films) from catalog.postings p) missing
"""
ROWS = "select string_agg(key || part || films::text || xmin, ',' order by key, part) from catalog.postings"


@pytest.fixture
def written(small: Make) -> SmallPipeline:
    """Sixty films with their documents."""
    pipeline = small()
    put_films(pipeline.database, 1, 60)
    update_documents(pipeline.database)
    return pipeline


def retitle(pipeline: SmallPipeline, title: str, first: int, last: int) -> None:
    pipeline.do(
        f"update catalog.movies set overview = '{title}', text_hash = text_hash || '{title}' "
        f"where tmdb_id between {first} and {last}"
    )


def found(pipeline: SmallPipeline, text: str) -> list[int]:
    return sorted(pipeline.column(f"select tmdb_id from catalog.search_movies('{text}', 100)"))


def found_titles(pipeline: SmallPipeline, text: str) -> list[int]:
    both = '{"media_types": ["movie", "series"]}'
    return sorted(pipeline.column(f"select title_id from catalog.search_titles('{text}', 100, '{both}')"))


def test_a_film_is_listed_once_under_each_of_its_words(written: SmallPipeline) -> None:
    assert written.one(PARTS) == [0]
    assert written.one("select films from catalog.postings where key = 'film'") == list(range(1, 61))
    assert written.column("select key from pipeline.compare_postings() where differs") == []


def test_a_publication_without_change_writes_no_row(written: SmallPipeline) -> None:
    before = written.one(ROWS)
    update_documents(written.database)
    assert written.one(ROWS) == before


def test_a_few_films_are_added_to_the_others_with_their_documents(written: SmallPipeline) -> None:
    retitle(written, "zanzibar harbour", 3, 4)
    written.do("select * from pipeline.write_documents(0, 2000)")  # and then the process was killed
    assert found(written, "a harbour in zanzibar") == [3, 4]
    update_documents(written.database)
    assert found(written, "a harbour in zanzibar") == [3, 4]
    assert written.one(PARTS) == [0, 1]
    assert written.one("select films from catalog.postings where part = 1 and key = 'harbour'") == [3, 4]
    assert written.column("select key from pipeline.compare_postings() where differs") == []


def test_words_that_a_film_lost_do_not_find_it(written: SmallPipeline) -> None:
    retitle(written, "zanzibar", 3, 3)
    update_documents(written.database)
    retitle(written, "mombasa", 3, 3)
    update_documents(written.database)
    assert (found(written, "zanzibar"), found(written, "mombasa")) == ([], [3])


def test_more_than_a_tenth_of_the_films_is_merged_with_the_others(written: SmallPipeline) -> None:
    for number in range(1, 5):
        retitle(written, "zanzibar", 2 * number, 2 * number + 1)
        update_documents(written.database)
        assert found(written, "zanzibar") == list(range(2, 2 * number + 2))
    assert written.one(PARTS) == [0]
    retitle(written, "mombasa", 1, 30)
    update_documents(written.database)
    assert found(written, "mombasa") == list(range(1, 31))
    assert written.one(PARTS) == [0]


def test_films_that_left_are_merged_away(written: SmallPipeline) -> None:
    written.do("delete from catalog.movies where tmdb_id <= 2")
    update_documents(written.database)
    assert written.one("select films from catalog.postings where key = '' and part = 1") == [1, 2]
    assert not {1, 2} & set(found(written, "film"))
    written.do("delete from catalog.movies where tmdb_id <= 10")
    update_documents(written.database)
    assert written.one(PARTS) == [0]
    assert written.one("select films from catalog.postings where key = 'film'") == list(range(11, 61))


def test_work_that_was_cut_off_before_the_merge_is_done_by_the_next_publication(written: SmallPipeline) -> None:
    retitle(written, "zanzibar", 1, 30)
    written.do("select * from pipeline.write_documents(0, 2000)")  # and then the process was killed
    update_documents(written.database)
    assert found(written, "zanzibar") == list(range(1, 31))
    assert written.one(LISTED) == 0


def test_series_are_listed_in_a_page_of_their_own(written: SmallPipeline) -> None:
    put(written.database, tuple(Made(n, f"Zanzibar {n}", 2000, 5) for n in (1_000_000_003, 1_000_000_008)))
    retitle(written, "zanzibar", 3, 3)
    written.do("select * from pipeline.write_documents(0, 2000)")
    pages = "select array_agg(page order by page) from catalog.postings where key = 'zanzibar'"
    assert written.one(pages) == [0, 1]
    assert found(written, "zanzibar") == [3]
    assert found_titles(written, "zanzibar") == [3, 1_000_000_003, 1_000_000_008]
    assert written.column("select key from pipeline.compare_postings() where differs") == []
    written.do("select pipeline.merge_postings()")
    assert (written.one(PARTS), written.one(pages)) == ([0], [0, 1])
    assert found_titles(written, "zanzibar") == [3, 1_000_000_003, 1_000_000_008]
    assert written.database.fetch_one(DocumentAgreement, "document_agreement").documents_not_listed == 0


def test_films_that_are_not_listed_are_counted(written: SmallPipeline) -> None:
    written.do("update catalog.postings set films = films[2:] where key = ''")
    assert written.database.fetch_one(DocumentAgreement, "document_agreement").documents_not_listed == 1


def test_a_database_of_the_release_before_is_searched_as_soon_as_it_is_migrated(written: SmallPipeline) -> None:
    written.do("delete from catalog.postings")
    written.do("create index title_documents_words on catalog.title_documents using gin (words)")
    written.do("delete from movie_assets_schema where file = 'search/search_documents.sql'")
    migrate(written.database)
    assert found(written, "7") == [7]
    assert written.one("select to_regclass('catalog.title_documents_words')") is None
    assert written.one(LISTED) == 0


def test_a_view_on_the_signature_before_goes_on_working(written: SmallPipeline) -> None:
    """An application's view, and calls that the longer signature takes."""
    arguments = "query text, match_count integer, filters jsonb, query_embedding vector, in_set integer"
    written.do("drop function catalog.search_movies")
    written.do(
        f"create function catalog.search_movies({arguments}) returns table "
        "(tmdb_id bigint, title text, release_year smallint, score double precision, found_by text[]) "
        "language sql stable as 'select 1::bigint, ''before'', null::smallint, 1.0::double precision, null::text[]'"
    )
    written.do(
        "create view public.an_application as select s.* from catalog.search_movies('film', 3, '{}', null, null) s"
    )
    written.do("delete from movie_assets_schema where file = 'search/search_movies.sql'")
    migrate(written.database)
    assert written.column("select title from public.an_application") == written.column(
        "select title from catalog.search_movies('film', 3)"
    )
    assert written.one("select count(*) from pg_proc where proname = 'search_movies'") == 1
    written.do("delete from movie_assets_schema where file = 'search/search_movies.sql'")
    migrate(written.database)
    assert len(written.column("select title from public.an_application")) == 3


@pytest.mark.parametrize(
    "arguments",
    ["'film'", "'film', 3", "'film', '3', '{}'", "'film', '3', '{}', null, null",
     "'film', null, null, null, null, null", "'film', '3', '{}', null, null, '0.5'",
     "query => 'film', in_set => null", "'film', meaning_weight => '1'"],
)  # fmt: skip
def test_calls_with_and_without_the_weight_fit_one_function(written: SmallPipeline, arguments: str) -> None:
    assert len(written.column(f"select tmdb_id from catalog.search_movies({arguments})")) in (3, 10)


def test_films_of_common_words_alone_are_among_the_ranked_ones_only_if_their_sum_is_enough(small: Make) -> None:
    chance = random.Random(1)  # noqa: S311
    frequency = {"zanzibar": 0.03, "mombasa": 0.05, "lagoon": 0.1, "volcano": 0.3, "glacier": 0.5, "harbour": 0.9}
    pipeline = small()
    put_films(pipeline.database, 1, 60)
    pipeline.do("update catalog.movie_stats set vote_count = 5")
    words = {n: {w for w, share in frequency.items() if chance.random() < share} for n in range(1, 61)}
    for number, of_film in words.items():
        retitle(pipeline, " ".join(sorted(of_film)), number, number)
    update_documents(pipeline.database)
    for wanted in (1, 4, 20, 60) * 10:
        # Powers of two, so that a sum does not depend on its order.
        rarities = {word: 2.0 ** chance.randint(-2, 3) for word in chance.sample(sorted(frequency), 4)}
        without = chance.sample(range(1, 61), chance.choice((0, 3)))
        returned = pipeline.one(
            f"select catalog.films_with_words(array{list(rarities)}, array{list(rarities.values())}, 'true', "
            f"array{without}::bigint[], {wanted})"
        )
        assert returned == ranked(words, rarities, without, wanted), (rarities, without, wanted)


def ranked(
    words: Mapping[int, set[str]], rarities: Mapping[str, float], without: Sequence[int], most: int
) -> list[int]:
    """Return the films with the greatest sums, as catalog.films_with_words says, by adding up those of all films."""
    sums = {film: sum(rarities[word] for word in of_film & set(rarities)) for film, of_film in words.items()}
    sums = {film: known for film, known in sums.items() if known}
    best = sorted(sums.values(), reverse=True)[: most + len(without)]
    least = max(best[0] / 3, best[-1] if len(best) == most + len(without) else 0)
    enough = [film for film, known in sums.items() if known >= least and film not in without]
    return sorted(enough, key=lambda film: (-sums[film], film))[:most]
