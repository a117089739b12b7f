"""Staying up in the foreground until someone says that it is enough."""

import asyncio
import signal
from collections.abc import Awaitable


async def until_stopped(running: Awaitable[None]) -> None:
    """Wait until Ctrl-C or SIGTERM. Either is the end that was asked for, so no error comes of it.

    Raises:
        OutsideError: what `running` raises when something ends by itself, perhaps in a group.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None:
        raise RuntimeError("waiting needs a task")
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await running
    except asyncio.CancelledError:
        task.uncancel()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
