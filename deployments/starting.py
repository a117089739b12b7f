"""Starts the response to every incident that has none yet. The store is the queue, so nothing is lost.

An incident waits here while Prefect is away, or when a receiver died between making it durable and starting
its run.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from blocks.errors import OutsideError
from blocks.store import IncidentStore
from deployments.json_log import log_event
from runbook.events import RunStarted
from runbook.incident import Incident
from runbook.redaction import redact

Launch = Callable[[Incident], Awaitable[str]]
"""Starts the response to an incident and returns the flow run's id; starting it again is harmless."""

LOOK_SECONDS = 10.0
ADOPT_AFTER = timedelta(seconds=30)
"""Incidents that this receiver did not open: a flow run that opened one by itself has this long to say so."""

_FIRST_RETRY_SECONDS = 0.5
_LAST_RETRY_SECONDS = 10.0
_OPEN_AT_ONCE = 1000  # one per service

log = logging.getLogger("runbook.receiver")


class Starter:
    """Starts responses, in the order in which the incidents were opened, until it is cancelled."""

    def __init__(self, store: IncidentStore, launch: Launch) -> None:
        self._store = store
        self._launch = launch
        self._opened_here: set[str] = set()
        self._woken = asyncio.Event()
        self.waiting: tuple[str, ...] = ()
        """Ids of the incidents whose response could not be started at the last attempt."""

    def start(self, incident_id: str) -> None:
        """Start the response to this incident now."""
        self._opened_here.add(incident_id)
        self._woken.set()

    async def run(self) -> None:
        """Start what waits, again and again."""
        retry_seconds = _FIRST_RETRY_SECONDS
        while True:
            self._woken.clear()
            if await self._start_waiting():
                retry_seconds, pause = _FIRST_RETRY_SECONDS, LOOK_SECONDS
            else:
                pause, retry_seconds = retry_seconds, min(2 * retry_seconds, _LAST_RETRY_SECONDS)
            try:
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _start_waiting(self) -> bool:
        try:
            known = await self._store.incidents(only_open=True, limit=_OPEN_AT_ONCE)
        except OutsideError as error:
            log_event(log, "store not readable", level=logging.ERROR, error=str(error))
            return False
        unstarted = [incident for incident in reversed(known) if self._is_due(incident)]
        self.waiting = tuple([incident.id for incident in unstarted if not await self._start(incident)])
        return not self.waiting

    def _is_due(self, incident: Incident) -> bool:
        if incident.last(RunStarted) is not None:
            return False
        return incident.id in self._opened_here or datetime.now(UTC) - incident.opened_at >= ADOPT_AFTER

    async def _start(self, incident: Incident) -> bool:
        try:
            flow_run_id = await self._launch(incident)
        except OutsideError as error:
            log_event(
                log, "response not started", level=logging.WARNING, incident=incident.id, error=str(error)
            )
            return False
        except Exception as error:  # a defect must cost neither this incident nor the ones behind it
            text = f"{type(error).__name__}: {redact(str(error))}"
            log_event(log, "response not started", level=logging.ERROR, incident=incident.id, error=text)
            return False
        self._opened_here.discard(incident.id)
        log_event(log, "response started", incident=incident.id, flow_run=flow_run_id)
        return True
