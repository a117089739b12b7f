"""Alerts of services that the runbook does not act for: kept, shown, told once, and no incident."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from blocks.store.alerts import firing_alerts, note_told, receive, unrouted_alerts
from blocks.store.journal import IncidentStore
from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Message, Received
from runbook.alerts.unrouted import Routing
from runbook.incidents import events as e
from runbook.policy.permissions import Permissions
from runbook.policy.policy import Policy

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
OURS = frozenset({"posthog-integration"})


@pytest.fixture
def store(url: str) -> IncidentStore:
    """An empty store."""
    return IncidentStore(url=SecretStr(url))


async def take(
    store: IncidentStore,
    name: str = "A",
    *,
    service: str = "checkout",
    minute: int = 0,
    known: frozenset[str] = OURS,
    routing: Routing | None = None,
    reopen_within: timedelta = timedelta(0),
    **fields: Any,
) -> Received:
    """A message about an alert, so many minutes after the first."""
    given: dict[str, Any] = {"source": "alertmanager", "summary": "x", "fingerprint": name} | fields
    at = AT + timedelta(minutes=minute)
    [received] = await receive(
        store,
        [Message(Alert(service=service, name=name, **given), at)],
        environment="test",
        new_id=lambda at: f"inc-{(at - AT).seconds}-{service}",
        flapping_episodes=9,
        routing=routing or Routing(known=known),
        reopen_within=reopen_within,
    )
    return received


async def test_an_alert_of_another_service_opens_no_incident(store: IncidentStore) -> None:
    """It would be about another target. It is kept with its name and counted, until it is resolved."""
    first, again = await take(store), await take(store, minute=1)
    assert (first.meaning, first.opened, first.incident) == (Meaning.UNROUTED, True, "")
    assert (again.meaning, again.opened) == (Meaning.UNROUTED, False)
    assert await store.incidents() == []
    [kept] = await unrouted_alerts(store)
    assert (kept.service, kept.name, kept.received, kept.incident) == ("checkout", "A", 2, "")
    await take(store, minute=2, status=AlertStatus.RESOLVED)
    assert await unrouted_alerts(store) == []


async def test_people_are_told_once_until_it_fires_anew(store: IncidentStore) -> None:
    """A repeat is no news, nor is an alert that comes and goes; after an hour of quiet, it is."""
    await take(store)
    await note_told(store, await unrouted_alerts(store))
    await take(store, minute=1)
    assert [alert.journalled for alert in await unrouted_alerts(store)] == [True]
    await take(store, minute=2, status=AlertStatus.RESOLVED)
    await take(store, minute=30)
    assert [alert.journalled for alert in await unrouted_alerts(store)] == [True]
    await take(store, minute=31, status=AlertStatus.RESOLVED)
    await take(store, minute=91)
    assert [alert.journalled for alert in await unrouted_alerts(store)] == [False]


async def test_it_is_known_since_when_it_fires(store: IncidentStore) -> None:
    """A repeat does not make it younger."""
    await take(store)
    await take(store, minute=7)
    [kept] = await unrouted_alerts(store)
    assert (kept.turned_at, kept.last_seen_at) == (AT, AT + timedelta(minutes=7))


async def test_an_alert_whose_service_is_taken_out_is_told(store: IncidentStore) -> None:
    """What the journal of its former incident tells, the channel has not heard as an alert of nobody."""
    first = await take(store, known=frozenset())
    await store.append(first.incident, e.IncidentClosed(outcome="recovered"), at=AT)
    await take(store, minute=1)
    assert [alert.journalled for alert in await unrouted_alerts(store)] == [False]


async def test_without_known_services_every_service_is_one(store: IncidentStore) -> None:
    """As before there was that setting."""
    assert (await take(store, known=frozenset())).opened
    assert await unrouted_alerts(store) == []
    assert [alert.service for alert in await firing_alerts(store)] == ["checkout"]


async def test_a_service_of_another_environment_opens_none_here(store: IncidentStore) -> None:
    """Also where every other service is taken for ours."""
    theirs = Routing(elsewhere={"checkout": "shop"})
    assert (await take(store, routing=theirs)).meaning is Meaning.UNROUTED
    assert (await take(store, service="billing", routing=theirs)).opened
    assert [it.alert.service for it in await store.incidents()] == ["billing"]


async def test_an_environment_that_is_served_opens_its_own_incidents(store: IncidentStore) -> None:
    """With what its policy permits; an alert of another one stays without."""
    shop = Permissions.of(Policy(dry_run_only=True))
    theirs = Routing(elsewhere={"checkout": "shop", "ledger": "books"}, served={"shop": shop})
    assert (await take(store, service="ledger", routing=theirs)).meaning is Meaning.UNROUTED
    first, again = await take(store, routing=theirs), await take(store, "B", routing=theirs)
    assert (first.opened, again.opened, again.incident) == (True, False, first.incident)
    opened = (await store.read(first.incident)).opened
    assert (opened.environment, opened.permissions) == ("shop", shop)


async def test_an_incident_stays_one_when_its_environment_is_no_longer_served(store: IncidentStore) -> None:
    """Its alerts join it, and end it."""
    theirs = Routing(elsewhere={"checkout": "shop"})
    served = theirs.model_copy(update={"served": {"shop": Permissions.of(Policy())}})
    first = await take(store, routing=served)
    second = await take(store, "B", routing=theirs)
    assert (second.opened, second.incident) == (False, first.incident)
    await take(store, routing=theirs, status=AlertStatus.RESOLVED)
    assert (await take(store, "B", routing=theirs, status=AlertStatus.RESOLVED)).over


@pytest.mark.parametrize("moved", [True, False])
async def test_a_service_that_was_moved_reopens_nothing_on_its_former_target(
    moved: bool, store: IncidentStore
) -> None:
    """Its next alert opens an incident where it belongs now, which is linked to the last one."""
    theirs = Routing(elsewhere={"checkout": "shop"}, served={"shop": Permissions.of(Policy())})
    before = Routing() if moved else theirs
    first = await take(store, routing=before)
    await store.append(first.incident, e.IncidentClosed(outcome="recovered"), at=AT)
    hour = timedelta(hours=1)
    await take(store, minute=1, routing=before, status=AlertStatus.RESOLVED)
    again = await take(store, minute=5, routing=theirs, reopen_within=hour)
    assert (again.opened, again.reopened) == (moved, not moved)
    opened = (await store.read(again.incident)).opened
    assert (opened.environment, opened.recurrence_of) == ("shop", first.incident if moved else "")


async def test_a_service_that_becomes_known_opens_its_incident(store: IncidentStore) -> None:
    """With the next message of its sender."""
    await take(store)
    later = await take(store, minute=1, known=frozenset({"checkout"}))
    assert (later.meaning, later.opened) == (Meaning.BEGAN, True)
    assert await unrouted_alerts(store) == []


async def test_the_alerts_of_a_merged_incident_keep_their_place(store: IncidentStore) -> None:
    """A person has said that they belong to that one, whatever the services are."""
    everything = frozenset({"checkout", "posthog-integration"})
    theirs = await take(store, known=everything)
    ours = await take(store, service="posthog-integration")
    merged = e.IncidentMerged(into=ours.incident, by="ana")
    await store.append(theirs.incident, merged, at=AT, key=merged.journal_key)
    closed = e.IncidentClosed(outcome="merged")
    await store.append(theirs.incident, closed, at=AT, key=closed.journal_key)
    joined = await take(store, "B", minute=1)
    assert (joined.incident, joined.meaning) == (ours.incident, Meaning.BEGAN)


async def test_an_unrouted_alert_does_nothing_under_another_one_s_fingerprint(store: IncidentStore) -> None:
    """Firing or resolved, it is another alert: its service is another one."""
    ours = await take(store, service="posthog-integration")
    await take(store, minute=1)
    await take(store, minute=2, status=AlertStatus.RESOLVED)
    incident = await store.read(ours.incident)
    assert [type(item.event) for item in incident.journal] == [e.IncidentOpened]
    assert [alert.service for alert in await firing_alerts(store)] == ["posthog-integration"]
