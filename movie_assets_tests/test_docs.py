"""What the documents say of settings, commands, assets and jobs is what the code has."""

import re
from pathlib import Path

from movie_assets.cli.main import main
from movie_assets.config.settings import Settings
from movie_assets_tests.support.definitions import defs

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def settings_table() -> str:
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for field in Settings.variables():
        default = field.default if field.default_factory is None else None
        shown = " ".join(default) if isinstance(default, tuple) else f"{default:d}" if default is False else default
        rows.append(f"| `{field.alias}` | {'' if shown in (None, '') else f'`{shown}`'} | {field.description} |")
    return "\n".join(rows)


def test_readme_has_the_table_of_settings_that_the_code_has() -> None:
    (written,) = re.findall(r"<!-- settings -->\n(.*?)\n?<!-- /settings -->", README, re.DOTALL)
    assert written == settings_table(), f"put this into README.md:\n{settings_table()}"


def test_the_example_environment_names_every_setting_and_no_other() -> None:
    named = set(re.findall(r"^#?\s?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == {field.alias for field in Settings.model_fields.values()}


def test_readme_names_every_command() -> None:
    assert {name for name in main.commands if f"movie-assets {name}" not in README} == set()


def test_readme_names_every_asset() -> None:
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert {key for key in keys if f"| `{key}` |" not in README} == set()


def test_documents_link_only_to_files_that_are_there() -> None:
    paths = [path for folder in (".", "docs", "bench", "deploy") for path in (ROOT / folder).glob("*.md")]
    assert len(paths) > 8
    links = [
        (path, link) for path in paths for link in re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", path.read_text())
    ]
    assert [(str(path), link) for path, link in links if not (path.parent / link).exists()] == []


def test_every_make_target_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = README + "".join(path.read_text() for path in ROOT.glob("docs/*.md")) + (ROOT / ".ci/run").read_text()
    assert set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", documents, re.MULTILINE)) != set()
    named = {a or b for a, b in re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", documents, re.MULTILINE)}
    assert named <= targets


def test_the_architecture_tells_who_launches_what() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"<!-- triggers -->\n(.*?)\n<!-- /triggers -->", text, re.DOTALL)
    written = dict(re.findall(r"^\| `(\w+)` \| (?:`(\w+)` )?\|", table, re.MULTILINE))
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
