"""Lists the imports in the inbox, a folder of files of watched films; `histories.bundles` opens them."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

from movie_assets.histories.bundles import MOVIELENS, is_text
from movie_assets.histories.file_formats import is_read

LETTERBOXD_FILES = ("watched.csv", "diary.csv", "ratings.csv", "watchlist.csv")
LETTERBOXD_COMPANIONS = ("profile.csv", "comments.csv", "reviews.csv")  # of its archive, and no histories


@dataclass(frozen=True)
class InboxState:
    """The state of an inbox, known without reading its files."""

    signature: str | None  # of names, sizes and times; None without files
    touched_at: datetime | None  # when a file was last written, or copied or moved into the inbox


@dataclass(frozen=True)
class Inbox:
    """The folder that imports come from: a person's files in a folder of the person's name, or `me`'s beside them."""

    folder: Path | None

    def files(self) -> list[tuple[str, Path]]:
        """Return the imports with their persons: files and unpacked exports; the oldest come first.

        The newest import counts, so it comes last. Files that are read together with another one, or have no films, are
        left out if that other file lies beside them. So are empty folders, and the folders of Letterboxd's archive with
        deleted films.
        """
        if self.folder is None or not self.folder.is_dir():
            return []
        imports = [("me", path) for path in _imports_in(self.folder) if not path.is_dir() or _is_release(path)]
        for person in self.folder.iterdir():
            if _is_read_folder(person) and not _is_release(person):
                imports += [(person.name, path) for path in _imports_in(person)]
        return sorted(imports, key=lambda pair: (_changed_at(pair[1]), str(pair[1])))

    def state(self) -> InboxState:
        """Return a hash of names, sizes and times, and the time of the last change. It is cheap and reads no file."""
        try:
            files = [(person, str(file), file.stat()) for person, path in self.files() for file in _files_of(path)]
        except OSError:  # a file that was deleted meanwhile, or an unreadable folder: the import reports it
            return InboxState(None, None)
        if not files:
            return InboxState(None, None)
        lines = (
            f"{person}\t{name}\t{stat.st_size}\t{stat.st_mtime_ns}"
            for person, name, stat in sorted(files, key=itemgetter(0, 1))
        )
        touched = max(stat.st_ctime for _, _, stat in files)
        return InboxState(
            hashlib.sha256("\n".join(lines).encode()).hexdigest(), datetime.fromtimestamp(touched, UTC)
        )  # fmt: skip


def _imports_in(folder: Path) -> list[Path]:
    """Return the files of a folder that are imports of their own, and its folders that have files."""
    paths = list(folder.iterdir())
    names = {path.name.lower() for path in paths if path.is_file()}
    is_release = any(_has_movielens(path) for path in paths if path.is_file() and is_text(path.name))
    ignored = LETTERBOXD_COMPANIONS if names.intersection(LETTERBOXD_FILES) else ()
    return [
        path
        for path in paths
        if (_is_read_folder(path) and any(file.is_file() for file in path.rglob("*")))
        or (path.is_file() and _is_import(path.name) and path.name.lower() not in ignored
            and not (is_release and is_text(path.name) and _is_companion(path)))
    ]  # fmt: skip


def _is_release(folder: Path) -> bool:
    return _has_movielens(folder / "ratings.csv")


def _has_movielens(path: Path) -> bool:
    """Return whether a file has MovieLens' ratings. False for an unreadable file, which its import reports."""
    return _header(path).startswith(MOVIELENS)


def _is_companion(path: Path) -> bool:
    """Return whether a file belongs to a release of MovieLens, but is not its ratings."""
    header = _header(path)
    return b"movieId" in header.split(b",") and not header.startswith(MOVIELENS)


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.readline(200).removeprefix(b"\xef\xbb\xbf").strip()
    except OSError:
        return b""


def _is_import(name: str) -> bool:
    return is_text(name) or (name.lower().endswith(".zip") and is_read(name))


def _changed_at(path: Path) -> float:
    """Return the modification time, in seconds, of a file or of the newest file of a folder."""
    return max((file.stat().st_mtime for file in _files_of(path)), default=0.0)


def _files_of(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def _is_read_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".") and is_read(f"{path.name}/file")
