"""A lease has one holder at a time, whoever asks at once, and an old token is worthless."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from runbook.incidents.events import NoteAdded
from tests.blocks.journal_writers import (
    ALERT,
    AT,
    INCIDENT,
    TURNS,
    WRITERS,
    at_once,
    processes,
    work_in_turn,
)

TARGET = "default/deployment/posthog-integration"
LATER = AT + timedelta(minutes=2)
MUCH_LATER = AT + timedelta(minutes=4)


@pytest.fixture
def store(url: str) -> IncidentStore:
    """A store without leases."""
    return IncidentStore(url=SecretStr(url))


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Processes that work at once."""
    with processes() as pool:
        yield pool


async def test_a_lease_has_one_holder_until_it_ends(store: IncidentStore) -> None:
    """Another one is told who has it; after its end it is the other's, and the first token is worthless."""
    assert await store.take_lease(TARGET, "inc-1", at=AT, until=LATER) == (1, "inc-1")
    assert await store.take_lease(TARGET, "inc-2", at=AT, until=LATER) == (None, "inc-1")
    assert await store.take_lease("another target", "inc-2", at=AT, until=LATER) == (1, "inc-2")

    assert await store.take_lease(TARGET, "inc-2", at=LATER, until=MUCH_LATER) == (2, "inc-2")
    assert not await store.renew_lease(TARGET, 1, until=MUCH_LATER)
    await store.release_lease(TARGET, 1, at=AT)
    assert await store.take_lease(TARGET, "inc-1", at=LATER, until=MUCH_LATER) == (None, "inc-2")


async def test_a_renewed_lease_lasts_longer(store: IncidentStore) -> None:
    """It is not up for taking when the first term ends."""
    token, _ = await store.take_lease(TARGET, "inc-1", at=AT, until=LATER)
    assert token is not None
    assert await store.renew_lease(TARGET, token, until=MUCH_LATER)
    assert await store.take_lease(TARGET, "inc-2", at=LATER, until=MUCH_LATER) == (None, "inc-1")


async def test_a_holder_that_takes_its_lease_anew_fences_itself_off(store: IncidentStore) -> None:
    """A run that was given up for dead has the token before: it can renew nothing and release nothing."""
    await store.take_lease(TARGET, "inc-1", at=AT, until=LATER)
    assert await store.take_lease(TARGET, "inc-1", at=AT, until=LATER) == (2, "inc-1")
    assert not await store.renew_lease(TARGET, 1, until=MUCH_LATER)
    await store.release_lease(TARGET, 1, at=AT)
    assert await store.renew_lease(TARGET, 2, until=LATER)
    assert await store.take_lease(TARGET, "inc-2", at=AT, until=LATER) == (None, "inc-1")


async def test_a_released_lease_can_be_taken_at_once_under_a_new_token(store: IncidentStore) -> None:
    """Tokens only ever grow, so that an old one stays worthless."""
    for number in range(1, 4):
        assert await store.take_lease(TARGET, f"inc-{number}", at=AT, until=LATER) == (
            number,
            f"inc-{number}",
        )
        await store.release_lease(TARGET, number, at=AT)


async def test_a_lease_that_was_let_go_is_free_for_a_slow_clock_too(store: IncidentStore) -> None:
    """The clock of whoever wants it next may be behind the one of who let go."""
    await store.take_lease(TARGET, "inc-1", at=LATER, until=MUCH_LATER)
    await store.release_lease(TARGET, 1, at=LATER)
    assert await store.take_lease(TARGET, "inc-2", at=AT, until=LATER) == (2, "inc-2")


async def test_the_end_of_a_lease_tells_whether_its_holder_let_go(store: IncidentStore) -> None:
    """Who let go has come to an end; whose lease runs out may be dead."""
    assert await store.lease_end(TARGET) is None
    await store.take_lease(TARGET, "inc-1", at=AT, until=LATER)
    assert await store.lease_end(TARGET) == (LATER, False)
    await store.release_lease(TARGET, 1, at=AT)
    assert await store.lease_end(TARGET) == (AT, True)


async def test_of_tasks_that_take_a_lease_at_once_one_gets_it(store: IncidentStore) -> None:
    """Also the very first time, when there is nothing to lock yet."""
    takes = (store.take_lease(TARGET, f"inc-{n}", at=AT, until=LATER) for n in range(10))
    results = await asyncio.gather(*takes)
    (winner,) = [holder for token, holder in results if token is not None]
    assert sorted(results, key=str) == sorted([(1, winner), *[(None, winner)] * 9], key=str)


async def test_processes_hold_a_lease_one_after_the_other(
    pool: ProcessPoolExecutor, url: str, store: IncidentStore
) -> None:
    """Whoever has the lease writes alone; each token is given once, and renewed by nobody else."""
    await store.open_incident(ALERT, incident_id=INCIDENT, at=AT)
    tokens = await asyncio.to_thread(at_once, pool, work_in_turn, url)
    assert sorted(token for own in tokens for token in own) == list(range(1, WRITERS * TURNS + 1))
    notes = (await store.read(INCIDENT)).events(NoteAdded)
    assert len(notes) == 2 * WRITERS * TURNS
    for begun, ended in zip(notes[::2], notes[1::2], strict=True):
        assert (begun.text, ended.text) == ("begun", "ended")
        assert begun.by == ended.by
