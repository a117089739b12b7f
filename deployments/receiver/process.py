"""The alert receiver as a process: reads the settings, listens, and drains when it is told to end.

python -m deployments.receiver --config runbook.toml
"""

import argparse
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from blocks.store.journal import IncidentStore
from blocks.transport.errors import OutsideError
from deployments.processes.json_log import log_event, log_json_to
from deployments.processes.output import never_fail
from deployments.processes.umask import keep_files_private
from deployments.receiver.app import create_app
from deployments.receiver.authentication import is_open
from deployments.receiver.connections.local_socket import LocalSocket, SocketInUse
from deployments.receiver.connections.places import TooFewFiles, places
from deployments.receiver.connections.server import DoorServer
from deployments.receiver.home import Home
from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.sources.confirmations import Confirmations
from deployments.receiver.watching import SelfWatching
from deployments.services.environments import OtherEnvironments
from deployments.settings.file import read_tables
from deployments.settings.secrets import Unusable
from deployments.settings.settings import ConfigurationError, Settings, find_config, load_settings
from runbook.outside_text.terminal import masked_on_terminal
from runbook.policy.permissions import Permissions

DRAIN_SECONDS = 15
"""How long notifications that were let in may take to be made durable after SIGTERM."""

log = logging.getLogger("runbook.receiver")


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM. Returns 1 with one line on stderr where that is not possible."""
    keep_files_private()
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
        made = settings.make_folders()
        room = places(settings.receiver.max_connections)
        listener = _listen(
            chosen.host or settings.receiver.host,
            settings.receiver.port if chosen.port is None else chosen.port,
        )
    except (ConfigurationError, TooFewFiles, OutsideError, OSError) as error:
        print(masked_on_terminal(str(error)), file=sys.stderr)
        return 1
    never_fail()
    log_json_to(sys.stderr)
    for line in made:
        log_event(log, "folder", what=line)
    for line in settings.warning_lines():
        log_event(log, "settings warning", level=logging.WARNING, what=line)
    with ExitStack() as local:
        try:
            sockets = [listener, *_local_socket(settings, local)]
        except OSError as error:
            print(error.strerror or error, file=sys.stderr)
            return 1
        _serve(settings, sockets, room)
    return 0


def _local_socket(settings: Settings, resources: ExitStack) -> list[socket.socket]:
    """The socket through which people of this machine act; none where another receiver has it.

    If none can be created, alerts are accepted anyway, unless the settings ask for it.

    Raises:
        OSError: it cannot be made; one line says why and what to do.
    """
    path = settings.socket_path
    if path is None:
        return []
    local = LocalSocket(path, group=settings.receiver.socket_group)
    try:
        opened = resources.enter_context(local)
    except SocketInUse as error:
        log_event(log, "no local socket here", error=error.strerror, level=logging.WARNING)
        return []
    except OSError as error:
        if {"socket", "socket_group"} & settings.receiver.model_fields_set:
            raise
        log_event(log, "no local socket", error=error.strerror, path=str(path), level=logging.WARNING)
        return []
    log_event(log, "listening", path=str(path))
    return [opened.listener]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        advice = "stop the process that listens there, or set another [receiver] port"
        cause = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"cannot listen on {host} port {port} ({cause}): {advice}") from None


SWITCH_SECONDS = 0.001
"""How long the thread of the store may keep the interpreter from answering; Python's default is 5 ms."""


def _serve(settings: Settings, sockets: list[socket.socket], room: int) -> None:
    from deployments.receiver.launch import PrefectResponses

    store = IncidentStore(url=settings.store_url)
    others = OtherEnvironments(settings.routing, settings.store_url)
    responses = PrefectResponses(store, settings, others)
    metrics = ReceiverMetrics()
    app = create_app(
        settings.receiver,
        store,
        responses,
        service=settings.policy.service,
        environment=settings.prefect.environment,
        permissions=Permissions.of(settings.policy),
        look_after_every=settings.policy.takeover_after_seconds,
        self_watching=_self_watching(settings, store, responses.page_about_the_runbook),
        settings=partial(load_settings, settings.origin, systems=False),
        metrics=metrics,
        routing=settings.routing,
        others=others,
        confirmations=Confirmations(settings.confirmations_folder),
        home=Home(
            settings.receiver, settings.policy.service, _written(settings.origin), settings.origin.parent
        ),
    )
    host, port = sockets[0].getsockname()[:2]
    sources = settings.receiver.paths.values()
    taken = [source.name for source in sources if is_open(source.name, settings.receiver)]
    log_event(log, "listening", host=host, port=port, sources=", ".join(taken) or "none", connections=room)
    if not taken:
        log_event(log, "every alert will be refused: [receiver] has no credential", level=logging.ERROR)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    most = settings.receiver.max_body_bytes
    DoorServer(config, places=room, most_body_bytes=most, metrics=metrics).run(sockets=sockets)


def _written(origin: Path) -> Mapping[str, Any]:
    """`[receiver]` as it is written: the page names a secret by its reference. Without it, by a word."""
    try:
        table = read_tables(origin).get("receiver", {})
    except Unusable:
        return {}
    return table if isinstance(table, dict) else {}


def _self_watching(
    settings: Settings, store: IncidentStore, page: Callable[[str], Awaitable[bool]]
) -> SelfWatching | None:
    own = settings.self_watch
    if own is None:
        return None
    return SelfWatching(store, settings.prefect.environment, timedelta(seconds=own.every), page)


if __name__ == "__main__":
    sys.exit(main())
