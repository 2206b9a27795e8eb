"""The folders of the embedded server: any name, any user, and the rights on them."""

import os
import pwd
from pathlib import Path

import pytest

from movie_assets.database import embedded as embedded_postgres_module
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.embedded import EmbeddedPostgresError, embedded_postgres
from movie_assets_tests.conftest import address_of
from movie_assets_tests.database.embedded_homes import ask, is_up, postmaster_of

AS_ROOT = os.geteuid() == 0


def test_nobody_else_may_enter_its_folders(started: tuple[Path, str]) -> None:
    modes = [(started[0] / name).stat().st_mode & 0o777 for name in ("postgres", "postgres.sockets")]
    assert modes == [0o700, 0o700]


@pytest.mark.parametrize("name", ["x" * 120, "a blank +b%20c&d=e?f#Ü", "it's", '$HOME `id` "x" \\n'])
def test_any_folder_can_be_the_home(home: Path, name: str) -> None:
    folder = home / name
    with embedded_postgres(folder) as server:
        address = address_of(server, "catalogue")
        ensure_database(address)
        database = Database(address)
        with database.transaction() as connection:
            assert connection.exec_driver_sql("select 1").scalar() == 1
        database.close()
    assert not is_up(folder)


@pytest.mark.parametrize("length", [93, 94, 100, 101])
def test_a_home_whose_sockets_would_have_too_long_an_address_is_a_home(used_home: Path, length: int) -> None:
    folder = used_home.with_name("h" * (length - len(f"{used_home.parent}/" + "/postgres.sockets")))
    used_home.rename(folder)
    with embedded_postgres(folder) as address:
        assert ask(address, "select 1") == 1


@pytest.mark.skipif(not AS_ROOT, reason="only root can give a folder to another user")
@pytest.mark.parametrize("how", ["another user's", "a link"])
def test_a_folder_for_sockets_that_somebody_else_made_is_left_alone(home: Path, tmp_path: Path, how: str) -> None:
    made, theirs = home / "sockets", tmp_path / "theirs"
    home.mkdir()
    theirs.mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(theirs, nobody.pw_uid, nobody.pw_gid)
    if how == "a link":
        made.symlink_to(theirs)
    else:
        theirs.rename(made)
    with pytest.raises(EmbeddedPostgresError, match="is a link or belongs to another user"):
        embedded_postgres_module._make_folder(made, pwd.getpwnam("pgserver"))
    assert made.stat().st_uid == nobody.pw_uid


def test_a_relative_home_is_a_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    monkeypatch.chdir(home)
    with embedded_postgres(Path("data")) as address:
        assert ask(address, "select 1") == 1


@pytest.mark.skipif(not AS_ROOT, reason="only root starts the server as another user")
def test_as_root_the_server_runs_as_a_user_without_rights_over_the_home(started: tuple[Path, str]) -> None:
    home, _ = started
    owner = Path(f"/proc/{postmaster_of(home)}").stat().st_uid
    assert owner != 0
    assert (home / "postgres").stat().st_uid == owner
    assert home.stat().st_uid == 0


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user can walk to its own folders")
def test_as_root_no_parent_folder_has_to_be_open_to_others(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0o700)
    home.chmod(0o700)
    with embedded_postgres(closed / "home") as address:
        assert ask(address, "select 1") == 1
    assert [folder.stat().st_mode & 0o777 for folder in (home, closed)] == [0o700, 0o700]
