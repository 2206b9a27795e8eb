"""The groups that films belong to: genres, years, decades, languages, countries, collections and people."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MIN_FILMS = 3  # of a person: a mean of fewer describes the films rather than the person


def membership_of(films: "pd.DataFrame", people: "pd.DataFrame | None" = None) -> "pd.DataFrame":
    """Return the groups of each film: genres, year, decade, language, countries, collection, people.

    `films` has title_id, genres and countries (lists), release_year, original_language and collection_id, which may be
    missing; `people` has title_id and person_id. Returns title_id, scope and key, each once.
    """
    import pandas as pd

    ids = films["title_id"]
    year = films["release_year"].astype("Int64")
    parts = {
        "genre": films[["title_id", "genres"]].explode("genres").rename(columns={"genres": "key"}),
        "year": pd.DataFrame({"title_id": ids, "key": year.astype("string")}),
        "decade": pd.DataFrame({"title_id": ids, "key": (year // 10 * 10).astype("string") + "s"}),
        "language": films[["title_id", "original_language"]].rename(columns={"original_language": "key"}),
        "country": films[["title_id", "countries"]].explode("countries").rename(columns={"countries": "key"}),
        "collection": pd.DataFrame({"title_id": ids, "key": films["collection_id"].astype("Int64").astype("string")}),
    }
    if people is not None:
        parts["person"] = pd.DataFrame({"title_id": people["title_id"], "key": people["person_id"].astype("string")})
    whole = pd.concat([part.dropna().assign(scope=scope) for scope, part in parts.items()], ignore_index=True)
    return whole.drop_duplicates()


def large_enough(groups: "pd.DataFrame") -> "pd.DataFrame":
    """Return the groups without the people who have fewer than MIN_FILMS films."""
    return groups[(groups["scope"] != "person") | (groups["films"] >= MIN_FILMS)]
