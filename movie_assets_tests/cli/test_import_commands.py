"""`movie-assets import`, `review` and `forget`."""

import json
import re
from pathlib import Path

import pytest

from movie_assets_tests.cli.commands import Call, expected_error


def test_an_import_is_reported_and_ambiguous_names_can_be_decided(call: Call, tmp_path: Path) -> None:
    watched = tmp_path / "watched.csv"
    watched.write_text("Date,Name,Year,Letterboxd URI\n2026-01-01,Iron Minds,2020,u\n2026-01-01,Deep Watre,1999,v\n")
    shown = call("import", str(watched), "--person", "ann").stdout
    assert "letterboxd of ann: watched.csv" in shown
    assert "ambiguous: Deep Watre (1999)" in shown
    (report,) = json.loads(call("import", str(watched), "--person", "ann", "--json").stdout)
    assert (report["by_title"], report["ambiguous"], report["changed"], report["unchanged"]) == (1, 1, 0, 1)
    assert "Deep Water (1999), 4: mistyped title" in call("review").stdout
    (review,) = json.loads(call("review", "--json").stdout)
    decided = call("review", str(review["review_id"]), "4").stdout
    assert "Deep Watre (1999) is Deep Water, for all persons who used the name (1)." in decided
    (report,) = json.loads(call("import", str(watched), "--person", "ann", "--json").stdout)
    assert (report["by_decision"], report["changed"], report["unchanged"]) == (1, 0, 2)
    assert "There is nothing to decide." in call("review").stderr
    assert "is none of the films" in call("review", str(review["review_id"]), "none").stdout


def test_a_decision_can_be_shown_and_taken_back_and_needs_a_known_film(call: Call, tmp_path: Path) -> None:
    watched = tmp_path / "watched.csv"
    watched.write_text("Date,Name,Year,Letterboxd URI\n2026-01-01,Deep Waterr,1999,v\n")
    call("import", str(watched))
    (review,) = [row for row in json.loads(call("review", "--json").stdout) if row["name"] == "Deep Waterr (1999)"]
    number = str(review["review_id"])
    refused = expected_error(call("review", number, "99999999"))
    assert "99999999 is no candidate of review" in refused
    assert "nothing was decided" in refused
    assert json.loads(call("review", number, "--json").stdout) == [review]
    assert (review["status"], review["decision"]) == ("open", None)
    call("review", number, "4")
    assert "decided: Deep Water" in call("review", number).stdout
    assert "is to be decided again, for all persons who used the name (1)" in call("review", number, "open").stdout
    assert review in json.loads(call("review", "--json").stdout)
    call("review", number, "none")


def test_a_file_that_cannot_be_imported_is_reported_and_stops_no_other(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("what,is,this\n")
    (tmp_path / "b.txt").write_text("Iron Minds: 2020 | R | 1h 40m | 8 rating\n")
    result = call("import", str(tmp_path / "a.csv"), str(tmp_path / "b.txt"), "--json")
    assert "a.csv is in no format that is known: it begins with “what,is,this”" in expected_error(result)
    assert json.loads(result.stdout)[0]["source"] == "list"


@pytest.mark.parametrize("film", ["Dune", "0", "-1"])
def test_a_decision_names_a_film_by_its_id(call: Call, film: str) -> None:
    assert call("review", "1", "--", film).exit_code == 2


@pytest.mark.parametrize("film", [[], ["none"], ["open"], ["4"], ["--json"]])
def test_an_unknown_review_is_reported(call: Call, film: list[str]) -> None:
    assert "there is no review 4242" in expected_error(call("review", "4242", *film))


def test_forgetting_a_person_deletes_all_rows_and_prints_their_number(call: Call, tmp_path: Path) -> None:
    watched = tmp_path / "watched.csv"
    watched.write_text("Date,Name,Year,Letterboxd URI\n2026-01-01,Iron Minds,2020,u\n")
    call("import", str(watched), "--person", "bob")
    result = call("forget", "bob", "--yes")
    assert result.exit_code == 0, result.output
    assert re.search(r"^ +1  catalog\.watched_titles$", result.stdout, re.MULTILINE)
    assert "Dagster's records do not contain bob." in result.stderr
    again = call("forget", "bob", "--yes")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "Nothing is stored about bob." in again.stderr
