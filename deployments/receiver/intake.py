"""Alerts on their way into the store: what comes in while a transaction runs makes up the next one.

So a storm costs few commits, and one alert by itself waits for nobody. The queue is bounded: what does not
fit is refused, for its sender to try again.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from blocks.transport.errors import OutsideError, Unavailable
from deployments.processes.json_log import log_event
from runbook.alerts.alert import Alert
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Message, Received
from runbook.incidents.ids import new_incident_id

Write = Callable[[Sequence[Message]], Awaitable[list[Received]]]
"""Makes messages durable, all or none; raises `OutsideError` where it cannot."""

Written = Callable[[Sequence[Message], Sequence[Received]], None]
"""Is told what became of the messages of a batch."""

BATCH_MESSAGES = 500
TOGETHER_SECONDS = 0.001
TOGETHER_TIMES = 10
"""A batch of a storm waits for more, so long and at most so often, as long as more comes: callers that were
answered together call again together, and a batch costs a commit and a dozen statements whatever its size."""

MAX_WAITING = 20_000
"""Messages; each is a few kilobytes at most."""

DEFECT = "the alerts could not be written"

log = logging.getLogger("runbook.receiver")


class Overloaded(Exception):
    """More alerts wait than are kept in memory."""


@dataclass(frozen=True)
class _Waiting:
    messages: list[Message]
    done: "asyncio.Future[list[Received]]"


class Intake:
    """The queue before the store, emptied by `run`. `written` is told what became of the messages."""

    def __init__(self, write: Write, *, written: Written) -> None:
        self._write = write
        self._written = written
        self._queue: deque[_Waiting] = deque()
        self._woken = asyncio.Event()
        self._in_storm = False
        self.waiting = 0
        """Messages that are not durable yet."""

    async def take(self, alerts: Sequence[Alert]) -> list[Received]:
        """Make the alerts durable, and say what became of each.

        Raises:
            Overloaded: too many wait already; none of these was taken.
            Unavailable: the store cannot be reached; none of these was written.
        """
        if self.waiting and self.waiting + len(alerts) > MAX_WAITING:
            raise Overloaded
        at = datetime.now(UTC)
        entry = _Waiting([Message(alert, at) for alert in alerts], asyncio.get_running_loop().create_future())
        self._queue.append(entry)
        self.waiting += len(alerts)
        self._woken.set()
        return await entry.done

    async def run(self) -> None:
        """Write what waits, until it is cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._queue:
                if self._in_storm:
                    await self._gather()
                await self._write_some()

    async def _gather(self) -> None:
        for _ in range(TOGETHER_TIMES):
            before = len(self._queue)
            await asyncio.sleep(TOGETHER_SECONDS)
            if len(self._queue) == before:
                return

    async def _write_some(self) -> None:
        entries: list[_Waiting] = []
        size = 0
        while self._queue and (not entries or size + len(self._queue[0].messages) <= BATCH_MESSAGES):
            entry = self._queue.popleft()
            entries.append(entry)
            size += len(entry.messages)
        self._in_storm = len(entries) > 1
        messages = [message for entry in entries for message in entry.messages]
        try:
            received = await self._write(messages)
        except OutsideError as error:
            _fail(entries, error)
        except Exception as error:  # a defect must not stop the intake of everything that comes after
            log_event(log, DEFECT, level=logging.ERROR, error=type(error).__name__)
            log.exception(DEFECT)
            _fail(entries, Unavailable("incident store", DEFECT, "See the receiver's log"))
        else:
            self._tell(entries, messages, received)
        finally:
            self.waiting -= size

    def _tell(self, entries: list[_Waiting], messages: list[Message], received: list[Received]) -> None:
        self._written(messages, received)
        rest = iter(received)
        for entry in entries:
            result = [next(rest) for _ in entry.messages]
            if not entry.done.done():  # its sender may have gone meanwhile
                entry.done.set_result(result)


def _fail(entries: list[_Waiting], error: OutsideError) -> None:
    for entry in entries:
        if not entry.done.done():
            entry.done.set_exception(error)


def new_id(at: datetime) -> str:
    """The id of an incident that is opened now."""
    return new_incident_id(at, secrets.token_hex(2))


def log_received(message: Message, received: Received) -> None:
    """A line for what changed something; repeats are counted in the metrics and in the store."""
    if received.meaning in (None, Meaning.REPEATED):
        return
    if received.meaning is Meaning.UNROUTED and not received.opened:
        return
    log_event(
        log,
        _what_happened(received),
        source=message.alert.source,
        service=message.alert.service,
        alert=message.alert.name,
        incident=received.incident or None,
    )


def _what_happened(received: Received) -> str:
    if received.meaning is Meaning.UNROUTED:
        return "alert unrouted"
    if received.opened:
        return "incident opened"
    return "incident reopened" if received.reopened else f"alert {received.meaning}"
