"""Prefect's own application, for a server on SQLite: a busy database costs its clients a moment, not minutes.

What comes in goes past the guard first, see `prefect_guard`.

SQLite refuses a write while another one is under way, and Prefect answers 503. Its clients then wait two
seconds and more, unless the answer says how long: the other write takes milliseconds. Before it refuses,
Prefect waits for 60 seconds; two of its writes have been seen to wait for each other that long.
"""

import os
from pathlib import Path
from typing import Any

from prefect.server.api.server import create_app as prefects_app
from prefect.settings import get_current_settings
from sqlalchemy import Pool, event
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.prefect.guard import Guard
from deployments.prefect.login import LoginFirst
from deployments.prefect.ui_address import SameAddress
from deployments.prefect.wake import FOLDER, WakeWorkers
from deployments.processes.umask import keep_files_private

RETRY_AFTER = b"0.1"
"""Seconds, to which Prefect's clients add a jitter."""

BUSY_MILLISECONDS = 5_000
"""How long a write waits for another one."""


class RetrySoon:
    """ASGI middleware that adds `retry-after` to each 503."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through."""

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 503:
                message["headers"] = [*message.get("headers", ()), (b"retry-after", RETRY_AFTER)]
            await send(message)

        await self._app(scope, receive, send_with_header)


def create_app() -> ASGIApp:
    """The application, made once per process.

    The guard is around it, not in it: inside the process, Prefect's services call it by another host's name.

    Raises:
        RuntimeError: it has no password.
    """
    keep_files_private()
    api = get_current_settings().server.api
    if api.auth_string is None:
        raise RuntimeError("Prefect's server has no password: PREFECT_SERVER_API_AUTH_STRING is not set")
    event.listen(Pool, "checkout", _wait_less)
    app = prefects_app()
    app.add_middleware(RetrySoon)
    if folder := os.environ.get(FOLDER):
        app.add_middleware(WakeWorkers, folder=Path(folder))
    app.add_middleware(LoginFirst)
    origins = api.cors_allowed_origins.split(",")
    app.add_middleware(SameAddress, origins=origins)
    return Guard(app, origins=origins, password=api.auth_string.get_secret_value())


def _wait_less(connection: Any, record: Any, _proxy: Any) -> None:
    """Once per connection, and at its first use: Prefect has set its own time by then."""
    if "busy_timeout" not in record.info:
        record.info["busy_timeout"] = BUSY_MILLISECONDS
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        cursor.close()
