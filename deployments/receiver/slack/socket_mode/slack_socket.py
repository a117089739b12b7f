"""The receiver's socket at Slack: opened, renewed when Slack wants it, opened again after a growing pause."""

import asyncio
import contextlib
import logging
from functools import partial
from time import monotonic

from blocks.transport.errors import OutsideError, Unavailable
from deployments.processes.json_log import log_event
from deployments.receiver.connections.body import Rejected
from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.slack.requests import SlackDoor, settings_now
from deployments.receiver.slack.settings import slack_target
from deployments.receiver.slack.socket_mode.client import OneSocket
from deployments.receiver.slack.socket_mode.envelopes import take_envelope
from deployments.receiver.slack.socket_mode.opening import socket_url
from deployments.receiver.slack.socket_mode.standing import Standing
from deployments.receiver.told_once import ToldOnce
from runbook.redaction import redact

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds before a socket is opened again that could not be, each time twice as long as before."""

SHORTEST = 1.0
"""Seconds that a socket has to last for the next one to be opened at once."""

NO_SOCKET = "no socket at Slack"

log = logging.getLogger("runbook.receiver")


class SlackSocket:
    """Keeps a socket open. `status` says how it stands, for `/readyz`, which anybody may read."""

    def __init__(self, door: SlackDoor, metrics: ReceiverMetrics) -> None:
        self._door, self._metrics = door, metrics
        self._standing = Standing(metrics.watch_slack_socket())
        self._trouble = ToldOnce(log)
        self._failures = 0
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def status(self) -> str:
        """One line."""
        return self._standing.told

    async def run(self) -> None:
        """Have a socket until cancelled; the next is opened before the one that Slack renews is closed."""
        try:
            while True:
                try:
                    await self._one()
                except Exception as error:  # people act elsewhere; the next attempt may be spared it
                    await asyncio.sleep(self._failed(error))
        finally:
            self._standing.down()
            if self._ending:
                await asyncio.wait(self._ending)

    async def _one(self) -> None:
        settings = await asyncio.to_thread(settings_now, self._door)
        token, target = settings.receiver.slack.app_token, slack_target(settings.origin)
        if token is None:
            raise Rejected(404, "closed", "app_token is gone from [receiver.slack]: restart the receiver")
        url = await socket_url(target.base_url, token)
        socket = OneSocket(url, partial(take_envelope, self._door, self._metrics))
        try:
            await socket.open()
            self._opened()
            began = monotonic()
            await socket.ended()
            lasted = monotonic() - began
            log_event(log, "the socket at Slack ended", why=socket.why)
            self._standing.renewing(socket.why)
        finally:
            self._finish(socket)
        if lasted >= SHORTEST:
            self._failures = 0
        if socket.why not in _RENEWED or lasted < SHORTEST:
            self._standing.down()
            raise Unavailable("Slack", f"the socket ended: {socket.why}", "It is opened again")

    def _opened(self) -> None:
        self._standing.opened()
        self._trouble.well(NO_SOCKET)
        log_event(log, "a socket at Slack is open")

    def _failed(self, error: Exception) -> float:
        """Tell what went wrong, and say for how many seconds to wait."""
        pause = min(FIRST_PAUSE * 2.0 ** min(self._failures, 10), LONGEST_PAUSE)
        self._failures += 1
        if isinstance(error, OutsideError):
            what, more = f"{error.system}: {error.detail}", f". {error.next_step}"
            wish = error.retry_after_seconds if isinstance(error, Unavailable) else None
            pause = max(pause, wish or 0.0)
        elif isinstance(error, Rejected):
            what, more = error.error, ""
        else:
            what, more = type(error).__name__, f": {redact(str(error))}"
        self._standing.down(what)
        self._trouble.wrong(NO_SOCKET, error=f"{what}{more}", level=logging.ERROR)
        return pause

    def _finish(self, socket: OneSocket) -> None:
        task = asyncio.create_task(_finished(socket))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


_RENEWED = frozenset({"refresh_requested", "warning"})
"""Why Slack ends a socket that is to be opened again at once."""


async def _finished(socket: OneSocket) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        await socket.finish()
