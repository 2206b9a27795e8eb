"""Azure OpenAI's API: `POST /openai/deployments/{deployment}/embeddings?api-version=…`.

Source: https://learn.microsoft.com/azure/ai-services/openai/reference. Messages are those that users of the API quote.
"""

import json
import re
from typing import Any

from starlette.requests import Request

from movie_assets.emulator import embeddings
from movie_assets.emulator.apis import Api
from movie_assets.emulator.responses import RefusedError, ServedResponse
from movie_assets.emulator.service import Service

MODEL = "text-embedding-3-small"  # of each deployment, and its name in responses
DEPLOYMENTS = ("films-embed", MODEL)
BAD_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
RATE = (
    "Requests to the Embeddings_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded call rate "
    "limit of your current OpenAI S0 pricing tier. Please retry after 1 second."
)
AZURE = Api(
    "azure", "api-key", lambda status, message, _: {"error": {"code": str(status), "message": message}},
    errors={
        "key": (401, BAD_KEY),
        "forbidden": (403, "Access denied due to Virtual Network/Firewall rules."),
        "rate": (429, RATE),
        "down": (500, "The server had an error processing your request."),
        "unavailable": (503, "The service is temporarily unable to process your request."),
    },
)  # fmt: skip


def embed(service: Service, request: Request, content: dict[str, Any]) -> ServedResponse:
    """Return the vectors of a deployment's model. Raises RefusedError."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?", request.query_params.get("api-version", "")):
        raise RefusedError(AZURE.error(404, "Resource not found"))
    if request.path_params["deployment"] not in DEPLOYMENTS:
        message = (
            "The API deployment for this resource does not exist. If you created the deployment within the last 5 "
            "minutes, please wait a moment and try again."
        )
        response = AZURE.error(404, message)
        body = json.loads(response.body)
        body["error"]["code"] = "DeploymentNotFound"
        raise RefusedError(ServedResponse(404, json.dumps(body).encode(), response.headers))
    return embeddings.embeddings(service, json.dumps({**content, "model": MODEL}).encode())
