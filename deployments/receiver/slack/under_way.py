"""Work on clicks that goes on after Slack was answered, and the messages whose dialogs are open."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from deployments.processes.json_log import log_event
from deployments.receiver.connections.body import Rejected
from runbook.channels.answered import Block

MOST_AT_ONCE = 32
"""Clicks that are worked at, at one time."""

MOST_FOLLOWING = 256
"""What may follow clicks at one time: telling people, waking runs. More is slow than has to be waited for."""

MOST_REMEMBERED = 100
"""Messages whose dialogs may be open."""

DRAIN_SECONDS = 10.0
"""How long work may go on when the receiver is told to end."""

ResultT = TypeVar("ResultT")

log = logging.getLogger("runbook.receiver")


@dataclass(frozen=True)
class UnderWay:
    """What is not finished."""

    _work: set[asyncio.Task[Any]] = field(default_factory=set)
    _following: set[asyncio.Task[Any]] = field(default_factory=set)
    _messages: OrderedDict[str, tuple[Block, ...]] = field(default_factory=OrderedDict)

    def begin(self, work: Coroutine[Any, Any, ResultT]) -> asyncio.Task[ResultT]:
        """Begin work that a request waits for as long as it can.

        Raises:
            Rejected: too much is under way.
        """
        if len(self._work) >= MOST_AT_ONCE or len(self._following) >= MOST_FOLLOWING:
            work.close()
            raise Rejected(503, "overloaded", "too many clicks at once", "Click again")
        return _begun(work, self._work)

    def follow(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin what follows such work, and what nobody waits for: it keeps no click away."""
        _begun(work, self._following).add_done_callback(_told_if_it_failed)

    async def drain(self) -> None:
        """Wait for what is under way, and for what follows it."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while left := self._work | self._following:
                    await asyncio.wait(left)
        except TimeoutError:
            left = self._work | self._following
            log_event(log, "clicks in Slack were not finished", level=logging.WARNING, clicks=len(left))

    def remember(self, ts: str, blocks: Sequence[Block]) -> None:
        """Keep a message while its dialog is open: Slack does not send it again with what was filled in."""
        self._messages[ts] = tuple(blocks)
        while len(self._messages) > MOST_REMEMBERED:
            self._messages.popitem(last=False)

    def remembered(self, ts: str) -> tuple[Block, ...]:
        """The blocks of that message; none where it is not known."""
        return self._messages.get(ts, ())


def _begun(work: Coroutine[Any, Any, ResultT], among: set[asyncio.Task[Any]]) -> asyncio.Task[ResultT]:
    task = asyncio.create_task(work)
    among.add(task)
    task.add_done_callback(among.discard)
    return task


def _told_if_it_failed(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        what = f"{type(error).__name__}: {error}"
        log_event(log, "a click in Slack was not worked to its end", level=logging.ERROR, error=what)
