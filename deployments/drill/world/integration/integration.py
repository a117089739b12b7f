"""The integration service: its traffic to PostHog, its health and its metrics.

About twenty events a second arrive and go round the ready pods. Each pod calls PostHog with the key
that it got when it started, so a changed secret has no effect until the pods are new.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deployments.drill.world.clock import Clock, utc_now
from deployments.drill.world.faults import IntegrationFaults
from deployments.drill.world.integration.pods import LABELS, POD_COUNT, Pod, PodHost
from deployments.drill.world.prometheus.metrics import Exporter
from deployments.drill.world.servers.answers import json_answer
from deployments.drill.world.servers.pacing import Bucket

EVENTS_PER_SECOND = 20
QUEUED_PER_SECOND = 4.0
"""What the pods together send in queue mode: below the limit of any scenario."""

_HEALTH_WINDOW_SECONDS = 2.0
_CALL_TIMEOUT_SECONDS = 2.0
_MOST_CALLS_AT_ONCE = 40
_USERS = ("maria@example.com", "jun@example.com", "oluwaseun@example.com", "ana@example.com")


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    series: str
    """Value of the ``path`` label: bounded, unlike paths."""
    personal: bool = False


_FLAGS = _Call("POST", "/flags?v=2", "/flags")
_CAPTURE = _Call("POST", "/i/v0/e/", "/i/v0/e/")
_SYNC = _Call("GET", "/api/projects/1/feature_flags/", "/api/projects", personal=True)
_CALLS = (_FLAGS, _SYNC, _FLAGS, _FLAGS, _CAPTURE)


@dataclass(frozen=True, slots=True)
class _Delivery:
    failure: str | None
    detail: str
    seconds: float


class Integration:
    """The service in the cluster's pods, fed by :meth:`run`."""

    def __init__(self, cluster: PodHost, *, clock: Clock = utc_now) -> None:
        """Serve from the cluster's pods; calls go to the host in each pod's ``POSTHOG_HOST``."""
        self.faults = IntegrationFaults()
        self.exporter = Exporter()
        self._cluster = cluster
        self._clock = clock
        self._queue = Bucket(QUEUED_PER_SECOND, burst=1)
        self._arrived = 0
        self._greeted: set[tuple[str, int]] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self.app = Starlette(routes=[Route("/health", self._health), Route("/metrics", self._metrics)])

    async def run(self) -> None:
        """Feed events to the pods until cancelled."""
        limits = httpx.Limits(max_connections=_MOST_CALLS_AT_ONCE, max_keepalive_connections=10)
        async with httpx.AsyncClient(timeout=_CALL_TIMEOUT_SECONDS, limits=limits, trust_env=False) as client:
            self._client = client
            try:
                await self._feed()
            finally:
                self._client = None
                for call in self._calls:
                    call.cancel()
                await asyncio.gather(*self._calls, return_exceptions=True)

    async def _feed(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._arrive()
            due = max(due + 1 / EVENTS_PER_SECOND, loop.time() - 1)  # after a stall, at most a second's worth
            await asyncio.sleep(due - loop.time())

    def _arrive(self) -> None:
        pods = [pod for pod in self._cluster.pods(LABELS) if pod.ready]
        for pod in pods:
            self._greet(pod)
        if not pods:
            return
        self._arrived += 1
        pod = pods[self._arrived % len(pods)]
        if _falls_back(pod):
            self.exporter.buffer()
            return
        if _queues(pod) and self._queue.take(time.monotonic()):
            return
        if len(self._calls) < _MOST_CALLS_AT_ONCE:
            call = asyncio.create_task(self._call(pod, _CALLS[self._arrived // 2 % len(_CALLS)]))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    def _greet(self, pod: Pod) -> None:
        if (pod.name, pod.restarts) in self._greeted:
            return
        self._greeted.add((pod.name, pod.restarts))
        # Careless on purpose: services do log their settings, and the evidence must not keep the key.
        self._log(
            pod, "INFO", f"posthog client ready host={_host(pod)} api_key={pod.env.get('POSTHOG_API_KEY')}"
        )

    async def _call(self, pod: Pod, call: _Call) -> None:
        user = _USERS[self._arrived % len(_USERS)]
        outcome = await self._request(pod, call, user)
        self.exporter.count(
            path=call.series, failure=outcome.failure, seconds=outcome.seconds, now=time.monotonic()
        )
        if outcome.failure is not None:
            path = call.path.partition("?")[0]
            line = (
                f"posthog request failed status={outcome.failure} path={path} "
                f'distinct_id={user} detail="{outcome.detail}"'
            )
            self._log(pod, "ERROR", line)

    async def _request(self, pod: Pod, call: _Call, user: str) -> _Delivery:
        assert self._client is not None  # noqa: S101  calls live only within run()
        started = time.monotonic()
        headers: dict[str, str] = {}
        content: dict[str, Any] | None = None
        if call.personal:
            headers["Authorization"] = f"Bearer {pod.env.get('POSTHOG_PERSONAL_API_KEY', '')}"
        else:
            content = {
                "api_key": pod.env.get("POSTHOG_API_KEY", ""),
                "distinct_id": user,
                "event": "order placed",
            }
        try:
            answer = await self._client.request(
                call.method, _host(pod) + call.path, headers=headers, json=content
            )
        except httpx.TimeoutException:
            return _Delivery("timeout", "no answer in time", time.monotonic() - started)
        except httpx.TransportError as error:
            return _Delivery("connection", type(error).__name__, time.monotonic() - started)
        failure = str(answer.status_code) if answer.status_code >= 400 else None
        return _Delivery(failure, " ".join(answer.text[:160].split()), time.monotonic() - started)

    def _log(self, pod: Pod, level: str, line: str) -> None:
        stamp = self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        # The pod may have gone since the call began; its log went with it.
        if any(running.name == pod.name for running in self._cluster.pods(LABELS)):
            self._cluster.write_log(pod.name, f"{stamp} {level} {line}")

    async def _metrics(self, _request: Request) -> Response:
        return Response(self.exporter.text(), media_type="text/plain; version=0.0.4")

    async def _health(self, _request: Request) -> Response:
        health = self.health()
        return json_answer(health, 503 if health["status"] == "unhealthy" else 200)

    def health(self) -> dict[str, Any]:
        """Return what ``/health`` answers: worst of pods, PostHog calls of the last 2 s, and database."""
        ready = [pod for pod in self._cluster.pods(LABELS) if pod.ready]
        posthog = self._posthog_health(ready)
        database = {"status": self.faults.database}
        workers = {
            "status": "unhealthy" if not ready else "degraded" if len(ready) < POD_COUNT else "healthy",
            "ready": len(ready),
            "desired": POD_COUNT,
        }
        statuses = {posthog["status"], database["status"], workers["status"]}
        worst = next(status for status in ("unhealthy", "degraded", "healthy") if status in statuses)
        return {
            "status": worst,
            "mode": posthog["mode"],
            "checked_at": self._clock().isoformat(),
            "services": {"posthog": posthog, "database": database, "workers": workers},
        }

    def _posthog_health(self, ready: list[Pod]) -> dict[str, Any]:
        mode = "normal"
        if ready and all(_falls_back(pod) for pod in ready):
            mode = "fallback"
        elif ready and all(_queues(pod) for pod in ready):
            mode = "queue"
        calls = self.exporter.recent(now=time.monotonic(), seconds=_HEALTH_WINDOW_SECONDS)
        failures = Counter(failure for failure in calls if failure is not None)
        share = failures.total() / len(calls) if calls else 0.0
        status = "unhealthy" if share >= 0.5 else "degraded" if share >= 0.05 else "healthy"
        answer: dict[str, Any] = {"status": status, "mode": mode, "error_share": round(share, 3)}
        if failures:
            answer["last_errors"] = dict(failures)
        if mode == "fallback":
            return {"status": "healthy", "mode": mode, "error_share": 0.0}
        if not ready:
            return {"status": "unhealthy", "mode": mode, "reason": "no pod is ready"}
        return answer


def _host(pod: Pod) -> str:
    return pod.env.get("POSTHOG_HOST", "")


def _falls_back(pod: Pod) -> bool:
    return pod.env.get("POSTHOG_FALLBACK", "").lower() == "true"


def _queues(pod: Pod) -> bool:
    return pod.env.get("RATE_LIMIT_MODE", "") == "queue"
