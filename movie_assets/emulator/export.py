"""The daily ID export: its file names, the days that are available, and the gzip stream of JSON lines.

Lines are made and compressed piece by piece, so that an export of a million films is never in memory as a whole.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from starlette.requests import Request

from movie_assets.emulator.faults import NO_EXPORT
from movie_assets.emulator.responses import ServedResponse
from movie_assets.emulator.service import Service
from movie_assets.emulator.world import ExportRow, SeriesExportRow

DAYS_KEPT = timedelta(days=92)
GZIP_WINDOW = 31  # zlib's number for the largest window in a gzip frame, whose time stamp is then 0
TRUTH = {False: "false", True: "true"}


def export(service: Service, request: Request) -> ServedResponse:
    """Return the file of `/p/exports/{file}`; 403 for a file that is not in FILES, as S3 does."""
    name, day = named_file(request.path_params["file"])
    if day is None or not service.today - DAYS_KEPT <= day <= service.today:
        return NO_EXPORT
    if name != "movie_ids" and service.series is None:
        return NO_EXPORT
    lines = service.with_fault(FILES[name](service, day), "export_lines")
    pieces = service.with_fault(gzip_pieces(lines), "export_gzip")
    return ServedResponse(200, headers={"Content-Type": "application/gzip"}, pieces=pieces)


def named_file(file: str) -> tuple[str, date | None]:
    """Return the name and the day of an export's file (`NAME_MM_DD_YYYY.json.gz`), no day for any other file."""
    for name in FILES:
        try:
            return name, datetime.strptime(file, f"{name}_%m_%d_%Y.json.gz").date()  # noqa: DTZ007
        except ValueError:
            continue
    return "", None


def line_pieces(service: Service, day: date) -> Iterator[bytes]:
    """Yield the export's lines, some thousands at a time."""
    for rows in service.world.export(day):
        if rows:
            yield lines_of(rows)


def series_pieces(service: Service, day: date, *, adult: bool = False) -> Iterator[bytes]:
    """Yield the lines of the series that are for adults, or of the others."""
    for rows in service.series.export(day) if service.series else ():
        yield b"".join(_series_line(row) for row in rows if row.adult == adult)


def _series_line(row: SeriesExportRow) -> bytes:
    name = json.encoder.encode_basestring(row.original_name)
    line = f'{{"id":{row.tmdb_id},"original_name":{name},"popularity":{row.popularity!r}}}\n'
    return line.encode(errors="replace")


FILES: Mapping[str, Callable[[Service, date], Iterator[bytes]]] = {
    "movie_ids": line_pieces,
    "tv_series_ids": series_pieces,
    "adult_tv_series_ids": lambda service, day: series_pieces(service, day, adult=True),
}


def lines_of(rows: Sequence[ExportRow]) -> bytes:
    """Return the rows as JSON lines in TMDB's form and order of keys."""
    quoted, truth = json.encoder.encode_basestring, TRUTH
    lines = [
        f'{{"adult":{truth[adult]},"id":{tmdb_id},"original_title":{quoted(title)},"popularity":{popularity!r}'
        f',"video":{truth[video]}{"" if softcore is None else SOFTCORE[softcore]}}}\n'
        for adult, tmdb_id, title, popularity, video, softcore in rows
    ]
    return "".join(lines).encode(errors="replace")


SOFTCORE = {False: ',"softcore":false', True: ',"softcore":true'}


def gzip_pieces(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Compress the pieces into one gzip stream; the same lines always give the same bytes."""
    packer = zlib.compressobj(1, zlib.DEFLATED, GZIP_WINDOW)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()
