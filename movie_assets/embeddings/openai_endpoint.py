"""Where requests to an OpenAI-compatible server go, as its address is often given with less or more than its path."""

from collections.abc import Mapping

import httpx
import openai

PATH = "/embeddings"
MOVED, NOT_HERE = (301, 302, 307, 308), (404, 405)
MAX_MOVES = 3


class Endpoint:
    """The address for requests of one client; what a response shows of it is remembered for the next request."""

    def __init__(self, client: openai.OpenAI) -> None:
        self.client = client
        self._url = PATH

    def post(self, body: Mapping[str, object]) -> httpx.Response:
        """Send a request, where needed once more to the address that the server shows. Raises openai's errors.

        A request that is redirected within its host stays a POST, as the library would make it a GET. Where the
        address has no path and nothing is there, the usual one, `/v1`, is tried.
        """
        for moves in range(MAX_MOVES + 1):
            try:
                # The library's own method would add base64 where the format is left out, and build an object for each
                # number, which takes longer than the service.
                return self.client.post(self._url, cast_to=httpx.Response, body=body)
            except openai.APIStatusError as error:
                address = None if moves == MAX_MOVES else self._other_address(error)
                if address is None:
                    raise
                self._url = address
        raise AssertionError("the last move returns or raises")

    def _other_address(self, error: openai.APIStatusError) -> str | None:
        response = error.response
        sent = response.request.url
        if response.status_code in MOVED:
            target = sent.join(response.headers.get("location", ""))
            is_safe = target.host == sent.host and (target.scheme == "https" or sent.scheme == "http")
            return str(target) if is_safe and target.path.rstrip("/").endswith(PATH) else None
        is_without_path = self.client.base_url.path == "/" and sent.path == PATH
        is_about_a_model = "model" in response.text.lower()
        return f"/v1{PATH}" if response.status_code in NOT_HERE and is_without_path and not is_about_a_model else None
