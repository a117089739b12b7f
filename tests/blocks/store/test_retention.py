"""What is removed from the store is gone whole, and nothing else is, in each database."""

from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import create_async_engine

from blocks.store.alerts import receive, unrouted_alerts
from blocks.store.database.tables import DELIVERIES, EPISODES, METADATA
from blocks.store.journal import IncidentStore
from blocks.store.journal_statements import UnknownIncident
from blocks.store.retention import closed_before, forget_messages, remove_incident
from runbook.alerts.intake import Message
from runbook.alerts.unrouted import Routing
from runbook.incidents.events import IncidentClosed, NoteAdded
from tests.blocks.journal_writers import ALERT, AT

DAY = timedelta(days=1)
MORE_THAN_A_PART = 5_001


@pytest.fixture
def store(url: str) -> IncidentStore:
    """An empty store."""
    return IncidentStore(url=SecretStr(url))


async def opened(store: IncidentStore, name: str, *, close: bool = True) -> None:
    """An incident of its own service with an alert, a note and a lease."""
    alert = ALERT.model_copy(update={"service": f"service of {name}"})
    taken = {"environment": "test", "new_id": lambda _: name, "flapping_episodes": 5}
    await receive(store, [Message(alert, AT)], **taken)  # type: ignore[arg-type]
    await store.append(name, NoteAdded(by="ana", text="noted"), at=AT)
    await store.take_lease(f"lease of {name}", name, at=AT, until=AT + DAY)
    if close:
        await store.append(name, IncidentClosed(outcome="recovered"), at=AT + DAY)


async def counted(url: str) -> dict[str, int]:
    """How many rows each table has."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        counts = {
            name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in METADATA.tables.items()
        }
    await engine.dispose()
    return counts


async def test_a_closed_incident_is_removed_with_all_that_belongs_to_it(
    url: str, store: IncidentStore
) -> None:
    """Its journal, its alerts and its lease; another's stay as they were. Once more removes nothing."""
    await opened(store, "inc-1")
    before = await counted(url)
    await opened(store, "inc-2")
    assert sorted(await closed_before(store, AT + 2 * DAY)) == ["inc-1", "inc-2"]
    assert await closed_before(store, AT + DAY) == []
    late = AT + 2 * DAY
    assert await remove_incident(store, "inc-2", closed_before=late, leases=["lease of inc-2"])
    assert await counted(url) == before
    assert not await remove_incident(store, "inc-2", closed_before=late, leases=["lease of inc-1"])
    assert await counted(url) == before
    assert len((await store.read("inc-1")).journal) == 3
    with pytest.raises(UnknownIncident):
        await store.read("inc-2")


async def test_an_incident_that_is_open_or_closed_later_is_not_removed(
    url: str, store: IncidentStore
) -> None:
    """Whoever asks: the database is asked once more in the same transaction."""
    await opened(store, "inc-1", close=False)
    await opened(store, "inc-2")
    before = await counted(url)
    for name in ("inc-1", "inc-2", "inc-3"):
        assert not await remove_incident(store, name, closed_before=AT + DAY, leases=[f"lease of {name}"])
    assert await counted(url) == before


async def test_messages_are_forgotten_from_the_oldest(url: str, store: IncidentStore) -> None:
    """In parts, until none is left from before; what came later is still known."""
    await store.check()
    old = [{"source": "pagerduty", "delivery": f"d{n}", "at": AT} for n in range(MORE_THAN_A_PART)]
    began = {"source": "plain", "service": "s", "key": "k"}
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(insert(DELIVERIES), [*old, {**old[0], "delivery": "new", "at": AT + DAY}])
        times = (AT, AT + DAY)
        await connection.execute(insert(EPISODES), [{**began, "began_at": at} for at in times])
    await engine.dispose()
    before = {"deliveries_before": AT + DAY, "episodes_before": AT + DAY, "alerts_before": AT + DAY}
    assert await forget_messages(store, **before) == MORE_THAN_A_PART + 1
    left = await counted(url)
    assert (left["deliveries"], left["episodes"]) == (1, 1)
    assert await forget_messages(store, **before) == 0


async def test_alerts_without_an_incident_are_forgotten(url: str, store: IncidentStore) -> None:
    """A sender that makes up services fills the store for a time only; incidents' own alerts stay."""
    await opened(store, "inc-1")
    made_up = [
        Message(ALERT.model_copy(update={"service": f"made-up-{number}"}), AT + number * DAY)
        for number in range(3)
    ]
    await receive(
        store,
        made_up,
        environment="test",
        new_id=lambda _: "inc-2",
        flapping_episodes=5,
        routing=Routing(known=frozenset({"ours"})),
    )
    old = {"deliveries_before": AT, "episodes_before": AT, "alerts_before": AT + 2 * DAY}
    assert await forget_messages(store, **old) == 2
    assert [alert.service for alert in await unrouted_alerts(store)] == ["made-up-2"]
    assert (await counted(url))["alerts"] == 2
