"""Opens files of watched films: a single file, a folder or a zip, with limits on sizes.

`histories.file_formats` recognises their formats, and `histories.inbox` lists the imports of the inbox.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

from movie_assets.histories.file_formats import is_read
from movie_assets.histories.rows import decoded

MIB = 2**20
LARGEST_TEXT = 32 * MIB  # bytes of a file that is read as a whole; the films of a person's whole life have under 2 MiB
LARGEST_BUNDLE = 4096 * MIB  # bytes of one import; the largest release of MovieLens has 1,000 MiB
LARGEST_RATIO = 200  # of a member's size to its compressed size; tables of films reach 10
LARGEST_DIRECTORY = 4 * MIB  # bytes of an archive's list of members
MAX_MEMBERS = 10_000
MAX_NAMED = 20  # of the files that are not read
LONGEST_LINE = MIB  # characters
BEGINNING = 64 * 2**10
ENDINGS = (".csv", ".txt", ".tsv", ".json")
COMPANIONS = ("links.csv", "movies.csv")  # what MovieLens' ratings.csv is read with
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
        """Return the first lines of the file, as text."""
        with self.open() as file:
            content = file.read(BEGINNING)
        return decoded(content[: content.rfind(b"\n") + 1] or content)  # not cut within a character

    def require_text(self) -> None:
        """Raise HistoryFileError for a file that is too large to be read as a whole."""
        if self.size > LARGEST_TEXT:
            raise HistoryFileError(
                f"{self.name} has {self.size / MIB:,.0f} MiB; a history of one person has at most {LARGEST_TEXT // MIB}"
            )

    def text(self) -> str:
        """Return the whole text. Raises HistoryFileError for a file that is too large, whatever size it declares."""
        self.require_text()
        with self.open() as file:
            content = file.read(LARGEST_TEXT + 1)
        if len(content) > LARGEST_TEXT:
            raise HistoryFileError(f"{self.name} has more than the {self.size:,} bytes that its archive declares")
        return decoded(content)

    def text_lines(self) -> Iterator[str]:
        """Return the lines of the text. Lines end at newlines and carriage returns, not at marks such as U+2028."""
        return iter(io.StringIO(self.text(), newline=""))

    @contextmanager
    def lines(self) -> Iterator[Iterable[str]]:
        """Open a file of any size in UTF-8 and return its lines.

        Raises HistoryFileError for a line that is too long.
        """
        with self.open() as file, io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="") as text:
            yield self._bounded(text)

    def _bounded(self, text: io.TextIOWrapper) -> Iterator[str]:
        while line := text.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise HistoryFileError(f"{self.name} has a line of more than {LONGEST_LINE:,} characters")
            yield line


@dataclass(frozen=True)
class Bundle:
    """A file, or all files of a folder or an archive, imported at once; `left_out` has a note for each unread file."""

    name: str
    members: Sequence[Member]
    left_out: Sequence[str] = ()

    def digest(self) -> str:
        """Return the SHA-256 of the names, sizes and contents."""
        whole = hashlib.sha256()
        for member in self.members:
            whole.update(f"{member.name}\0{member.size}\0".encode())
            with member.open() as file:
                while block := file.read(MIB):
                    whole.update(block)
        return whole.hexdigest()


@contextmanager
def opened_bundle(path: Path) -> Iterator[Bundle]:
    """Open a file, folder or zip. Raises HistoryFileError when it is missing, unreadable, damaged or too large."""
    with ExitStack() as stack:
        try:
            bundle = _bundle_of(path, stack)
            if not bundle.members:
                raise HistoryFileError(f"{path} has no csv, txt, tsv or json files in it")
            total = sum(member.size for member in bundle.members)
            if total > LARGEST_BUNDLE or len(bundle.members) > MAX_MEMBERS:
                raise HistoryFileError(
                    f"{path} has {len(bundle.members):,} files of {total / MIB:,.0f} MiB in all; at most "
                    f"{MAX_MEMBERS:,} files of {LARGEST_BUNDLE // MIB:,} MiB are read"
                )
            yield bundle
        except OSError as error:
            raise HistoryFileError(f"{path} cannot be read: {error.strerror or error}") from None
        except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and "encrypted" not in str(error):
                raise
            raise HistoryFileError(f"{path} is a damaged or protected archive ({error}); download it again") from None


def _bundle_of(path: Path, stack: ExitStack) -> Bundle:
    if path.is_dir():
        files = sorted(islice((file for file in path.rglob("*") if file.is_file()), MAX_MEMBERS + 1))
        named = [(file, file.relative_to(path).as_posix()) for file in files]
        members = [_member(file, name) for file, name in named if is_text(name)]
        return Bundle(path.name or str(path), members, _left_out([name for _, name in named]))
    if path.exists() and not path.is_file():
        raise HistoryFileError(f"{path} is no file or folder, but a device, pipe or socket")
    if zipfile.is_zipfile(path) or _begins(path, b"PK"):
        return _archive(path, stack)
    members = [_member(path, path.name)]
    if _begins(path, MOVIELENS) or _begins(path, b"\xef\xbb\xbf" + MOVIELENS):
        beside = [path.with_name(name) for name in COMPANIONS]
        members += [_member(file, file.name) for file in beside if file.is_file() and file != path]
    return Bundle(path.name, members)


def _archive(path: Path, stack: ExitStack) -> Bundle:
    """Open an archive whose list of members and whose members have believable sizes."""
    if (size := _directory_size(path)) > LARGEST_DIRECTORY:
        raise HistoryFileError(f"{path} has a list of members of {size / MIB:,.0f} MiB; no export has so many files")
    archive = stack.enter_context(zipfile.ZipFile(path))
    files = [(entry, entry.filename.replace("\\", "/")) for entry in archive.infolist() if not entry.is_dir()]
    read = [(entry, name) for entry, name in files if is_text(name)]
    for entry, name in read:
        if entry.file_size > MIB and entry.file_size > LARGEST_RATIO * entry.compress_size:
            raise HistoryFileError(
                f"{path}: {name} declares {entry.file_size / MIB:,.0f} MiB in {entry.compress_size:,} bytes; "
                "no export of films is packed so tightly, so it was not unpacked"
            )
    members = [Member(name, entry.file_size, partial(archive.open, entry)) for entry, name in read]
    return Bundle(path.name, members, _left_out([name for _, name in files]))


def _directory_size(path: Path) -> int:
    """Return the size in bytes that an archive declares for its list of members; 0 for a damaged archive."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, io.SEEK_END) - 2**16 - 22))
        end = file.read()
    place = end.rfind(b"PK\x05\x06")
    if end.rfind(b"PK\x06\x07") >= 0:
        raise HistoryFileError(
            f"{path} is a zip64 archive, which no export of films needs; unpack it and import the folder"
        )
    return int.from_bytes(end[place + 12 : place + 16], "little") if place >= 0 else 0


def _left_out(names: Sequence[str]) -> list[str]:
    """Return a sentence for each file that is not read; of other kinds than tables, for MAX_NAMED at most."""
    tables = [name for name in names if name.lower().endswith(ENDINGS) and not is_read(name)]
    others = [name for name in names if not name.lower().endswith(ENDINGS) and is_read(name)]
    more = [f"not read, as they are no csv, txt, tsv or json files: {len(others) - MAX_NAMED:,} more"]
    return [
        *(f"not read, as Letterboxd keeps deleted films or other data there: {name}" for name in tables),
        *(f"not read, as it is no csv, txt, tsv or json file: {name}" for name in others[:MAX_NAMED]),
        *(more if len(others) > MAX_NAMED else []),
    ]


def _member(file: Path, name: str) -> Member:
    return Member(name, file.stat().st_size, lambda: file.open("rb"))


def is_text(name: str) -> bool:
    """Return whether a file of that name can be a table of films."""
    return name.lower().endswith(ENDINGS) and is_read(name)


def _begins(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark
