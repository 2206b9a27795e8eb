"""The daily ID export: file names, what is kept, and the gzip stream of JSON lines.

Lines are made and compressed piece by piece, so that an export of a million films never stands in memory.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from starlette.requests import Request

from movie_assets.emulator.answers import ServedResponse
from movie_assets.emulator.faults import NO_EXPORT
from movie_assets.emulator.service import Service
from movie_assets.emulator.world import ExportRow

KEPT = timedelta(days=92)
GZIP_WINDOW = 31  # zlib's way to say: the largest window, in a gzip frame, whose time stamp is then 0
TRUTH = {False: "false", True: "true"}


def export(service: Service, request: Request) -> ServedResponse:
    """`/p/exports/movie_ids_MM_DD_YYYY.json.gz`; what is not there answers 403, as S3 does."""
    day = day_of_file(request.path_params["file"])
    if day is None or not service.today - KEPT <= day <= service.today:
        return NO_EXPORT
    lines = service.spoilt(line_pieces(service, day), "export_lines")
    pieces = service.spoilt(gzip_pieces(lines), "export_gzip")
    return ServedResponse(200, headers={"Content-Type": "application/gzip"}, pieces=pieces)


def day_of_file(name: str) -> date | None:
    """Day that an export's file name names, None for any other name."""
    try:
        return datetime.strptime(name, "movie_ids_%m_%d_%Y.json.gz").date()  # noqa: DTZ007
    except ValueError:
        return None


def line_pieces(service: Service, day: date) -> Iterator[bytes]:
    """Write the export's lines, some thousands at a time."""
    for rows in service.world.export(day):
        if rows:
            yield lines_of(rows)


def lines_of(rows: Sequence[ExportRow]) -> bytes:
    """JSON lines in TMDB's form and order of keys."""
    quoted, truth = json.encoder.encode_basestring, TRUTH
    lines = [
        f'{{"adult":{truth[adult]},"id":{tmdb_id},"original_title":{quoted(title)},"popularity":{popularity!r}'
        f',"video":{truth[video]}{"" if softcore is None else SOFTCORE[softcore]}}}\n'
        for adult, tmdb_id, title, popularity, video, softcore in rows
    ]
    return "".join(lines).encode(errors="replace")


SOFTCORE = {False: ',"softcore":false', True: ',"softcore":true'}


def gzip_pieces(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Compress on the way; the same lines always give the same bytes."""
    packer = zlib.compressobj(1, zlib.DEFLATED, GZIP_WINDOW)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()
