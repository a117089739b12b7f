"""Reading that begins while the run that needs it is still being started.

What was read ahead is taken once, and only while it is young: else it is read again.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

MOST_SECONDS = 10.0
"""How long ago reading may have begun. A start takes less than one; a machine may be busy."""

T = TypeVar("T")


@dataclass(frozen=True)
class _Begun(Generic[T]):
    task: asyncio.Task[T]
    at: float


class Ahead(Generic[T]):
    """What is being read ahead in this process, by a key."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._begun: dict[Hashable, _Begun[T]] = {}
        self._clock = clock

    def begin(self, key: Hashable, reading: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin to read, in the running event loop. What fails and is not taken is nobody's error."""
        task = asyncio.ensure_future(reading)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._begun[key] = _Begun(task, self._clock())
        return task

    async def take(self, key: Hashable) -> T | None:
        """What was read ahead, once it is there; `None` where nothing was, or where it is old or failed."""
        begun = self._begun.pop(key, None)
        if begun is None:
            return None
        if self._clock() - begun.at > MOST_SECONDS:
            begun.task.cancel()
            return None
        await asyncio.wait({begun.task})
        return None if begun.task.cancelled() or begun.task.exception() else begun.task.result()
