"""What the success of a change is judged by: Prometheus and the integration's health endpoint."""

import json
import time
from typing import Any, Literal

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

Mood = Literal["well", "ill", "silent"]

HEALTH = {"well": "healthy", "ill": "unhealthy", "silent": None}
ERRORS: dict[Mood, dict[str, str]] = {
    "well": {"429": "0", "500": "0.01"},
    "ill": {"429": "3", "500": "2"},
    "silent": {},
}


class Signals:
    """Both answer as the real ones do; `mood` is what they tell from now on.

    `silent` is what nobody can judge by: no samples, and an answer that says nothing about PostHog.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.mood: Mood = "well"
        self.url = server.url_for("").rstrip("/")
        server.expect_request("/api/v1/query").respond_with_handler(self._query)
        server.expect_request("/health").respond_with_handler(self._health)

    def _health(self, _request: Request) -> Response:
        return _json({"services": {"posthog": {"status": HEALTH[self.mood]}}})

    def _query(self, request: Request) -> Response:
        query = request.args["query"]
        if query.startswith("sum by"):
            samples = [({"status": status}, rate) for status, rate in ERRORS[self.mood].items()]
        else:
            samples = [] if self.mood == "silent" else [({}, "20")]
        result = [{"metric": labels, "value": [time.time(), value]} for labels, value in samples]
        return _json({"status": "success", "data": {"resultType": "vector", "result": result}})


def _json(content: dict[str, Any]) -> Response:
    return Response(json.dumps(content), content_type="application/json")
