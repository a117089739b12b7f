"""One process at a time per incident, and one action at a time per target, across incidents and workers.

A lease lies in the incident store. Whoever takes it gets a new token; the token before is worthless from then
on, so a process that was replaced and resumes late changes nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from blocks.environment import Environment
from blocks.store.database.errors import StoreUnavailable
from blocks.store.journal import IncidentStore
from blocks.store.lease import TERM, Lease, LeaseLost
from blocks.transport.errors import Unavailable
from tasks.incident import OpenIncident, now

REMINDERS = "reminders"
"""What people are told, which one run at a time does."""

WAIT_SECONDS = 120.0
"""How long an action waits for another incident's to end before a person is paged."""

POLL_SECONDS = 1.0


@asynccontextmanager
async def on_duty(incident: OpenIncident) -> AsyncIterator[OpenIncident]:
    """Work on the incident alone; yields the handle whose effects and journal are fenced by that.

    Whoever worked on it before is fenced off at once: who starts a run of an incident has seen that the one
    before has ended, or has waited until its lease was over. The lease is renewed by a heartbeat.

    Raises:
        Unavailable: the store cannot be reached.
    """
    store, target = incident.environment.store, duty(incident.id)
    term = timedelta(seconds=incident.policy.takeover_after_seconds)
    token, _ = await store.take_lease(target, incident.id, at=now(), until=now() + term)
    if token is None:
        raise LeaseLost(f"{target}: held by something that is not one of its runs")
    lease = Lease(store, target, token, term)
    beating = asyncio.create_task(_beat(lease))
    try:
        yield replace(incident, lease=lease)
    finally:
        beating.cancel()
        await _let_go(store, target, token)


async def fence_off(incident: OpenIncident) -> None:
    """Fence off the process that works on the incident: if it resumes, it changes and sends nothing.

    Raises:
        Unavailable: the store cannot be reached.
    """
    at = now()
    await incident.environment.store.take_lease(duty(incident.id), incident.id, at=at, until=at)


def duty(incident_id: str) -> str:
    """The name of an incident's own lease."""
    return f"incident {incident_id}"


async def last_sign_of_life(incident: OpenIncident) -> datetime | None:
    """When the process that works on the incident, or did last, last gave a sign (aware UTC); `None`: never.

    Raises:
        Unavailable: the store cannot be reached.
    """
    end = await incident.environment.store.lease_end(duty(incident.id))
    if end is None:
        return None
    return end.at if end.let_go else end.at - timedelta(seconds=incident.policy.takeover_after_seconds)


async def _beat(lease: Lease) -> None:
    """Renew the lease until it is lost, of which the next effect will hear."""
    while True:
        await asyncio.sleep(lease.term.total_seconds() / 3)
        try:
            await lease.check()
        except LeaseLost:
            return
        except Unavailable:
            continue  # nobody can take over either while the store is unavailable


EXCLUSIVE_FOR = timedelta(seconds=30)
"""How long one process may be at something without a sign of life; after a kill, others wait no longer."""


@asynccontextmanager
async def exclusively(
    environment: Environment, what: str, holder: str, *, term: timedelta = EXCLUSIVE_FOR
) -> AsyncIterator[bool]:
    """Whether this process may do what only one may do at a time: no other process is doing it.

    The lease is renewed by a heartbeat. After a kill others wait for as long as `term`.

    Scheduled runs overlap when one is slow, or when a stock Prefect worker comes back to all that came due
    meanwhile; each would do what none has done yet.

    Raises:
        StoreUnavailable: the store cannot be reached; not on the release, as the lease ends by itself.
    """
    store, name, at = environment.store, f"{what} of {environment.name}", now()
    token, _ = await store.take_lease(name, holder, at=at, until=at + term)
    if token is None:
        yield False
        return
    beating = asyncio.create_task(_beat(Lease(store, name, token, term)))
    try:
        yield True
    finally:
        beating.cancel()
        await asyncio.wait({beating})  # else it could renew what is let go
        await _let_go(store, name, token)


async def miss_turn(environment: Environment, what: str, holder: str) -> None:
    """Note that this process found another at it, so that it does not count as one that has tried.

    Raises:
        StoreUnavailable: the store cannot be reached.
    """
    at = now()
    await environment.store.take_lease(_missed(what, environment), holder, at=at, until=at)


async def next_turn(environment: Environment, what: str, *, at: datetime) -> str | None:
    """What tells a try that is due from those before it that came to nothing; `None` while one is at it.

    A try came to nothing where its process died before it let go, or where it missed its turn.

    Raises:
        StoreUnavailable: the store cannot be reached.
    """
    store = environment.store
    end = await store.lease_end(f"{what} of {environment.name}")
    held = end if end is not None and not end.let_go else None
    if held is not None and held.at > at:
        return None
    missed = await store.lease_end(_missed(what, environment))
    return " ".join(each.at.isoformat() for each in (held, missed) if each is not None)


def _missed(what: str, environment: Environment) -> str:
    return f"missed turn of {what} of {environment.name}"


@asynccontextmanager
async def leased(incident: OpenIncident, target: str) -> AsyncIterator[Lease]:
    """Hold the target for the incident; a run of the same incident takes it over at once.

    That it cannot be let go in the end is no part of the result: it ends by itself.

    Raises:
        Unavailable: another incident holds it and does not let go in time.
        StoreUnavailable: the store cannot be reached.
    """
    store = incident.environment.store
    lease = Lease(store, target, await _taken(store, target, incident.id))
    try:
        yield lease
    finally:
        await _let_go(store, target, lease.token)


async def _let_go(store: IncidentStore, target: str, token: int) -> None:
    with suppress(StoreUnavailable):  # it ends by itself
        await store.release_lease(target, token, at=now())


async def _taken(store: IncidentStore, target: str, holder: str) -> int:
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        token, held_by = await store.take_lease(target, holder, at=now(), until=now() + TERM)
        if token is not None:
            return token
        if asyncio.get_running_loop().time() >= deadline:
            raise Unavailable(
                "target", f"{held_by} is changing {target}", "Wait until it has finished, or check it"
            )
        await asyncio.sleep(POLL_SECONDS)
