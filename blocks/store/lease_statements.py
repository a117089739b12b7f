"""The statements of leases, within a transaction that the caller has."""

from datetime import datetime

from sqlalchemy import Update, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from blocks.store.database.tables import LEASES
from blocks.store.journal_statements import aware
from blocks.store.lease import Lease, LeaseEnd

_NOBODY = ""
"""The holder of a lease that was let go."""


async def take(
    connection: AsyncConnection, target: str, holder: str, *, at: datetime, until: datetime
) -> tuple[int | None, str]:
    """Take a lease: a new token, or `None` and who holds it until later than `at`.

    Raises:
        IntegrityError: it is the target's first lease, and another caller was first.
    """
    query = select(LEASES).where(LEASES.c.target == target).with_for_update()
    held = (await connection.execute(query)).one_or_none()
    if held is None:
        values = {"target": target, "holder": holder, "token": 1, "until": until}
        await connection.execute(insert(LEASES).values(values))
        return 1, holder
    if held.holder not in (holder, _NOBODY) and aware(held.until) > at:
        return None, held.holder
    taken = {"holder": holder, "token": held.token + 1, "until": until}
    await connection.execute(update(LEASES).where(LEASES.c.target == target).values(taken))
    return held.token + 1, holder


def renewal(target: str, token: int, *, until: datetime) -> Update:
    """Let a lease last until then, if the token is still the newest."""
    return _of(target, token).values(until=until)


def release(target: str, token: int, *, at: datetime) -> Update:
    """End a lease, if the token is still the newest."""
    return _of(target, token).values(until=at, holder=_NOBODY)


async def end_of(connection: AsyncConnection, target: str) -> LeaseEnd | None:
    """How and when the newest lease of a target ends, or did; `None` where nobody ever took one."""
    query = select(LEASES.c.until, LEASES.c.holder).where(LEASES.c.target == target)
    found = (await connection.execute(query)).one_or_none()
    return None if found is None else LeaseEnd(aware(found.until), let_go=found.holder == _NOBODY)


async def require_held(connection: AsyncConnection, lease: Lease) -> None:
    """Nobody takes the lease until this transaction has ended.

    Raises:
        LeaseLost: another process has taken it.
    """
    query = select(LEASES.c.token).where(LEASES.c.target == lease.target).with_for_update(read=True)
    if (await connection.execute(query)).scalar_one_or_none() != lease.token:
        raise lease.lost()


def _of(target: str, token: int) -> Update:
    return update(LEASES).where(LEASES.c.target == target, LEASES.c.token == token)
