"""The tables of the scores show the right figures, with no films as well."""

import numpy as np

from movie_assets.ratings.score_tables import distribution_table, votes_table


def test_each_film_is_in_one_row_of_the_distribution() -> None:
    rows = [record.data for record in distribution_table(np.array([0.0, 9.9, 10.0, 55.0, 100.0])).records]
    assert [row["score"] for row in rows][:2] == ["0-10", "10-20"]
    assert {row["score"]: row["films"] for row in rows if row["films"]} == {
        "0-10": 2, "10-20": 1, "50-60": 1, "90-100": 1,
    }  # fmt: skip
    assert rows[0]["share"] == "40.0%"
    assert len(str(rows[0]["bar"])) > len(str(rows[1]["bar"])) > 0 == len(str(rows[2]["bar"]))


def test_scores_are_summed_up_for_each_power_of_ten_of_votes() -> None:
    table = votes_table(np.array([0.0, 1.0, 9.0, 10.0, 2000.0]), np.array([50.0, 60.0, 70.0, 80.0, 90.0]))
    assert [tuple(record.data.values()) for record in table.records] == [
        ("1 to 9", 3, 52.0, 60.0, 68.0),
        ("10 to 99", 1, 80.0, 80.0, 80.0),
        ("1,000 to 9,999", 1, 90.0, 90.0, 90.0),
    ]


def test_no_films_make_a_table_without_films() -> None:
    nothing = np.array([])
    assert sum(int(str(record.data["films"])) for record in distribution_table(nothing).records) == 0
    assert not votes_table(nothing, nothing).records
