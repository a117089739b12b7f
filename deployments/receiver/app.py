"""The alert receiver's application: a path for each source of alerts, and what operators ask it.

A 2xx means that the alerts are in the store. Prefect need not be up for that.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from blocks.store.alerts import receive
from blocks.store.journal import IncidentStore
from blocks.transport.errors import OutsideError
from deployments.receiver.connections.body import STRANGERS_BYTES, Budget, Rejected
from deployments.receiver.connections.few_lines import FewLines
from deployments.receiver.home import Home, add_home, is_from_here
from deployments.receiver.intake import Intake, log_received, new_id
from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.notifications import AlertPaths, Endpoint, Notifications
from deployments.receiver.page import describe, page
from deployments.receiver.people.pagers import heard_at_pager
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.slack.chat import Chat
from deployments.receiver.sources.confirmations import Confirmations
from deployments.receiver.starting import Responses, Starter
from deployments.receiver.store_watch import StoreWatch
from deployments.receiver.watching import (
    SelfWatching,
    look_after,
    serve_others,
    start_due_after_acts,
    watch_self,
)
from deployments.services.environments import OtherEnvironments
from deployments.settings.settings import Settings
from runbook.alerts.intake import Message, Received
from runbook.alerts.sources import SELF_WATCH, Source
from runbook.alerts.unrouted import Routing
from runbook.outside_text import let_in_line
from runbook.policy.permissions import Permissions

RETRY_SECONDS = 5

_TAGS = [
    {"name": "alerts", "description": "A path for each source of alerts."},
    {"name": "people", "description": "Reading incidents, and acting in them."},
    {"name": "operations", "description": "For who runs the receiver."},
]
"""In the order of the description."""

log = logging.getLogger("runbook.receiver")
few_lines = FewLines(log)


def create_app(
    config: ReceiverSettings,
    store: IncidentStore,
    responses: Responses,
    *,
    service: str,
    environment: str = "default",
    permissions: Permissions | None = None,
    look_after_every: float = 30.0,
    self_watching: SelfWatching | None = None,
    settings: Callable[[], Settings] | None = None,
    metrics: ReceiverMetrics | None = None,
    home: Home | None = None,
    confirmations: Confirmations | None = None,
    routing: Routing | None = None,
    others: OtherEnvironments | None = None,
) -> ASGIApp:
    """The receiver's application. `responses` starts the response to an incident, see `Responses`;
    `permissions` are noted in the journal of each incident that opens.

    At an interval it checks the runs of the incidents, see `tasks.caretaking.watchdog`; with
    `self_watching`, also the runbook itself. With `settings`, which reads them again, people can act
    through `/api`. `home` is what the page at `/` tells of the settings. `confirmations` keeps what SNS
    asks for. `routing` says which services this environment acts for, and `others` for which of the others'
    environments the receiver responds too.
    """
    metrics = metrics or ReceiverMetrics()
    routed = _routed(routing or Routing(known=frozenset(config.known_services)), others)
    starter = Starter(store, responses, metrics)
    store_watch = StoreWatch(store, responses, metrics)

    async def write(messages: Sequence[Message]) -> list[Received]:
        try:
            received = await receive(
                store,
                messages,
                environment=environment,
                new_id=new_id,
                flapping_episodes=config.flapping_episodes,
                reopen_within=timedelta(minutes=config.reopen_within_minutes),
                routing=routed(),
                permissions=permissions,
            )
        except OutsideError as error:
            store_watch.failed(error)
            raise
        store_watch.succeeded()
        return received

    def written(messages: Sequence[Message], received: Sequence[Received]) -> None:
        metrics.count(messages, received)
        for message, one in zip(messages, received, strict=True):
            log_received(message, one)
            starter.heard(one)

    intake = Intake(write, written=written)
    metrics.watch_queue(lambda: intake.waiting)
    notifications = Notifications(
        config, service, intake, Budget(), Budget(STRANGERS_BYTES, for_strangers=True), confirmations, routed
    )

    chat = Chat(settings, config.slack, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loops = [
            intake.run(),
            starter.run(),
            store_watch.run(),
            look_after(responses, every=look_after_every),
            start_due_after_acts(responses, chat.acted),
            *chat.loops(),
        ]
        if self_watching is not None:
            loops.append(watch_self(self_watching, metrics.watch_self()))
        if others is not None and others.names:
            loops.append(serve_others(others, store, intake.take))
        running = [asyncio.create_task(loop) for loop in loops]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await chat.drain()

    app = FastAPI(
        title="Runbook alert receiver", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_tags=_TAGS
    )
    _answer_failures(app, config)
    door = chat.add(app, store)
    endpoints = _add_sources(app, config, heard_at_pager(notifications, door), metrics)
    _add_operations(app, store_watch, starter, metrics, others, chat)
    add_home(app, home or Home(config, service, {}, Path()), starter, door)
    return AlertPaths(app, endpoints)


def _routed(own: Routing, others: OtherEnvironments | None) -> Callable[[], Routing]:
    return lambda: own if others is None else others.routing


def _add_sources(
    app: FastAPI, config: ReceiverSettings, notifications: Notifications, metrics: ReceiverMetrics
) -> dict[str, Endpoint]:
    endpoints = {path: _endpoint(source, notifications, metrics) for path, source in config.paths.items()}
    for path, source in config.paths.items():
        app.post(path, **describe(source))(endpoints[path])
    return endpoints | {f"/alerts/{SELF_WATCH.name}": _endpoint(SELF_WATCH, notifications, metrics)}


def _endpoint(source: Source, notifications: Notifications, metrics: ReceiverMetrics) -> Endpoint:
    """What answers the notifications of one source."""
    accepted = metrics.accepted.labels(source.name)
    seconds = metrics.seconds.labels(source.name)

    async def take(request: Request) -> Response:
        began = perf_counter()
        try:
            status, answer = await notifications.take(source, request)
        except Rejected as error:
            metrics.refused.labels(source.name, error.reason).inc()
            return _refusal(request, error.status, error.error, error.next_step, error.operator_step)
        except OutsideError as error:
            metrics.refused.labels(source.name, "not durable").inc()
            return _not_durable(request, error)
        finally:
            seconds.observe(perf_counter() - began)
        accepted.inc()
        return Response(orjson.dumps(answer), status_code=status, media_type="application/json")

    return take


def _add_operations(
    app: FastAPI,
    store_watch: StoreWatch,
    starter: Starter,
    metrics: ReceiverMetrics,
    others: OtherEnvironments | None,
    chat: Chat,
) -> None:
    @app.get("/healthz", tags=["operations"], summary="Whether the process answers")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["operations"], summary="Whether alerts can be made durable")
    async def ready() -> dict[str, Any]:
        """503 without the store. That Prefect is away is told, but is no reason to refuse more alerts."""
        await store_watch.require()
        prefect = {None: "not asked yet", True: "reachable", False: "unreachable"}[starter.prefect_up]
        told = {
            "status": "ready",
            "prefect": prefect,
            "waiting_for_prefect": list(starter.waiting),
        } | chat.told()
        if others is None or not others.names:
            return told
        return told | {"environments": {"served": len(others.served), "named": len(others.names)}}

    @app.get("/metrics", tags=["operations"], summary="Metrics in Prometheus' format")
    async def scrape() -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    description = cache(lambda: page(app.openapi()))  # anybody may ask for it, again and again

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(description(), media_type="text/html; charset=utf-8")


_HEADERS = {
    401: {"www-authenticate": "Bearer"},
    408: {"connection": "close"},  # the rest of the body would be read for ever
    413: {"connection": "close"},
    503: {"retry-after": str(RETRY_SECONDS)},
}


def _answer_failures(app: FastAPI, config: ReceiverSettings) -> None:
    """Every refusal is JSON with an `error` and a `next_step`.

    What is wrong with the store has paths of this machine in it, so others only read that it is.
    """

    @app.exception_handler(OutsideError)
    async def not_ready(request: Request, error: OutsideError) -> JSONResponse:
        why = f"{error.system}: {error.detail}"
        answer = _refusal(request, 503, why, error.next_step)
        if is_from_here(request, config):
            return answer
        told = {"error": f"{error.system}: it cannot be used", "next_step": "See the receiver's log"}
        return JSONResponse(told, status_code=503, headers=_HEADERS[503])

    @app.exception_handler(HTTPException)
    async def no_such_route(request: Request, error: HTTPException) -> JSONResponse:
        paths = ", ".join(config.paths)
        return _refusal(
            request,
            error.status_code,
            error.detail.lower(),
            f"POST to one of {paths}; GET /docs describes them",
        )


def _not_durable(request: Request, error: OutsideError) -> JSONResponse:
    return _refusal(request, 503, f"{error.system}: {error.detail}", "Send the alert again")


def _refusal(
    request: Request, status: int, error: str, next_step: str, operator_step: str | None = None
) -> JSONResponse:
    path = let_in_line(request.url.path, 200)
    few_lines.log_event(
        "request refused",
        level=logging.WARNING,
        path=path,
        status=status,
        error=error,
        next_step=operator_step,
    )
    answer = {"error": error, "next_step": next_step} if next_step else {"error": error}
    return JSONResponse(answer, status_code=status, headers=_HEADERS.get(status))
