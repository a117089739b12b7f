"""Sees to it that every incident has a run: the store is the queue, so nothing is lost.

An incident waits here while Prefect is away, or when a receiver died between making it durable and starting
its run. While it waits for Prefect, a person is paged directly.
"""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from blocks.store.journal import IncidentStore
from blocks.store.overview import Overview, overview
from blocks.transport.errors import OutsideError
from deployments.processes.json_log import log_event
from deployments.receiver.metrics import ReceiverMetrics
from deployments.receiver.told_once import ToldOnce
from runbook.alerts.intake import Received
from runbook.caretaking.watchdog import ADOPT_AFTER
from runbook.channels.untold import untold
from runbook.incidents.incident import Incident
from runbook.redaction import redact

CHECK_SECONDS = 10.0
ASK_PREFECT_EVERY = timedelta(seconds=CHECK_SECONDS)
PAGE_AFTER = timedelta(seconds=30)
"""How long an incident waits for Prefect before a person is paged: a restart of Prefect is over by then."""

TOGETHER_SECONDS = 0.01
"""What else happens within this time is checked together: a storm opens many incidents at once."""

MOST_UNTOLD = 20
"""Journals that are read at each look to see whether anybody was told meanwhile."""

ATTEMPT_SECONDS = 60.0
"""How long one attempt may take: Prefect's client could go on for an hour, and nobody would be paged."""

_FIRST_RETRY_SECONDS = 0.5
_LAST_RETRY_SECONDS = 10.0

NOT_STARTED = "Prefect does not answer, so the response has not started; it starts when Prefect answers again"

log = logging.getLogger("runbook.receiver")


class Responses(Protocol):
    """The responses to incidents, in Prefect and beside it. Each may be asked for again without harm."""

    async def start(self, incident: Incident) -> str:
        """Start the response and return the flow run's id. Raises `OutsideError` if it cannot be."""

    async def wake(self, incident: Incident) -> bool:
        """Wake a run whose question the end of the alerts has made needless; whether there was one."""

    async def page(self, incident: Incident, because: str) -> None:
        """Page a person without Prefect. Raises `OutsideError` if nobody can be reached."""

    async def look_after(self) -> list[str]:
        """Look after the runs of all open incidents; says what was done. Raises `OutsideError`."""

    async def start_due(self) -> list[str]:
        """Start what housekeeping is due; says what was started. Raises `OutsideError`."""

    async def reachable(self) -> bool:
        """Whether Prefect answers."""

    async def page_about_the_store(self, because: str, since: datetime) -> bool:
        """Page a person because alerts cannot be kept since then; whether that got through everywhere."""

    async def end_the_page_about_the_store(self, since: datetime) -> bool:
        """Tell those who were paged that alerts are kept again; whether that got through everywhere."""


@dataclass(frozen=True)
class Waits:
    """Numbers of open incidents: all, those that ask, those without a run, and those that nobody knows of."""

    open: int
    gates: int
    unstarted: int
    untold: int


class Starter:
    """Starts responses, in the order in which the incidents were opened, until it is cancelled."""

    def __init__(self, store: IncidentStore, responses: Responses, metrics: ReceiverMetrics) -> None:
        self._store = store
        self._responses = responses
        self._metrics = metrics
        self._opened_here: set[str] = set()
        self._paged: set[str] = set()
        self._trouble = ToldOnce(log)
        self._woken = asyncio.Event()
        self.waiting: tuple[str, ...] = ()
        """Ids of the incidents whose response could not be started at the last attempt."""
        self.waits: Waits | None = None
        """What waited at the last look; `None` before the first one."""
        self.prefect_up: bool | None = None
        self._asked_at = datetime.fromtimestamp(0, UTC)

    def heard(self, received: Received) -> None:
        """Do at once what a message about an alert makes necessary."""
        begins = bool(received.incident) and (received.opened or received.reopened)
        if begins:
            self._opened_here.add(received.incident)
        if begins or received.over:
            self._woken.set()

    async def run(self) -> None:
        """Look for what waits, again and again."""
        retry_seconds = _FIRST_RETRY_SECONDS
        while True:
            self._woken.clear()
            if await self._start_due():
                retry_seconds, pause = _FIRST_RETRY_SECONDS, CHECK_SECONDS
            else:
                pause, retry_seconds = retry_seconds, min(2 * retry_seconds, _LAST_RETRY_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            await asyncio.sleep(TOGETHER_SECONDS)

    async def _start_due(self) -> bool:
        """Start and wake what is due, and page where that fails; whether nothing is left to try again."""
        try:
            seen, at = await overview(self._store), datetime.now(UTC)
        except OutsideError as error:
            self._trouble.wrong("store not readable", level=logging.ERROR, error=str(error))
            return False
        self._trouble.well("store not readable")
        due = [
            incident
            for incident, opened_at in seen.unstarted.items()
            if incident in self._opened_here or at - opened_at >= ADOPT_AFTER
        ]
        doubtful = bool(self.waiting) or not self.prefect_up
        if (due and doubtful) or at - self._asked_at >= ASK_PREFECT_EVERY:
            self._note(up=await self._responses.reachable(), at=at)
        started = [incident for incident in due if self.prefect_up and await self._start(incident)]
        self.waiting = tuple(incident for incident in due if incident not in started)
        await self._show(seen, at)  # last, since it reads journals
        for incident in self.waiting:
            if at - seen.unstarted[incident] >= PAGE_AFTER and incident not in self._paged:
                await self._page_once(incident)
        for gate in seen.gates:
            if gate.alerts_ended:
                await self._attempt("run not resumed", gate.incident, self._wake(gate.incident))
        self._trouble.keep({*due, *(gate.incident for gate in seen.gates)})
        return not self.waiting

    async def _show(self, seen: Overview, at: datetime) -> None:
        own, silent = self._metrics, await self._untold(seen)
        self.waits = Waits(seen.open, len(seen.gates), len(seen.unstarted), silent)
        own.untold.set(silent)
        own.unstarted.set(len(seen.unstarted))
        own.oldest_unstarted.set(_age(list(seen.unstarted.values()), at))
        own.gates.set(len(seen.gates))
        own.oldest_gate.set(_age([gate.asked_at for gate in seen.gates], at))

    async def _untold(self, seen: Overview) -> int:
        """In how many open incidents nobody could be told that a person is needed, of the newest ones."""
        try:
            journals = [await self._store.read(incident) for incident in seen.untold[-MOST_UNTOLD:]]
        except OutsideError as error:
            self._trouble.wrong("store not readable", level=logging.ERROR, error=str(error))
            return len(seen.untold)
        return sum(bool(untold(journal)) for journal in journals)

    def _note(self, *, up: bool, at: datetime) -> None:
        self.prefect_up, self._asked_at = up, at
        self._metrics.prefect_up.set(up)

    async def _start(self, incident: str) -> bool:
        return await self._attempt("response not started", incident, self._launch(incident))

    async def _launch(self, incident: str) -> None:
        flow_run_id = await self._responses.start(await self._store.read(incident))
        self._opened_here.discard(incident)
        log_event(log, "response started", incident=incident, flow_run=flow_run_id)

    async def _page_once(self, incident: str) -> None:
        if await self._attempt("nobody could be paged", incident, self._page(incident)):
            self._paged.add(incident)

    async def _page(self, incident: str) -> None:
        await self._responses.page(await self._store.read(incident), NOT_STARTED)
        log_event(log, "person paged without Prefect", incident=incident)

    async def _wake(self, incident: str) -> None:
        if await self._responses.wake(await self._store.read(incident)):
            log_event(log, "run resumed because all alerts are resolved", incident=incident)

    async def _attempt(self, failure: str, incident: str, work: Awaitable[None]) -> bool:
        """Whether it went well. Neither an outage nor a defect may hold up the incidents behind this one."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await work
        except OutsideError as error:
            self._trouble.wrong(failure, incident=incident, error=str(error))
            return False
        except Exception as error:
            text = f"{type(error).__name__}: {redact(str(error))}"
            self._trouble.wrong(failure, level=logging.ERROR, incident=incident, error=text)
            return False
        self._trouble.well(failure, incident=incident)
        return True


def _age(times: list[datetime], at: datetime) -> float:
    return (at - min(times)).total_seconds() if times else 0.0
