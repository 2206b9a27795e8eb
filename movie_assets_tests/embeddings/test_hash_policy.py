"""What is paid for and searched, in whatever order texts move, films leave, services refuse and sets change.

A state machine does random things to a real Postgres and to a model of it; Hypothesis shortens what tells them apart.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from movie_assets.catalog.embedding_text import text_hash
from movie_assets.database.database import Database
from movie_assets.embeddings.embedder import RejectedInput, ResultChunk
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.sets import embedding_set
from movie_assets.embeddings.store import DueMovie, EmbeddingStore, Text, texts_of
from movie_assets.runs.partitions import BATCH_COUNT
from movie_assets_tests.support.rows import put_films

FILMS = st.integers(1, 3)
STORIES = [f"A story of {hero} and the sea" for hero in ("a pirate", "two sisters")]
STORY = st.integers(0, len(STORIES) - 1)  # few, so that films share them and texts come back
WIDTHS = (8, 16)  # of the two sets
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)
TELL = "update catalog.movies set embedding_text = %s, text_hash = %s where tmdb_id = %s"
EMPTY = "truncate catalog.titles, pipeline.title_embeddings, pipeline.refused_texts cascade"


@dataclass
class Refusal:
    """How often a text was refused, and until when it is left alone."""

    times: int
    until: datetime


class HashPolicy(RuleBasedStateMachine):
    """The model: what each film's text is, of which text its vector is in each set, and which vectors are searched."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.embedders = [LocalEmbedder("hashing-v1", width) for width in WIDTHS]
        self.now = NOON
        self.texts: dict[int, int] = {}
        self.vectors: dict[int, dict[int, int]] = defaultdict(dict)  # by set, by film
        self.searched: dict[int, dict[int, int]] = defaultdict(dict)
        self.refusals: dict[tuple[int, int], Refusal] = {}  # by set and story

    @initialize()
    def begin(self) -> None:
        self._do(EMPTY)
        self.sets = [embedding_set(self.database, embedder) for embedder in self.embedders]
        for set_id in self.sets:
            self.database.execute("refresh_vectors", set_id=set_id)
        self.wanted = 0

    @rule(film=FILMS, story=STORY)
    def a_text_comes_or_moves(self, film: int, story: int) -> None:
        self._put(film, story)

    @rule(film=FILMS)
    def a_film_leaves(self, film: int) -> None:
        self._do("delete from catalog.movies where tmdb_id = %s", film)
        self.texts.pop(film, None)

    @rule(wanted=st.integers(0, 1))
    def settings_name_a_set(self, wanted: int) -> None:
        self.wanted = wanted

    @rule(hours=st.sampled_from((0, 2, 3)), refused=st.frozensets(STORY), moves=st.none() | st.tuples(FILMS, STORY))
    def texts_are_embedded(self, hours: int, refused: frozenset[int], moves: tuple[int, int] | None) -> None:
        """Hours later, by a service that refuses some of them, while one of them may move."""
        self.now += timedelta(hours=hours)
        asked = self._asked_for()
        if moves is not None:
            self._put(*moves)
        self._keep(asked, refused)

    @rule()
    def a_run_is_killed_before_it_stores(self) -> None:
        self._asked_for()

    @rule()
    def vectors_are_published(self) -> None:
        for set_id in self.sets:
            self.database.execute("refresh_vectors", set_id=set_id)
            kept = {film: story for film, story in self.searched[set_id].items() if film in self.texts}
            fresh = {film: story for film, story in self.vectors[set_id].items() if self.texts.get(film) == story}
            self.searched[set_id] = kept | fresh

    @invariant()
    def vectors_are_those_of_the_model(self) -> None:
        for set_id, embedder in zip(self.sets, self.embedders, strict=True):
            paid = f"select tmdb_id, text_hash, embedding from pipeline.embeddings where set_id = {set_id}"
            searched = f"select title_id, text_hash, embedding::vector from catalog.title_vectors_{set_id}"
            self._compare(paid, self.vectors[set_id], embedder)
            self._compare(searched, self.searched[set_id], embedder)

    def _asked_for(self) -> list[Text]:
        """What a run would send, which has to be each due text once."""
        set_id = self.sets[self.wanted]
        texts = texts_of(
            self.database.fetch(
                DueMovie,
                "texts_to_embed",
                set_id=set_id,
                batches=list(range(BATCH_COUNT)),
                as_of=self.now,
                by_hand=False,
                force=False,
                forced_since=None,
            )
        )
        due = defaultdict(set)
        for film, story in self.texts.items():
            refusal = self.refusals.get((set_id, story))
            if self.vectors[set_id].get(film) != story and (refusal is None or refusal.until <= self.now):
                due[STORIES[story]].add(film)
        assert {text.text: {film for film, _ in text.films} for text in texts} == due
        return texts

    def _keep(self, texts: Sequence[Text], refused: frozenset[int]) -> None:
        """Store vectors of these texts but the refused ones."""
        set_id, embedder = self.sets[self.wanted], self.embedders[self.wanted]
        stories = [STORIES.index(text.text) for text in texts]
        taken = tuple(position for position, story in enumerate(stories) if story not in refused)
        rejected = tuple(
            RejectedInput(n, "odd_vector", "it is odd") for n, story in enumerate(stories) if story in refused
        )
        vectors = embedder.embed([texts[position].text for position in taken]).vectors
        chunk = ResultChunk(taken, vectors, tokens=0, dollars=0.0, rejected=rejected)
        EmbeddingStore(self.database, set_id, self.now, "a run").store(chunk, texts)
        for position, story in enumerate(stories):
            if story in refused:
                times = self.refusals[set_id, story].times + 1 if (set_id, story) in self.refusals else 1
                self.refusals[set_id, story] = Refusal(times, self.now + timedelta(hours=min(2**times, 7 * 24)))
                continue
            self.refusals.pop((set_id, story), None)
            for film, _ in texts[position].films:
                if self.texts.get(film) == story:
                    self.vectors[set_id][film] = story

    def _compare(self, query: str, expected: dict[int, int], embedder: LocalEmbedder) -> None:
        with self.database.transaction() as connection:
            found = connection.exec_driver_sql(query).fetchall()
        assert {film: of for film, of, _ in found} == {f: text_hash(STORIES[story]) for f, story in expected.items()}
        for film, _, vector in found:
            of_its_text = embedder.embed([STORIES[expected[film]]]).vectors[0]
            assert np.allclose(vector.to_numpy(), of_its_text, atol=1e-3)

    def _put(self, film: int, story: int) -> None:
        if film not in self.texts:
            put_films(self.database, film, film)
        self._do(TELL, STORIES[story], text_hash(STORIES[story]), film)
        self.texts[film] = story

    def _do(self, sql: str, *parameters: object) -> None:
        with self.database.transaction() as connection:
            connection.exec_driver_sql(sql, parameters or None)


def test_a_text_is_paid_for_when_it_is_another_one_and_searched_when_it_is_there(database: Database) -> None:
    class OnThisDatabase(HashPolicy):
        pass

    OnThisDatabase.database = database
    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(max_examples=100, stateful_step_count=30, deadline=None, derandomize=True, database=None),
    )
