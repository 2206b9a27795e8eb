"""The daily ID export: its file names, the days that are available, and the gzip stream of JSON lines.

Lines are made and compressed piece by piece, so that an export of a million films is never in memory as a whole.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from starlette.requests import Request

from movie_assets.emulator.faults import NO_EXPORT
from movie_assets.emulator.responses import ServedResponse
from movie_assets.emulator.service import Service
from movie_assets.emulator.world import ExportRow

DAYS_KEPT = timedelta(days=92)
GZIP_WINDOW = 31  # zlib's number for the largest window in a gzip frame, whose time stamp is then 0
TRUTH = {False: "false", True: "true"}


def export(service: Service, request: Request) -> ServedResponse:
    """Return `/p/exports/movie_ids_MM_DD_YYYY.json.gz`; 403 for any other file, as S3 does."""
    day = day_of_file(request.path_params["file"])
    if day is None or not service.today - DAYS_KEPT <= day <= service.today:
        return NO_EXPORT
    lines = service.with_fault(line_pieces(service, day), "export_lines")
    pieces = service.with_fault(gzip_pieces(lines), "export_gzip")
    return ServedResponse(200, headers={"Content-Type": "application/gzip"}, pieces=pieces)


def day_of_file(name: str) -> date | None:
    """Return the day in an export's file name, None for any other name."""
    try:
        return datetime.strptime(name, "movie_ids_%m_%d_%Y.json.gz").date()  # noqa: DTZ007
    except ValueError:
        return None


def line_pieces(service: Service, day: date) -> Iterator[bytes]:
    """Yield the export's lines, some thousands at a time."""
    for rows in service.world.export(day):
        if rows:
            yield lines_of(rows)


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
