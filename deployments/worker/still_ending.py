"""The runs whose process has not ended yet, although they are due again.

A run that comes to its question is resumed by a quick answer before its process is gone. Prefect's worker
knows processes by their run, and would take the two for one: the new one could not be cancelled any more.
"""

import time
from collections.abc import Callable, Collection
from uuid import UUID

ENDING_SECONDS = 5.0
"""How long a run that is due again waits for its former process; most end within a tenth of a second.

After that the process hangs, and the next one fences it off."""


class StillEnding:
    """The processes of this worker, by their runs."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._running: set[UUID] = set()
        self._due_since: dict[UUID, float] = {}

    def began(self, run: UUID) -> None:
        """A process of that run has been started."""
        self._running.add(run)

    def ended(self, run: UUID) -> None:
        """The process of that run is gone."""
        self._running.discard(run)

    def among(self, due: Collection[UUID]) -> set[UUID]:
        """Which of the due runs have to wait."""
        now = self._clock()
        self._due_since = {run: self._due_since.get(run, now) for run in self._running.intersection(due)}
        return {run for run, since in self._due_since.items() if now - since < ENDING_SECONDS}
