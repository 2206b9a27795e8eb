"""Texts of titles in the languages of an application, where each came from, and the check that counts them."""

from collections.abc import Callable

from movie_assets.database.database import Database
from movie_assets_tests.conftest import failed_checks, figures
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
SERIES_FROM = 1_000_000_000
# Film 1 is in English; film 3 and series 6 are French ones, of which TMDB has an English title of the series alone.
TEXTS = """
update catalog.titles set overview = 'In English.', tagline = 'Of us.', poster_path = '/1.jpg' where title_id = 1;
update catalog.titles set title = 'The Sea' where title_id = 1000000006;
insert into catalog.title_translations (title_id, language, country, title, overview, tagline) values
(1, 'de', 'AT', 'Aus Wien', '', null), (1, 'de', 'DE', 'Aus Berlin', 'Eine Geschichte.', ''),
(1, 'pt', 'BR', 'Do Brasil', null, 'Nossa.'), (1, 'en', 'GB', 'From London', 'In Britain.', null),
(3, 'fr', 'CA', 'Du Canada', 'En français.', null), (3, 'ja', 'JP', 'Japan', 'Nihon.', null),
(1000000006, 'de', 'DE', null, 'Das Meer.', null), (1000000006, 'fr', 'FR', null, 'La mer.', 'Bleue.')
"""
Texts = list[tuple[object, ...]]


def localized(database: Database, ids: str, languages: str) -> Texts:
    """Title, overview and tagline of titles, each with its language."""
    columns = "title_id, title, title_language, overview, overview_language, tagline, tagline_language"
    with database.transaction() as connection:
        rows = connection.exec_driver_sql(f"select {columns} from catalog.localized('{ids}', '{languages}')")
        return [tuple(row) for row in rows]


def test_each_text_is_in_the_first_language_that_has_it(database: Database) -> None:
    put_films(database, 1, 3)
    put_films(database, SERIES_FROM + 6, SERIES_FROM + 6)
    with database.transaction() as connection:
        for statement in TEXTS.split(";"):
            connection.exec_driver_sql(statement)

    def of_one(languages: str) -> tuple[object, ...]:
        ((_, *texts),) = localized(database, "{1}", languages)
        return tuple(texts)

    english = ("Of us.", "en")
    assert of_one("{de}") == ("Aus Berlin", "de", "Eine Geschichte.", "de", *english)
    assert of_one("{de-AT}") == ("Aus Wien", "de", "Eine Geschichte.", "de", *english)
    assert of_one("{DE-at}") == of_one("{de-AT}")
    assert of_one("{pt,de}") == ("Do Brasil", "pt", "Eine Geschichte.", "de", "Nossa.", "pt")
    assert of_one("{de,pt}") == ("Aus Berlin", "de", "Eine Geschichte.", "de", "Nossa.", "pt")
    assert of_one("{en}") == of_one("{}") == of_one("{xx}") == ("Film 1", "en", "In English.", "en", *english)
    assert of_one("{en-GB}") == ("From London", "en", "In Britain.", "en", *english)
    # The original language is the last one, unless it was asked for; others are never shown.
    french = ("Film 3", "fr", "En français.", "fr", None, None)
    series = ("The Sea", "en", "Das Meer.", "de", "Bleue.", "fr")
    assert localized(database, "{1000000006,9,3,3}", "{de}") == [(SERIES_FROM + 6, *series), (3, *french)]
    assert localized(database, "{3}", "{fr-CA}")[0][1:3] == ("Du Canada", "fr")
    assert localized(database, "{3}", "{ja}")[0][1:5] == ("Japan", "ja", "Nihon.", "ja")
    assert localized(database, "{1000000006}", "{fr}")[0][1:3] == ("Film 6", "fr")
    with database.transaction() as connection:
        posters = "select poster_path from catalog.localized('{1,3}', '{de}')"
        assert list(connection.exec_driver_sql(posters).scalars()) == ["/1.jpg", None]


def translated(tmdb_id: int, **overviews: str) -> dict[str, object]:
    translations = [
        {"iso_3166_1": language.upper(), "iso_639_1": language, "data": {"overview": text}}
        for language, text in overviews.items()
    ]
    return film(tmdb_id, translations={"translations": translations})


def test_a_language_that_few_titles_have_is_named(small: Make) -> None:
    pipeline = small(
        translated(64, de="Ein Text."), translated(128, de="Ein Text.", fr="Un texte."), translated(192, fr="")
    )
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.with_settings(languages="EN, de de")
    assert "texts_are_in_all_languages" not in failed_checks(pipeline.run("reconcile"))
    pipeline.with_settings(languages="en de fr")
    result = pipeline.run("reconcile")
    assert "texts_are_in_all_languages" in failed_checks(result)
    (said,) = [
        e.description for e in result.get_asset_check_evaluations() if e.check_name == "texts_are_in_all_languages"
    ]
    assert said == "1 of 3 titles (movie) have a plot in fr"
    rows = figures(result, "texts_are_in_all_languages")["texts"]
    assert [(row["language"], row["with a plot"], row["with a poster"]) for row in rows] == [
        ("en", 3, 3), ("de", 2, 3), ("fr", 1, 3),
    ]  # fmt: skip
