"""What the documents say of settings, commands, assets and jobs is what the code has."""

import re
from pathlib import Path

from movie_assets.cli import reference
from movie_assets.cli.main import COMMANDS
from movie_assets.config.settings import Settings
from movie_assets_tests.support.definitions import defs

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_page_of_settings_has_the_table_that_the_code_makes() -> None:
    page = reference.SETTINGS_PAGE.read_text(encoding="utf-8")
    assert reference.settings_page(page) == page, "run `make docs` and look at what it changed"


def test_readme_is_for_five_minutes() -> None:
    assert len(README.splitlines()) <= 150


def test_the_index_of_the_documentation_lists_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"]({page})" not in index} == set()


def test_the_example_environment_names_every_setting_and_no_other() -> None:
    named = set(re.findall(r"^#?\s?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == {field.alias for field in Settings.model_fields.values()}
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == reference.example_environment(), "run `make docs`"


def test_the_page_of_commands_names_every_command() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert {
        name for name, (_, _, help_text) in COMMANDS.items() if help_text and f"movie-assets {name}" not in page
    } == set()


def test_documents_link_only_to_files_that_are_there() -> None:
    paths = [path for folder in (".", "docs", "bench", "deploy") for path in (ROOT / folder).glob("*.md")]
    assert len(paths) > 8
    links = [
        (path, link) for path in paths for link in re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", path.read_text())
    ]
    assert [(str(path), link) for path, link in links if not (path.parent / link).exists()] == []


def test_files_of_code_that_documents_name_are_there() -> None:
    named = {
        (path.name, file)
        for path in [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("bench/README.md")]
        for file in re.findall(r"`([a-z_]+/[a-z_/]+\.(?:py|sql|toml|json))`", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 40
    roots = [ROOT, ROOT / "movie_assets", ROOT / "movie_assets_tests"]
    assert {(page, file) for page, file in named if not any((root / file).exists() for root in roots)} == set()


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = README + "".join(path.read_text() for path in ROOT.glob("docs/*.md")) + (ROOT / ".ci/run").read_text()
    assert set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", documents, re.MULTILINE)) != set()
    named = {a or b for a, b in re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", documents, re.MULTILINE)}
    assert named <= targets


def test_the_architecture_tells_who_launches_what() -> None:
    text = reference.ARCHITECTURE_PAGE.read_text(encoding="utf-8")
    assert reference.architecture_page(text) == text, "run `make docs` and look at what it changed"
    (table,) = re.findall(r"<!-- triggers -->\n(.*?)\n<!-- /triggers -->", text, re.DOTALL)
    written = dict(re.findall(r"^\| `(\w+)` \| (?:`(\w+)`)? \|", table, re.MULTILINE))
    repository = defs.get_repository_def()
    assert written == {
        **{schedule.name: schedule.job_name for schedule in repository.schedule_defs},
        **{sensor.name: sensor.job_name if sensor.targets else "" for sensor in repository.sensor_defs},
    }


def test_every_asset_has_one_trigger() -> None:
    repository = defs.get_repository_def()
    jobs = [schedule.job_name for schedule in repository.schedule_defs] + [
        sensor.job_name
        for sensor in repository.sensor_defs
        if sensor.targets and sensor.name not in ("no_day_was_read_yet", "lists_were_not_read")  # for unusual days
    ]
    launched = [
        key.to_user_string() for job in jobs for key in defs.resolve_job_def(str(job)).asset_layer.selected_asset_keys
    ]
    assert sorted(launched) == sorted(key.to_user_string() for key in defs.resolve_all_asset_keys())
