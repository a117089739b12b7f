"""What the receiver watches, also when no worker is left: the runs of incidents, and the runbook itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prometheus_client import Gauge

from blocks.store.alerts import unrouted_alerts
from blocks.store.journal import IncidentStore
from blocks.store.self_watch_log import last_good_round, open_page
from blocks.transport.errors import OutsideError
from deployments.processes.json_log import log_event
from deployments.receiver.starting import Responses
from deployments.receiver.told_once import ToldOnce
from deployments.services.environments import OtherEnvironments
from runbook.alerts.alert import Alert
from runbook.alerts.episodes import AlertRecord
from runbook.caretaking.self_watch import silence
from runbook.redaction import redact

TOGETHER_SECONDS = 1.0
"""What people do within this time is looked at together."""

LOOKS_PER_ROUND = 10
LONGEST_SECONDS = 30.0

SERVED_EVERY_SECONDS, UNSERVED_EVERY_SECONDS = 60.0, 10.0
"""Between two looks at the other environments: where all are responded for, and where one is not."""

ADOPTED_WITHIN = timedelta(days=1)
"""An alert that was last heard of this long ago opens no incident on its own: nobody knows that it fires."""

NOT_SERVED = "other environments not checked"
NOT_LOOKED_AFTER, NOT_LOOKED_FOR = "runs not checked", "self-watch not checked"
NOBODY_PAGED = "nobody could be paged"

log = logging.getLogger("runbook.receiver")


async def look_after(responses: Responses, *, every: float) -> None:
    """Check the runs of all incidents at an interval, until cancelled."""
    trouble = ToldOnce(log)
    while True:
        await asyncio.sleep(every)
        await _care(responses.look_after, trouble)


async def start_due_after_acts(responses: Responses, acted: asyncio.Event) -> None:
    """Start the housekeeping that is due soon after somebody has acted, until cancelled.

    So the channel shows a new lead, or is told what somebody asked for, before the next look at the runs.
    """
    trouble = ToldOnce(log)
    while True:
        await acted.wait()
        await asyncio.sleep(TOGETHER_SECONDS)
        acted.clear()
        await _care(responses.start_due, trouble)


async def _care(care: Callable[[], Awaitable[list[str]]], trouble: ToldOnce) -> None:
    """Take care of the runs once, and tell the log what was done or what went wrong."""
    try:
        for sentence in await care():
            log_event(log, "runs checked", did=sentence)
        trouble.well(NOT_LOOKED_AFTER)
    except OutsideError as error:
        trouble.wrong(NOT_LOOKED_AFTER, error=str(error))
    except Exception as error:  # a defect here must not stop the intake; the next look may be spared it
        text = f"{type(error).__name__}: {redact(str(error))}"
        trouble.wrong(NOT_LOOKED_AFTER, level=logging.ERROR, error=text)


async def serve_others(
    others: OtherEnvironments, store: IncidentStore, take: Callable[[Sequence[Alert]], Awaitable[object]]
) -> None:
    """Keep the other environments known, and open the incidents of alerts that came before; until cancelled.

    Until an environment is proved, as in the seconds after a start, its alerts are kept as unrouted.
    """
    trouble = ToldOnce(log)
    while True:
        try:
            await others.look()
            for name in others.names:
                if error := others.troubles.get(name):
                    trouble.wrong(f"environment {name} not served", error=str(error))
                else:
                    trouble.well(f"environment {name} not served")
            await _adopt(others, store, take)
        except OutsideError as error:
            trouble.wrong(NOT_SERVED, error=str(error))
        except Exception as error:  # a defect here must not stop the intake; the next look may be spared it
            text = f"{type(error).__name__}: {redact(str(error))}"
            trouble.wrong(NOT_SERVED, level=logging.ERROR, error=text)
        await asyncio.sleep(UNSERVED_EVERY_SECONDS if others.troubles else SERVED_EVERY_SECONDS)


async def _adopt(
    others: OtherEnvironments, store: IncidentStore, take: Callable[[Sequence[Alert]], Awaitable[object]]
) -> None:
    if not others.served:
        return
    since = datetime.now(UTC) - ADOPTED_WITHIN
    waiting = [
        _again(alert)
        for alert in await unrouted_alerts(store)
        if others.routing.served_for(alert.service) and alert.last_seen_at >= since
    ]
    if waiting:
        await take(waiting)


def _again(kept: AlertRecord) -> Alert:
    """A kept alert as if its sender had repeated it; only what tells alerts apart was kept of it."""
    return Alert(
        source=kept.source,
        service=kept.service,
        name=kept.name,
        summary=f"{kept.name} fires since {kept.turned_at:%Y-%m-%d %H:%M} UTC; see {kept.source}",
        status=kept.status,
        starts_at=kept.starts_at,
        changed_at=kept.changed_at,
        key=kept.key,
    )


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
