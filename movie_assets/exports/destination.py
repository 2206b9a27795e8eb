"""The folder or object store that exports are written to. A file gets its name when it is whole, the manifest last."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import IO, Any

MANIFEST = "manifest.json"
TERMS = "TERMS.txt"
TABLES = ("titles", "vectors", "scores")
FILES = (*(f"{table}.{kind}" for table in TABLES for kind in ("parquet", "jsonl")), TERMS)
PART = ".part-"  # files that are being written have names that begin with it
CHUNK = 1 << 20  # bytes that are read at once to compute a hash
KEPT = timedelta(days=150)
ABSENT = "exports need {0}, which is not installed: pip install {1}"


class ExportError(Exception):
    """The destination cannot be used, or an export could not be written. The message says what to do."""


class HashedFile:
    """A file that is written from its beginning to its end; counts its bytes and computes their sha256."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._bytes = 0

    @property
    def closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._stream.closed

    def write(self, data: Any) -> int:
        """Write bytes; return their number."""
        view = memoryview(data)
        self._hash.update(view)
        self._bytes += view.nbytes
        self._stream.write(view)
        return view.nbytes

    def flush(self) -> None:
        """Pass on to the file what is buffered."""
        self._stream.flush()

    def digest(self) -> dict[str, Any]:
        """Return the sha256 and the number of bytes so far, as the manifest has them."""
        return {"sha256": self._hash.hexdigest(), "bytes": self._bytes}


@dataclass
class NewExport:
    """An export that is being written; `published` has the entry of each file in the manifest."""

    destination: "Destination"
    folder: str
    published: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextmanager
    def writing(self, name: str) -> Iterator[HashedFile]:
        """Open a file under a temporary name, and add it to the export at the end of the block."""
        with self.destination.created(f"{self.folder}/{PART}{name}") as stream:
            file = HashedFile(stream)
            yield file
        self.published[name] = file.digest()

    def publish(self, manifest: dict[str, Any]) -> None:
        """Give all files their names, the manifest last. An earlier manifest of the day is deleted before."""
        files = self.destination.files
        with self.destination.created(f"{self.folder}/{PART}{MANIFEST}") as stream:
            stream.write(json.dumps(manifest | {"files": self.published}, indent=1).encode() + b"\n")
        if files.exists(f"{self.folder}/{MANIFEST}"):
            files.rm_file(f"{self.folder}/{MANIFEST}")
        for name in (*self.published, MANIFEST):
            files.mv(f"{self.folder}/{PART}{name}", f"{self.folder}/{name}")


class Destination:
    """Exports by day in a folder, or at any address that fsspec knows, such as s3://bucket/path.

    Folders are for their owner only, and so are files. Raises ExportError when a library is absent.
    """

    def __init__(self, address: str) -> None:
        try:
            from fsspec.core import url_to_fs  # noqa: PLC0415  # from the extra `exports`
            from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415  # the same
        except ModuleNotFoundError as error:
            raise ExportError(ABSENT.format(error.name, "'movie-assets[exports]'")) from None
        try:
            self.files, root = url_to_fs(address, use_listings_cache=False)
        except (ImportError, ValueError) as error:  # the library of a store is absent, or nobody knows the store
            raise ExportError(f"MOVIE_ASSETS_EXPORT_TO cannot be used: {error}") from None
        self.root = str(root).rstrip("/")
        self._is_local = isinstance(self.files, LocalFileSystem)

    @contextmanager
    def new_export(self, day: date) -> Iterator[NewExport]:
        """Write an export of a day. After an error nothing new is left; an earlier export of the day stays."""
        folder = f"{self.root}/{day}"
        if self._is_local:
            os.makedirs(self.root, mode=0o700, exist_ok=True)  # noqa: PTH103  # fsspec's paths are texts
            os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103  # the same
            os.chmod(folder, 0o700)  # noqa: PTH101  # the same
        else:
            self.files.makedirs(folder, exist_ok=True)
        self._delete_parts(folder)  # of a run that was killed
        try:
            yield NewExport(self, folder)
        except BaseException:
            self._delete_parts(folder)
            raise

    @contextmanager
    def created(self, path: str) -> Iterator[IO[bytes]]:
        """Create a file that only its owner may read. It is on the disk at the end of the block."""
        with self.files.open(path, "wb") as stream:
            if self._is_local:
                os.chmod(path, 0o600)  # noqa: PTH101  # as above
            yield stream
            stream.flush()
            if self._is_local:
                os.fsync(stream.fileno())

    def days(self) -> list[date]:
        """Return the days that have a folder, the newest first."""
        if not self.files.exists(self.root):
            return []
        names = (str(path).rstrip("/").rpartition("/")[2] for path in self.files.ls(self.root, detail=False))
        return sorted(filter(None, map(_as_day, names)), reverse=True)

    def manifest(self, day: date) -> dict[str, Any] | None:
        """Return the manifest of a day's export; None without one, as while it is written."""
        path = f"{self.root}/{day}/{MANIFEST}"
        if not self.files.exists(path):
            return None
        try:
            manifest = json.loads(self.files.cat_file(path))
            datetime.fromisoformat(manifest["expires_at"])
        except (ValueError, KeyError, TypeError):
            raise ExportError(
                f"the manifest of {day} cannot be read; delete the folder, or launch the export"
            ) from None
        return dict(manifest)

    def delete_expired(self, as_of: datetime) -> list[date]:
        """Delete exports that have expired or are 150 days old, and unfinished ones of earlier days; return their days.

        Other files of a folder are not touched; a folder without any is deleted, too.
        """
        expired = [day for day in self.days() if day < as_of.date() and self._is_expired(day, as_of)]
        deleted = []
        for day in expired:
            folder = f"{self.root}/{day}"
            self._delete_parts(folder)
            ours = [path for path in (f"{folder}/{name}" for name in (MANIFEST, *FILES)) if self.files.exists(path)]
            for path in ours:
                self.files.rm_file(path)
            if self._is_local and not os.listdir(folder):  # noqa: PTH208  # as above
                os.rmdir(folder)  # noqa: PTH106  # as above
            deleted += [day] if ours else []
        return deleted

    def problems(self, day: date, manifest: dict[str, Any]) -> list[str]:
        """Read each file of an export; return which ones are absent or differ from the manifest."""
        return [problem for name, entry in manifest["files"].items() if (problem := self._problem(day, name, entry))]

    def _problem(self, day: date, name: str, entry: dict[str, Any]) -> str | None:
        path = f"{self.root}/{day}/{name}"
        if not self.files.exists(path):
            return f"{name} is absent"
        computed, size = hashlib.sha256(), 0
        with self.files.open(path, "rb") as stream:
            while chunk := stream.read(CHUNK):
                computed.update(chunk)
                size += len(chunk)
        if size != entry["bytes"]:
            return f"{name} has {size:,} bytes instead of {entry['bytes']:,}"
        return None if computed.hexdigest() == entry["sha256"] else f"{name} has another sha256"

    def _is_expired(self, day: date, as_of: datetime) -> bool:
        if day <= (as_of - KEPT).date():
            return True
        manifest = self.manifest(day)
        return manifest is None or datetime.fromisoformat(manifest["expires_at"]) <= as_of

    def _delete_parts(self, folder: str) -> None:
        for path in self.files.ls(folder, detail=False) if self.files.exists(folder) else []:
            if str(path).rpartition("/")[2].startswith(PART):
                self.files.rm_file(path)


def _as_day(name: str) -> date | None:
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if str(day) == name else None
