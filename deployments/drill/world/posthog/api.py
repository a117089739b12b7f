"""PostHog: its app API, its ingestion and feature flag endpoints, and the admin at its dashboard.

Status codes, error bodies and limits follow PostHog's documentation of its API. Capture checks
only a key's shape, as in reality, so a dead key shows on ``/flags`` and on the app API alone.
"""

import asyncio
import math
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from deployments.drill.world.faults import PostHogFaults
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.answers import edge_page, json_answer
from deployments.drill.world.servers.pacing import Bucket, Share

_PROBES = frozenset({"/_livez", "/_readyz"})
_KEY_SHAPE = re.compile(r"[A-Za-z0-9_]{10,200}")
_REASONS = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
_SCOPES = {"/api/users/@me/": "user:read"}
_FLAG_KEY_REFUSED = "The provided API key is invalid or has expired. Please check your API key and try again."


def _error(status: int, kind: str, code: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    return json_answer({"type": kind, "code": code, "detail": detail, "attr": None}, status, headers)


class PostHogApi:
    """PostHog as its clients see it; what is wrong with it is in :attr:`faults`."""

    def __init__(self, keys: Keys) -> None:
        """Know the world's keys; start in order."""
        self._keys = keys
        self._faults = PostHogFaults()
        self._buckets: dict[str, Bucket] = {}
        self._outage = Share()
        routes = Starlette(
            routes=[
                Route("/_livez", self._livez),
                Route("/_readyz", self._readyz),
                Route("/flags", self._flags, methods=["POST"]),
                Route("/flags/", self._flags, methods=["POST"]),
                Route("/i/v0/e/", self._capture, methods=["POST"]),
                Route("/batch/", self._capture, methods=["POST"]),
                Route("/api/users/@me/", self._me),
                Route("/api/projects/{project}/{resource}/", self._resource),
            ]
        )
        self._routes = routes

    @property
    def faults(self) -> PostHogFaults:
        """What is wrong now."""
        return self._faults

    @faults.setter
    def faults(self, faults: PostHogFaults) -> None:
        if faults.limit_per_second != self._faults.limit_per_second:
            self._buckets.clear()
        self._faults = faults

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: first the latency and the outage, then the application."""
        if self._faults.latency_seconds:
            await asyncio.sleep(self._faults.latency_seconds)
        outage = self._faults.outage
        if outage is not None and scope["path"] not in _PROBES and self._outage.picks(outage.share):
            await self._failure()(scope, receive, send)
            return
        await self._routes(scope, receive, send)

    def accepts(self, project_key: str) -> bool:
        """Say whether ``/flags`` would take this project key now."""
        return self._project_caller(project_key) is not None

    def _failure(self) -> Response:
        outage = self._faults.outage
        assert outage is not None  # noqa: S101  its caller looked
        if outage.html or outage.status in (502, 504):
            return edge_page(outage.status, _REASONS[outage.status])
        if outage.status == 503:
            detail = "Our analytics database is currently at capacity. Please try again later."
            return _error(503, "server_error", "service_unavailable", detail)
        return _error(500, "server_error", "error", "A server error occurred.")

    async def _livez(self, _request: Request) -> Response:
        return json_answer({"http": True})

    async def _readyz(self, _request: Request) -> Response:
        well = self._faults.outage is None or self._faults.outage.share < 0.5
        state = {
            "http": True,
            "db": True,
            "db_migrations_uptodate": True,
            "kafka_connected": well,
            "cache": True,
        }
        return json_answer(state, 200 if well else 503)

    async def _flags(self, request: Request) -> Response:
        body = await _json(request)
        key = None if body is None else body.get("api_key", body.get("token"))
        if body is None or not isinstance(key, str):
            return PlainTextResponse(
                "No API key provided. Please include a valid API key in your request.", 401
            )
        caller = request.state.authenticated_as = self._project_caller(key)
        if caller is None:
            return PlainTextResponse(_FLAG_KEY_REFUSED, 401)
        if not body.get("distinct_id"):
            return PlainTextResponse("The distinct_id field is missing from the request.", 400)
        if self._seconds_to_wait(key):
            return _error(429, "validation_error", "rate_limit_exceeded", "Rate limit exceeded")
        return json_answer(
            {
                "errorsWhileComputingFlags": False,
                "flags": {},
                "quotaLimited": [],
                "requestId": str(uuid.uuid4()),
                "evaluatedAt": int(time.time() * 1000),
            }
        )

    async def _capture(self, request: Request) -> Response:
        body = await _json(request)
        if body is None:
            return PlainTextResponse("failed to parse request: invalid JSON", 400)
        key = body.get("api_key", body.get("token"))
        if not isinstance(key, str) or not _KEY_SHAPE.fullmatch(key) or key.startswith("phx_"):
            return PlainTextResponse(
                "API key is not valid: personal_api_key" if key else "event submitted without an api_key", 401
            )
        request.state.authenticated_as = self._project_caller(key)
        if self._faults.billing_limit:
            return PlainTextResponse("billing limit reached", 429)
        if self._seconds_to_wait(key):
            return PlainTextResponse("rate limited", 429)
        return json_answer({"status": "Ok"})

    async def _me(self, request: Request) -> Response:
        async def profile() -> Response:
            return json_answer(
                {
                    "uuid": "0191e5a4-7c3e-0000-9d5a-7f3f1d1c9b11",
                    "distinct_id": "runbook-service-account",
                    "first_name": "Integration",
                    "email": "integration@example.com",
                    "is_active": True,
                    "organization": {"name": "Example"},
                }
            )

        return await self._authorised(request, _SCOPES["/api/users/@me/"], profile)

    async def _resource(self, request: Request) -> Response:
        resource = request.path_params["resource"]

        async def listing() -> Response:
            return json_answer({"count": 0, "next": None, "previous": None, "results": []})

        return await self._authorised(request, f"{resource.removesuffix('s')}:read", listing)

    async def _authorised(
        self, request: Request, scope: str, answer: Callable[[], Awaitable[Response]]
    ) -> Response:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            detail = "Authentication credentials were not provided."
            return _error(401, "authentication_error", "not_authenticated", detail)
        if key != self._keys.personal_key.get_secret_value() or self._faults.personal_key == "expired":
            detail = "Personal API key found in request Authorization header is invalid."
            return _error(401, "authentication_error", "authentication_failed", detail)
        request.state.authenticated_as = "personal key"
        wait = self._seconds_to_wait(key)
        if wait:
            seconds = math.ceil(wait)
            detail = (
                f"Request was throttled. Expected available in {seconds} second{'s' if seconds > 1 else ''}."
            )
            return _error(429, "throttled_error", "throttled", detail, {"Retry-After": str(seconds)})
        if scope in self._faults.missing_scopes:
            detail = f"API key missing required scope '{scope}'"
            return _error(403, "authentication_error", "permission_denied", detail)
        return await answer()

    def _project_caller(self, key: str) -> str | None:
        if key == self._keys.replacement_project_key.get_secret_value():
            return "replacement project key"
        if key == self._keys.project_key.get_secret_value() and self._faults.project_key == "valid":
            return "project key"
        return None

    def _seconds_to_wait(self, key: str) -> float:
        limit = self._faults.limit_per_second
        if limit is None:
            return 0.0
        bucket = self._buckets.setdefault(key, Bucket(limit, burst=max(1.0, limit)))
        return bucket.take(time.monotonic())


async def _json(request: Request) -> dict[str, Any] | None:
    try:
        body = await request.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
