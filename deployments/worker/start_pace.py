"""How many responses a worker begins at once: no more than its machine can begin in time.

When an outage sets off the alerts of fifty services, fifty processes that start at once hold each other up,
some for so long that the watchdog takes them for dead. If a few start at a time, the first questions are
asked at once and the last one sooner as well. The others wait in Prefect, where they cost nothing.
"""

import os
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from prefect.client.schemas.objects import FlowRun

BEGINNING_SECONDS = 30.0
"""The longest time for which a run counts as beginning. Afterwards it has triaged and mostly waits."""

PER_PROCESSOR = 1
"""Runs that begin at once for each processor. Of thirty services in trouble at once, the last question is
asked after 155 seconds; of those that all begin at once, after 277, and one is given up and started
again (`make storm`, 2026-11-23, two processors with Prefect's server on them)."""


def begun_at_once() -> int:
    """How many runs may begin at once on this machine."""
    return PER_PROCESSOR * len(os.sched_getaffinity(0))


class StartPace:
    """The runs that are beginning. Only first starts that somebody asked for wait here.

    A person waits for a run that goes on after an answer, and scheduled runs care for all others. So neither
    kind waits or counts.
    """

    def __init__(self, at_once: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._begun: dict[UUID, float] = {}

    def begin(self, due: Iterable[FlowRun]) -> set[UUID]:
        """Start the runs that may begin now, in this order; return those that have to wait."""
        now, waiting = self._clock(), set()
        self._begun = {run: at for run, at in self._begun.items() if now - at < BEGINNING_SECONDS}
        for run in due:
            if run.auto_scheduled or run.run_count > 0 or run.id in self._begun:
                continue
            if len(self._begun) < self._at_once:
                self._begun[run.id] = now
            else:
                waiting.add(run.id)
        return waiting

    def ended(self, run: UUID) -> None:
        """The process of that run has ended: another run may begin."""
        self._begun.pop(run, None)
