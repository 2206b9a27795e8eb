"""Pages of lists of a made-up TMDB."""

from collections.abc import Callable
from typing import Any

import httpx


def pages(*contents: list[Any]) -> Callable[[httpx.Request], httpx.Response]:
    def respond(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        results = [{"id": tmdb_id, "adult": False} for tmdb_id in contents[page - 1]]
        return httpx.Response(200, json={"results": results, "page": page, "total_pages": len(contents)})

    return respond
