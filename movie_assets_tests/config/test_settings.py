"""Settings from the environment: defaults, what is refused and in which words, and that no secret is shown."""

from typing import Any

import pytest
from pydantic import SecretStr

from movie_assets.config.settings import Settings, SettingsError

CANARY = "eyJ-canary-of-a-token"
SECRETS = ["TMDB_API_TOKEN", "OPENAI_API_KEY", "MOVIE_ASSETS_DATABASE_URL", "MOVIE_ASSETS_DAGSTER_DATABASE_URL"]


def test_nothing_set_is_the_local_pipeline_on_the_stand_in() -> None:
    settings = Settings.from_env({})
    assert settings.uses_emulator
    assert (settings.embedder_in_use, settings.embedding_model, settings.embedding_dimensions) == ("local", None, None)
    assert (settings.database_url, settings.tmdb_rate, settings.automation) == (None, 38.0, False)
    assert [profile.name for profile in settings.thresholds.profiles] == ["quality"]


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_empty_variable_counts_as_unset(empty: str) -> None:
    names = [str(field.alias) for field in Settings.model_fields.values()]
    assert Settings.from_env(dict.fromkeys(names, empty)) == Settings.from_env({})


def test_other_variables_are_not_read() -> None:
    assert Settings.from_env({"PATH": "/bin", "tmdb_rate": "1"}) == Settings.from_env({})


@pytest.mark.parametrize("name", SECRETS)
def test_blanks_around_a_secret_are_taken_off(name: str) -> None:
    settings = Settings.from_env({name: f"  {CANARY}\r\n"})
    secrets = [value for value in dict(settings).values() if isinstance(value, SecretStr)]
    assert [secret.get_secret_value() for secret in secrets] == [CANARY]


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_printed(name: str) -> None:
    settings = Settings.from_env({name: CANARY})
    assert CANARY not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOVIE_ASSETS_TMDB_RATE", "-1"),
        ("MOVIE_ASSETS_TMDB_RATE", "fast"),
        ("MOVIE_ASSETS_VOTES_DAYS", "0"),
        ("MOVIE_ASSETS_VOTES_DAYS", "31"),
        ("MOVIE_ASSETS_VOTES_DAYS", "7.5"),
        ("MOVIE_ASSETS_VOTES_DAYS", "exactly"),
        ("MOVIE_ASSETS_VOTES_DAYS", "1" + "0" * 5000),
        ("MOVIE_ASSETS_TMDB_RATE", "nan"),
        ("MOVIE_ASSETS_TMDB_RATE", "inf"),
        ("MOVIE_ASSETS_TMDB_RATE", "1e-300"),
        ("MOVIE_ASSETS_EMBEDDING_MODEL", "x" * 100_000),
        ("MOVIE_ASSETS_EMBEDDING_MODEL", "a\nb"),
        ("TMDB_API_URL", "http://[::1"),
        ("TMDB_API_URL", "http://h:99999"),
        ("OPENAI_BASE_URL", "http:// h/v1"),
        ("MOVIE_ASSETS_HOME", "~nobody-of-that-name/films"),
        ("MOVIE_ASSETS_INBOX", "~nobody-of-that-name/inbox"),
        ("MOVIE_ASSETS_EMBEDDER", "word2vec"),
        ("MOVIE_ASSETS_EMBEDDING_DIMENSIONS", "7"),
        ("MOVIE_ASSETS_EMBEDDING_DIMENSIONS", "4001"),
        ("MOVIE_ASSETS_DAILY_FILMS", "-1"),
        ("MOVIE_ASSETS_DAILY_FILMS", "many"),
        ("MOVIE_ASSETS_PROFILES", "unknown"),
        ("MOVIE_ASSETS_AUTOMATION", "perhaps"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: ") as refused:
        Settings.from_env({name: value, "TMDB_API_TOKEN": CANARY})
    assert CANARY not in str(refused.value)


ODD = (
    "inf", "-inf", "nan", "1e-300", "1e999", "-1", "0", "٣", "\uff11\uff12", "9" * 400, "[::1", "http://[::1", "http://h:99999",
    "http://", "https://a b", "~nobody-of-that-name/x", "\udcff", "\ud800", "é\udce9", "a" * 100_000, "1_000", "0x10",
    "true", "null", "[]", "{}", "\x01", "http://h\x07", "/dev/null/x", "postgresql://", "postgresql://u:p@h:port/d",
    "smtp://[::1", "smtp://u:p@h:abc", "1,5", "1 000", "http://\udcff", "http://[fe80::1%25eth0]:1", "\u202e",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(str(field.alias) for field in Settings.model_fields.values()))
def test_nonsense_is_taken_or_refused_in_one_sentence(name: str) -> None:
    for value in ODD:
        is_no_text = len(value) > 8192 or any("\ud800" <= sign <= "\udfff" or ord(sign) < 32 for sign in value)
        refusal = ""
        try:
            Settings.from_env({name: value})
        except SettingsError as error:
            refusal = str(error)
        assert is_no_text <= bool(refusal)
        assert len(refusal.splitlines()) == bool(refusal)
        assert len(refusal) < 600
        assert not refusal or refusal.startswith("MOVIE_ASSETS_" if name.startswith("MOVIE_ASSETS_") else name)


def test_a_misspelt_name_that_is_no_text_is_warned_of_all_the_same() -> None:
    warnings = Settings.misspelt({"MOVIE_ASSETS_\udcff": "1", "MOVIE_ASSETS_" + "X" * 100_000: "1"})
    assert len(warnings) == 2
    assert all(warning.encode() and len(warning) < 600 for warning in warnings)


@pytest.mark.parametrize(
    ("address", "password"),
    [("postgresql://u:a/b c@h/d", "a/b c"), ("postgresql://u:a@b%zz@h/d", "a@b%zz"), ("postgresql://u:a#b@h/d", "a#b"),
     ("postgresql://u:a%40b%2F@h/d", "a@b/"), ("postgresql://h/d?user=u&password=a%20b", "a b")],
)  # fmt: skip
def test_the_password_of_an_address_is_known_however_it_is_written(address: str, password: str) -> None:
    assert password in Settings.from_env({"MOVIE_ASSETS_DATABASE_URL": address}).secrets


def test_a_value_that_is_refused_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"MOVIE_ASSETS_TMDB_RATE": CANARY})
    assert CANARY not in str(refused.value)
    assert refused.value.__suppress_context__


def test_every_variable_that_cannot_be_used_is_named() -> None:
    with pytest.raises(SettingsError, match=r"MOVIE_ASSETS_DAILY_FILMS.*; MOVIE_ASSETS_TMDB_RATE"):
        Settings.from_env({"MOVIE_ASSETS_TMDB_RATE": "x", "MOVIE_ASSETS_DAILY_FILMS": "y"})


@pytest.mark.parametrize("written", ["quality,broad", "quality broad", " quality , broad ", "quality\tbroad\n"])
def test_profiles_are_separated_by_blanks_or_commas(written: str) -> None:
    assert Settings.from_env({"MOVIE_ASSETS_PROFILES": written}).profiles == ("quality", "broad")


@pytest.mark.parametrize(
    ("environ", "tmdb_emulator"),
    [
        ({}, True),
        ({"TMDB_API_TOKEN": "t"}, False),
        ({"TMDB_API_URL": "http://localhost:1/3"}, False),
        ({"TMDB_API_TOKEN": " "}, True),
        ({"TMDB_API_URL": "https://api.themoviedb.org/3/"}, True),
    ],
)
def test_the_stand_in_is_used_when_nothing_says_where_tmdb_is(environ: dict[str, str], tmdb_emulator: bool) -> None:
    assert Settings.from_env(environ).uses_emulator is tmdb_emulator


@pytest.mark.parametrize(
    ("environ", "provider"),
    [
        ({}, "local"),
        ({"OPENAI_API_KEY": "k"}, "openai"),
        ({"OPENAI_API_KEY": "k", "MOVIE_ASSETS_EMBEDDER": "local"}, "local"),
        ({"MOVIE_ASSETS_EMBEDDER": "openai"}, "openai"),
    ],
)
def test_a_key_chooses_the_embedder_unless_it_is_named(environ: dict[str, str], provider: str) -> None:
    assert Settings.from_env(environ).embedder_in_use == provider


@pytest.mark.parametrize(("name", "field"), [("TMDB_API_URL", "tmdb_api_url"), ("OPENAI_BASE_URL", "openai_base_url")])
def test_a_slash_at_an_addresss_end_makes_no_difference(name: str, field: str) -> None:
    assert getattr(Settings.from_env({name: " http://localhost:1/v/ "}), field) == "http://localhost:1/v"


@pytest.mark.parametrize(("written", "value"), [("1", True), ("0", False), ("true", True), ("false", False)])
def test_automation_is_switched_by_words_and_digits(written: str, value: bool) -> None:
    assert Settings.from_env({"MOVIE_ASSETS_AUTOMATION": written}).automation is value


def test_every_variable_has_a_description() -> None:
    undescribed = [name for name, field in Settings.model_fields.items() if not (field.alias and field.description)]
    assert undescribed == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [("MOVIE_ASSETS_TMDB_RAET", "MOVIE_ASSETS_TMDB_RATE"), ("MOVIE_ASSETS_PROFILE", "MOVIE_ASSETS_PROFILES"),
     ("MOVIE_ASSETS_DATABASE", "MOVIE_ASSETS_DATABASE_URL")],
)  # fmt: skip
def test_a_misspelt_variable_is_warned_of_with_the_nearest_setting(name: str, meant: str) -> None:
    (warning,) = Settings.misspelt({name: "1", "MOVIE_ASSETS_HOME": "/tmp", "PATH": "/bin", "MOVIE_ASSETS_FOLDER": "x"})  # noqa: S108
    assert warning == f"{name} is set and is no setting of movie_assets; did you mean {meant}?"


def test_every_secret_is_among_those_that_are_kept_out_of_messages() -> None:
    names = [field.alias for field in Settings.model_fields.values() if "Secret" in str(field.annotation)]
    assert len(names) >= 8
    values = {
        "MOVIE_ASSETS_ALERT_SMTP_URL": "smtp://user:pass%40word@h:587", "MOVIE_ASSETS_ALERT_MAIL_FROM": "a@b.c",
        "MOVIE_ASSETS_ALERT_MAIL_TO": "a@b.c",
    }  # fmt: skip
    environ = values | {str(name): f"https://{name.lower()}:key@h" for name in names if name not in values and name}
    secrets = Settings.from_env(environ).secrets
    assert set(environ[str(name)] for name in names) <= set(secrets)  # noqa: C401
    assert {"pass%40word", "pass@word", "key"} <= set(secrets)


def test_settings_cannot_be_changed() -> None:
    settings: Any = Settings.from_env({})
    with pytest.raises(ValueError, match="frozen"):
        settings.tmdb_rate = 1


@pytest.mark.parametrize(("value", "days"), [("exact", 1), (" Exact ", 1), ("1", 1), ("30", 30), ("", 7)])
def test_the_age_of_votes_is_exact_or_a_number_of_days(value: str, days: int) -> None:
    assert Settings.from_env({"MOVIE_ASSETS_VOTES_DAYS": value}).votes_days == days
