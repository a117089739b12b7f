"""What other processes do to a store, for tests of several writers at once.

Each function runs in a process of its own and begins only when all of them are there.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier
from typing import Any, TypeVar

from pydantic import SecretStr

from blocks.store.alerts import receive
from blocks.store.journal import IncidentStore
from runbook.alerts.alert import Alert
from runbook.alerts.intake import Message
from runbook.incidents.events import IncidentClosed, NoteAdded

T = TypeVar("T")
Work = Callable[[IncidentStore, str], Coroutine[Any, Any, T]]

WRITERS = 3
NOTES = 20
TURNS = 5
ROUNDS = 10
ALERTS = 20
INCIDENT = "inc-1"
AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
ALERT = Alert(source="alertmanager", service="posthog-integration", name="PostHogServerErrors", summary="5xx")

_starting_line: list[Barrier] = []


def forking() -> ForkServerContext:
    """Starts processes by forking one that has imported what they need, which takes seconds."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "tests.blocks.store_user"])
    return context


def processes() -> ProcessPoolExecutor:
    """As many processes as there are writers."""
    context = forking()
    line = context.Barrier(WRITERS, timeout=60)
    return ProcessPoolExecutor(WRITERS, mp_context=context, initializer=_stand_at, initargs=(line,))


def at_once(pool: ProcessPoolExecutor, work: Work[T], url: str) -> list[T]:
    """Do the same work on one store in every process; each is told its own name."""
    running = [pool.submit(_from_the_line, work, url, f"writer-{number}") for number in range(WRITERS)]
    return [future.result(timeout=60) for future in running]


def _stand_at(line: Barrier) -> None:
    _starting_line.append(line)


def _from_the_line(work: Work[T], url: str, name: str) -> T:
    _starting_line[0].wait()
    return asyncio.run(work(IncidentStore(url=SecretStr(url)), name))


async def open_one(store: IncidentStore, name: str) -> tuple[str, bool]:
    """Open an incident for the service that the others open one for."""
    incident, is_new = await store.open_incident(ALERT, incident_id=f"inc-{name}", at=AT)
    return incident.id, is_new


async def add_notes(store: IncidentStore, name: str) -> list[int]:
    """Write notes as fast as possible; returns their places."""
    notes = [NoteAdded(by=name, text=str(number)) for number in range(NOTES)]
    return [(await store.append(INCIDENT, note, at=AT)).seq for note in notes]


async def note_once(store: IncidentStore, name: str) -> NoteAdded:
    """Write a note under the key that the others use, too; returns what stands in the journal."""
    recorded = await store.append(INCIDENT, NoteAdded(by=name, text="mine"), at=AT, key="once")
    assert isinstance(recorded.event, NoteAdded)
    return recorded.event


async def alert_and_close(store: IncidentStore, name: str) -> list[str]:
    """Bring in alerts one after the other and close each incident that they open at once."""
    fingerprints = [f"{name}-{number}" for number in range(ALERTS)]
    for fingerprint in fingerprints:
        alert = ALERT.model_copy(update={"fingerprint": fingerprint})
        incident, is_new = await store.open_incident(alert, incident_id=f"inc-{fingerprint}", at=AT)
        if is_new:
            await store.append(incident.id, IncidentClosed(outcome="recovered"), at=AT)
    return fingerprints


async def work_in_turn(store: IncidentStore, name: str) -> list[int]:
    """Take the lease that the others want, write that work begins and ends, let go; returns the tokens."""
    tokens: list[int] = []
    while len(tokens) < TURNS:
        token, _ = await store.take_lease("a target", name, at=AT, until=AT + timedelta(minutes=2))
        if token is None:
            await asyncio.sleep(0.001)
            continue
        tokens.append(token)
        await store.append(INCIDENT, NoteAdded(by=name, text="begun"), at=AT)
        assert await store.renew_lease("a target", token, until=AT + timedelta(minutes=2))
        await store.append(INCIDENT, NoteAdded(by=name, text="ended"), at=AT)
        await store.release_lease("a target", token, at=AT)
    return tokens


async def take_alerts(store: IncidentStore, name: str) -> list[str]:
    """Take the same alert of the others' service again and again; returns each time's incident."""
    alert = ALERT.model_copy(update={"service": "s", "fingerprint": name})
    incidents = []
    for _ in range(ROUNDS):
        [received] = await receive(
            store,
            [Message(alert, AT)],
            environment="test",
            new_id=lambda _: f"inc-{name}",
            flapping_episodes=5,
        )
        incidents.append(received.incident)
    return incidents


async def count_incidents(store: IncidentStore, _name: str) -> int:
    """How many incidents there are."""
    return len(await store.incidents())
