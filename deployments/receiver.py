"""The alert receiver: authenticates the sender, bounds and reads the body, answers when the alert is durable.

    python -m deployments.receiver --config runbook.toml

A 202 means that the incident is in the store. Prefect need not be up for that: the response is started as
soon as it is.
"""

import argparse
import asyncio
import hmac
import json
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from blocks.errors import OutsideError
from blocks.store import IncidentStore
from deployments.intake import Intake
from deployments.json_log import log_event, log_json_to
from deployments.settings import ConfigurationError, ReceiverSettings, Settings, find_config, load_settings
from deployments.starting import Launch, Starter
from runbook.alertmanager import UnreadablePayload, alerts_of
from runbook.incident import Incident
from runbook.plain_alert import plain_alert

BODY_SECONDS = 10.0
"""How long a sender may take to send its body."""

log = logging.getLogger("runbook.receiver")


class Rejected(Exception):
    """A request that is not taken, and what its sender can do about it."""

    def __init__(self, status: int, error: str, next_step: str) -> None:
        self.status = status
        self.error = error
        self.next_step = next_step
        super().__init__(error)


def create_app(
    config: ReceiverSettings, store: IncidentStore, launch: Launch, *, environment: str = "default"
) -> FastAPI:
    """The receiver's application. `launch` starts the response to an incident, see `Launch`."""
    starter = Starter(store, launch)
    intake = Intake(store, environment=environment, opened=starter.start)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        starting = asyncio.create_task(starter.run())
        yield
        starting.cancel()

    app = FastAPI(title="Runbook alert receiver", lifespan=lifespan, openapi_url=None)
    _answer_failures(app)

    @app.post("/alerts/alertmanager")
    async def take_alertmanager(request: Request) -> JSONResponse:
        """Alertmanager's or Grafana's webhook."""
        taken = await intake.take(alerts_of(await _payload(request, config)))
        return JSONResponse(taken.as_json(), status_code=202)

    @app.post("/alerts")
    async def take_plain(request: Request) -> JSONResponse:
        """One alert as plain JSON, see `runbook.plain_alert.PlainAlert`."""
        taken = await intake.take([plain_alert(await _payload(request, config))])
        return JSONResponse(taken.as_json(), status_code=202)

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def ready() -> dict[str, Any]:
        """Whether alerts can be made durable. That incidents wait for Prefect is no reason to refuse more."""
        await store.incidents(limit=1)
        return {"status": "ready", "waiting_for_prefect": list(starter.waiting)}

    return app


async def _payload(request: Request, config: ReceiverSettings) -> Any:
    _authenticate(request, config)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Rejected(415, "the body is not declared as JSON", "Send content-type: application/json")
    body = await _body(request, config.max_body_bytes)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Rejected(400, "the body is not JSON", "Send one JSON object in UTF-8") from None


def _authenticate(request: Request, config: ReceiverSettings) -> None:
    if config.token is None:
        raise Rejected(401, "this receiver has no token, so it takes no alerts", "Set [receiver] token")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    wanted = config.token.get_secret_value().encode()
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode("latin-1"), wanted):
        advice = "Send `authorization: Bearer` with the token of [receiver] in the settings"
        raise Rejected(401, "no valid bearer token", advice)


async def _body(request: Request, limit: int) -> bytes:
    """Read at most `limit` bytes; a longer body is refused without reading it to its end."""
    too_long = Rejected(
        413, f"the body is longer than {limit} bytes", "Send fewer alerts, or raise max_body_bytes"
    )
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise too_long
    except TimeoutError:
        raise Rejected(408, f"the body took longer than {BODY_SECONDS:.0f} s", "Send it at once") from None
    except ClientDisconnect:
        raise Rejected(400, "the body ended early", "Send it again") from None
    return bytes(body)


_HEADERS = {
    401: {"www-authenticate": "Bearer"},
    408: {"connection": "close"},  # the rest of the body would be read for ever
    413: {"connection": "close"},
}


def _answer_failures(app: FastAPI) -> None:
    """Every refusal is JSON with an `error` and a `next_step`."""

    @app.exception_handler(Rejected)
    async def rejected(request: Request, error: Rejected) -> JSONResponse:
        headers = _HEADERS.get(error.status)
        return _refusal(request, error.status, error.error, error.next_step, headers)

    @app.exception_handler(UnreadablePayload)
    async def unreadable(request: Request, error: UnreadablePayload) -> JSONResponse:
        return _refusal(request, 422, str(error), "Correct that field")

    @app.exception_handler(OutsideError)
    async def not_durable(request: Request, error: OutsideError) -> JSONResponse:
        return _refusal(
            request, 503, f"{error.system}: {error.detail}", "Send the alert again", {"retry-after": "5"}
        )

    @app.exception_handler(HTTPException)
    async def no_such_route(request: Request, error: HTTPException) -> JSONResponse:
        return _refusal(
            request, error.status_code, error.detail.lower(), "POST /alerts/alertmanager or /alerts"
        )


def _refusal(
    request: Request, status: int, error: str, next_step: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    log_event(
        log, "request refused", level=logging.WARNING, path=request.url.path, status=status, error=error
    )
    return JSONResponse({"error": error, "next_step": next_step}, status_code=status, headers=headers)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM. Returns 1 with one line on stderr where that is not possible."""
    parser = argparse.ArgumentParser(prog="python -m deployments.receiver", description="The alert receiver.")
    parser.add_argument(
        "--config", type=Path, help="settings file (else RUNBOOK_CONFIG, else ./runbook.toml)"
    )
    parser.add_argument("--host", help="listen here instead of [receiver] host")
    parser.add_argument("--port", type=int, help="listen here instead of [receiver] port")
    chosen = parser.parse_args(arguments)
    path = find_config(chosen.config)
    if path is None:
        print("There is no runbook.toml here: give --config FILE or set RUNBOOK_CONFIG", file=sys.stderr)
        return 1
    try:
        settings = load_settings(path, systems=False)
        settings.make_folders()
        listener = _listen(
            chosen.host or settings.receiver.host,
            settings.receiver.port if chosen.port is None else chosen.port,
        )
    except (ConfigurationError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    log_json_to(sys.stderr)
    _serve(settings, listener)
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        advice = "stop what listens there, or set another [receiver] port"
        cause = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"cannot listen on {host} port {port} ({cause}): {advice}") from None


def _serve(settings: Settings, listener: socket.socket) -> None:
    from deployments.launch import start_run

    store = IncidentStore(url=settings.store_url)

    async def launch(incident: Incident) -> str:
        return await start_run(incident, store=store)

    app = create_app(settings.receiver, store, launch, environment=settings.prefect.environment)
    if settings.receiver.token is None:
        log_event(log, "every alert will be refused: [receiver] has no token", level=logging.ERROR)
    host, port = listener.getsockname()[:2]
    log_event(log, "listening", host=host, port=port)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=5
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
