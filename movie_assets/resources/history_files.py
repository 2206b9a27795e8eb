"""Files of watched films where they lie: one file, a folder, or a zip as it was downloaded. What they say is core's."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from movie_assets.core.history_files import is_read
from movie_assets.core.history_rows import decoded

LARGEST_TEXT = 200 * 2**20  # bytes; somebody's whole life in films is under two megabytes
BEGINNING = 64 * 2**10
COMPANIONS = ("links.csv", "movies.csv")  # what MovieLens' ratings.csv is read with
LETTERBOXD_FILES = ("watched.csv", "diary.csv", "ratings.csv", "watchlist.csv")
LETTERBOXD_COMPANIONS = ("profile.csv", "comments.csv", "reviews.csv")  # of its archive, and no histories
MOVIELENS = b"userId,movieId,rating"


class HistoryFileError(Exception):
    """A file cannot be opened or read; the message names it and says why."""


@dataclass(frozen=True)
class Member:
    """One file, maybe inside an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]

    def beginning(self) -> str:
        """Its first lines."""
        with self.open() as file:
            body = file.read(BEGINNING)
        return decoded(body[: body.rfind(b"\n") + 1] or body)  # not cut within a character

    def text(self) -> list[str]:
        """All of it, by lines; for files that fit into memory. Raises HistoryFileError for others."""
        if self.size > LARGEST_TEXT:
            raise HistoryFileError(f"{self.name} has {self.size / 2**20:,.0f} MB, which no history of one person has")
        with self.open() as file:
            # Not splitlines(): it also divides at marks that stand within titles, as U+2028.
            return list(io.StringIO(decoded(file.read()), newline=""))

    @contextmanager
    def lines(self) -> Iterator[Iterable[str]]:
        """Line by line, for files of any size (UTF-8)."""
        with self.open() as file, io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="") as text:
            yield text


@dataclass(frozen=True)
class Bundle:
    """What is imported at once: a file, or all files of a folder or an archive."""

    name: str
    members: Sequence[Member]

    def digest(self) -> str:
        """SHA-256 of the names and contents."""
        whole = hashlib.sha256()
        for member in self.members:
            whole.update(f"{member.name}\0{member.size}\0".encode())
            with member.open() as file:
                while block := file.read(2**20):
                    whole.update(block)
        return whole.hexdigest()


@contextmanager
def opened_bundle(path: Path) -> Iterator[Bundle]:
    """Open a file, folder or zip. Raises HistoryFileError when it is not there, not readable, or damaged."""
    with ExitStack() as stack:
        try:
            members = _members_of(path, stack)
            if not members:
                raise HistoryFileError(f"{path} has no csv, txt or tsv files in it")
            yield Bundle(path.name, members)
        except OSError as error:
            raise HistoryFileError(f"{path} cannot be read: {error.strerror or error}") from None
        except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "encrypted" not in str(error):
                raise
            raise HistoryFileError(f"{path} is a damaged or protected archive ({error}); download it again") from None


def _members_of(path: Path, stack: ExitStack) -> list[Member]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        named = [(file, file.relative_to(path).as_posix()) for file in files]
        return [_member(file, name) for file, name in named if _is_text(name)]
    if zipfile.is_zipfile(path) or _begins(path, b"PK"):
        archive = stack.enter_context(zipfile.ZipFile(path))
        return [
            Member(found.filename, found.file_size, lambda found=found: archive.open(found))  # type: ignore[misc]
            for found in archive.infolist()
            if not found.is_dir() and is_read(found.filename) and _is_text(found.filename)
        ]
    members = [_member(path, path.name)]
    if _begins(path, MOVIELENS) or _begins(path, b"\xef\xbb\xbf" + MOVIELENS):
        beside = [path.with_name(name) for name in COMPANIONS]
        members += [_member(file, file.name) for file in beside if file.is_file() and file != path]
    return members


def _member(file: Path, name: str) -> Member:
    return Member(name, file.stat().st_size, lambda: file.open("rb"))


def _is_text(name: str) -> bool:
    return name.lower().endswith((".csv", ".txt", ".tsv")) and is_read(name)


def _begins(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


@dataclass(frozen=True)
class InboxLook:
    """What can be said of an inbox without reading its files."""

    signature: str | None  # of names, sizes and times; None where there is no file
    touched_at: datetime | None  # when a file was last written, copied or moved to


@dataclass(frozen=True)
class Inbox:
    """The folder that imports come from: a person's files in a folder of the person's name, or `me`'s beside them."""

    folder: Path | None

    def files(self) -> list[tuple[str, Path]]:
        """Whose it is, and a file or an unpacked export; the oldest first, so that the newest counts.

        Files that are read with another or say nothing of films are left out where that other lies beside them; so are
        empty folders, and those of Letterboxd's archive with what was deleted.
        """
        if self.folder is None or not self.folder.is_dir():
            return []
        found = [("me", path) for path in _imports_in(self.folder) if not path.is_dir() or _is_release(path)]
        for person in self.folder.iterdir():
            if _is_read_folder(person) and not _is_release(person):
                found += [(person.name, path) for path in _imports_in(person)]
        return sorted(found, key=lambda pair: (_changed_at(pair[1]), str(pair[1])))

    def look(self) -> InboxLook:
        """Look at names, sizes and times: cheap enough for every half minute."""
        try:
            found = [(person, str(file), file.stat()) for person, path in self.files() for file in _files_of(path)]
        except OSError:  # a file that went meanwhile, a folder that may not be read: the import tells
            return InboxLook(None, None)
        if not found:
            return InboxLook(None, None)
        told = "\n".join(f"{person}\t{name}\t{stat.st_size}\t{stat.st_mtime_ns}" for person, name, stat in sorted(
            found, key=lambda each: each[:2]))  # fmt: skip
        touched = max(stat.st_ctime for _, _, stat in found)
        return InboxLook(hashlib.sha256(told.encode()).hexdigest(), datetime.fromtimestamp(touched, UTC))


def _imports_in(folder: Path) -> list[Path]:
    """The files of a folder that are imports of their own, and its folders that have files."""
    paths = list(folder.iterdir())
    names = {path.name.lower() for path in paths if path.is_file()}
    is_release = any(_has_movielens(path) for path in paths if _is_text(path.name))
    passed_over = LETTERBOXD_COMPANIONS if names.intersection(LETTERBOXD_FILES) else ()
    return [
        path
        for path in paths
        if (_is_read_folder(path) and any(file.is_file() for file in path.rglob("*")))
        or (path.is_file() and _is_import(path.name) and path.name.lower() not in passed_over
            and not (is_release and _is_text(path.name) and _is_companion(path)))
    ]  # fmt: skip


def _is_release(folder: Path) -> bool:
    return _has_movielens(folder / "ratings.csv")


def _has_movielens(path: Path) -> bool:
    """Whether a file has MovieLens' ratings. One that cannot be opened is an import's to tell of."""
    return _header(path).startswith(MOVIELENS)


def _is_companion(path: Path) -> bool:
    """Whether a file is one of MovieLens' besides the ratings."""
    header = _header(path)
    return b"movieId" in header.split(b",") and not header.startswith(MOVIELENS)


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.readline(200).removeprefix(b"\xef\xbb\xbf").strip()
    except OSError:
        return b""


def _is_import(name: str) -> bool:
    return _is_text(name) or (name.lower().endswith(".zip") and is_read(name))


def _changed_at(path: Path) -> float:
    """When a file, or the newest one of a folder, was written."""
    return max((file.stat().st_mtime for file in _files_of(path)), default=0.0)


def _files_of(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def _is_read_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".") and is_read(f"{path.name}/file")
