from movie_assets.search.comparison_sample import SampledMovie, question_and_rest, sample_of

FIRST = "A retired keeper finds a letter in an old lighthouse."
SECOND = "It leads her across the sea to a brother she never knew."


def movie(tmdb_id: int = 1, overview: str | None = f"{FIRST} {SECOND}", **changes: object) -> SampledMovie:
    title = str(changes.get("title", "Beacon"))
    text = f"{title} (2020). {' '.join((overview or '').split())} Genres: Drama."
    collection = changes.get("collection_id")
    return SampledMovie(tmdb_id, title, overview, text, collection if isinstance(collection, int) else None)


def test_a_question_is_a_sentence_that_the_films_text_no_longer_has() -> None:
    split = question_and_rest(movie())
    assert split is not None
    question, rest = split
    assert question in (FIRST, SECOND)
    assert question not in rest
    assert rest.startswith("Beacon (2020). ")
    assert rest.endswith("Genres: Drama.")
    assert split == question_and_rest(movie())


def test_different_films_give_different_sentences() -> None:
    splits = [question_and_rest(movie(number)) for number in range(20)]
    assert {split[0] for split in splits if split} == {FIRST, SECOND}


def test_a_question_has_no_word_of_the_title_that_says_something() -> None:
    split = question_and_rest(movie(title="The Lighthouse"))
    assert split is not None
    assert split[0] == SECOND
    assert question_and_rest(movie(title="It")) == (FIRST, f"It (2020). {SECOND} Genres: Drama.")
    assert question_and_rest(movie(title="Lighthouse of the Brother")) is None


def test_an_overview_of_one_sentence_is_halved() -> None:
    halves = ("Two brothers who never spoke inherit a ferry and", "have to cross the strait before the first storm.")
    question, rest = question_and_rest(movie(overview=" ".join(halves))) or ("", "")
    assert question in halves
    assert sum(half in rest for half in halves) == 1
    assert question not in rest


def test_a_short_overview_gives_no_question() -> None:
    for overview in (None, "", FIRST, f"{FIRST} Soon.", f"{FIRST}\n", 100 * "x"):
        assert question_and_rest(movie(overview=overview)) is None


def test_an_overview_that_the_text_has_only_in_part_gives_no_question() -> None:
    assert question_and_rest(movie()._replace(embedding_text="Beacon (2020).")) is None


def test_line_breaks_in_an_overview_are_no_obstacle() -> None:
    assert question_and_rest(movie(overview=f"{FIRST}\n\n{SECOND}")) == question_and_rest(movie())


def test_a_sample_has_so_many_questions_and_whole_texts_of_the_others() -> None:
    movies = [movie(1), movie(2, overview=None), movie(3), movie(4)]
    sample = sample_of(movies, 2)
    assert [question.place for question in sample.questions] == [0, 2]
    assert [text == each.embedding_text for text, each in zip(sample.texts, movies, strict=True)] == [
        False, True, False, True,
    ]  # fmt: skip


def test_the_others_of_a_collection_are_right_and_a_collection_of_one_counts_for_nothing() -> None:
    movies = [movie(1, collection_id=7), movie(2), movie(3, collection_id=7), movie(4, collection_id=8)]
    assert sample_of(movies, 2).franchises == {0: frozenset({2}), 2: frozenset({0})}
