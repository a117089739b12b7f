"""What the receiver watches, also when no worker is left: the runs of incidents, and the runbook itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import Gauge

from blocks.store.journal import IncidentStore
from blocks.store.self_watch_log import last_good_round, open_page
from blocks.transport.errors import OutsideError
from deployments.processes.json_log import log_event
from deployments.receiver.starting import Responses
from deployments.receiver.told_once import ToldOnce
from runbook.caretaking.self_watch import silence
from runbook.redaction import redact

LOOKS_PER_ROUND = 10
LONGEST_SECONDS = 30.0

NOT_LOOKED_AFTER, NOT_LOOKED_FOR = "runs not checked", "self-watch not checked"
NOBODY_PAGED = "nobody could be paged"

log = logging.getLogger("runbook.receiver")


async def look_after(responses: Responses, *, every: float) -> None:
    """Check the runs of all incidents at an interval, until cancelled."""
    trouble = ToldOnce(log)
    while True:
        await asyncio.sleep(every)
        try:
            for sentence in await responses.look_after():
                log_event(log, "runs checked", did=sentence)
            trouble.well(NOT_LOOKED_AFTER)
        except OutsideError as error:
            trouble.wrong(NOT_LOOKED_AFTER, error=str(error))
        except Exception as error:  # a defect here must not stop the intake; the next look may be spared it
            text = f"{type(error).__name__}: {redact(str(error))}"
            trouble.wrong(NOT_LOOKED_AFTER, level=logging.ERROR, error=text)


@dataclass(frozen=True)
class SelfWatching:
    """How the receiver notices that the self-watch has stopped.

    `every` is the time from round to round; `page` pages a person without Prefect and without a worker, and
    returns whether that got through.
    """

    store: IncidentStore
    environment: str
    every: timedelta
    page: Callable[[str], Awaitable[bool]]


async def watch_self(watching: SelfWatching, last_success: Gauge) -> None:
    """Page a person, once, when too many rounds of the self-watch are missing; until cancelled.

    The page ends with the next round that goes well, see `flows.self_watch`.
    """
    since, trouble = datetime.now(UTC), ToldOnce(log)
    while True:
        try:
            await _look_for_rounds(watching, last_success, since, trouble)
            trouble.well(NOT_LOOKED_FOR)
        except OutsideError as error:
            trouble.wrong(NOT_LOOKED_FOR, error=str(error))
        except Exception as error:  # a defect here must not end the watch
            text = f"{type(error).__name__}: {redact(str(error))}"
            trouble.wrong(NOT_LOOKED_FOR, level=logging.ERROR, error=text)
        await asyncio.sleep(min(watching.every.total_seconds() / LOOKS_PER_ROUND, LONGEST_SECONDS))


async def _look_for_rounds(
    watching: SelfWatching, last_success: Gauge, since: datetime, trouble: ToldOnce
) -> None:
    last = await last_good_round(watching.store, watching.environment)
    last_success.set(last.timestamp() if last else 0)
    because = silence(last=last, watched_since=since, every=watching.every, now=datetime.now(UTC))
    if not because:
        trouble.well(NOBODY_PAGED)
        return
    known = await open_page(watching.store, watching.environment)
    if known is None or not known.told:
        if await watching.page(because):
            trouble.well(NOBODY_PAGED)
            log_event(log, "person paged", level=logging.WARNING, error=because)
        else:
            trouble.wrong(NOBODY_PAGED, level=logging.ERROR, error=because)
