"""Messages about alerts in the store: in one transaction, by several receivers at once, in each database."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from blocks.store.alerts import receive
from blocks.store.journal import IncidentStore
from blocks.store.overview import overview
from blocks.transport.errors import Unavailable
from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Message, Received
from runbook.approvals.gates import Answer, Choice
from runbook.incidents.events import (
    AlertJoined,
    AlertsResolved,
    ApprovalAnswered,
    ApprovalRequested,
    FlappingNoted,
    IncidentClosed,
    IncidentOpened,
    RunStarted,
)
from runbook.policy.permissions import Permissions
from runbook.policy.policy import Policy
from tests.blocks.journal_writers import ROUNDS, WRITERS, at_once, processes, take_alerts

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def store(url: str) -> IncidentStore:
    """An empty store."""
    return IncidentStore(url=SecretStr(url))


def message(name: str = "A", *, service: str = "s", second: int = 0, **fields: Any) -> Message:
    """A message about an alert of that name, so many seconds after the first."""
    at = AT + second * SECOND
    given: dict[str, Any] = {"source": "alertmanager", "summary": "x", "fingerprint": name} | fields
    return Message(Alert(service=service, name=name, **given), at)


async def take(store: IncidentStore, *messages: Message) -> list[Received]:
    """Take the messages of one batch; incidents are numbered by their time."""
    return await receive(
        store,
        messages,
        environment="test",
        new_id=lambda at: f"inc-{(at - AT).seconds}-{messages[0].alert.service}",
        flapping_episodes=2,
    )


async def test_what_is_known_survives_from_batch_to_batch(store: IncidentStore) -> None:
    """Repeats are counted, the end is told, the next beginning joins: as the rules have it in memory."""
    [opened] = await take(store, message())
    [repeated] = await take(store, message(second=1))
    [ended] = await take(store, message(second=2, status=AlertStatus.RESOLVED))
    [again] = await take(store, message(second=3))
    assert [item.meaning for item in (opened, repeated, ended, again)] == [
        Meaning.BEGAN,
        Meaning.REPEATED,
        Meaning.ENDED,
        Meaning.BEGAN,
    ]
    assert ended.over
    incident = await store.read(opened.incident)
    assert [item.seq for item in incident.journal] == list(range(1, len(incident.journal) + 1))
    assert [type(item.event) for item in incident.journal if item.seq != 2] == [
        IncidentOpened,
        AlertsResolved,
        AlertJoined,
    ]
    assert incident.opened_at == AT
    assert incident.environment == "test"


async def test_one_batch_may_say_everything_about_an_alert(store: IncidentStore) -> None:
    """A storm brings beginning, repeat, end and beginning in one transaction."""
    resolved = message(status=AlertStatus.RESOLVED)
    received = await take(store, message(), message(), resolved, message(), resolved)
    assert [item.meaning for item in received] == [
        Meaning.BEGAN,
        Meaning.REPEATED,
        Meaning.ENDED,
        Meaning.BEGAN,
        Meaning.ENDED,
    ]
    assert (await store.read(received[0].incident)).alerts_over


async def test_a_closed_incident_is_followed_by_another_that_names_it(store: IncidentStore) -> None:
    """An alert that fires on after the end opens anew, linked to the last."""
    [first] = await take(store, message())
    await store.append(first.incident, IncidentClosed(outcome="recovered"), at=AT + SECOND)
    [second] = await take(store, message(second=2))
    assert second.opened
    opened = (await store.read(second.incident)).opened
    assert opened.recurrence_of == first.incident


async def test_a_rehearsal_swallows_no_alert(store: IncidentStore) -> None:
    """Somebody rehearses while the service fails in earnest: the alert opens an incident of its own."""
    by_hand = Alert(source="person", service="s", name="manual", summary="a rehearsal")
    rehearsal, _ = await store.open_incident(by_hand, incident_id="rehearsal", at=AT, dry_run=True)
    [real] = await take(store, message(second=1))
    [repeated] = await take(store, message(second=2))
    assert (real.opened, real.meaning) == (True, Meaning.BEGAN)
    assert (repeated.incident, repeated.meaning) == (real.incident, Meaning.REPEATED)
    assert not (await store.read(real.incident)).dry_run
    assert real.incident in (await overview(store)).unstarted

    again, is_new = await store.open_incident(by_hand, incident_id="again", at=AT, dry_run=True)
    assert (again.id, is_new) == (rehearsal.id, False)
    joined, is_new = await store.open_incident(by_hand, incident_id="third", at=AT)
    assert (joined.id, is_new) == (real.incident, False)

    for closed in (rehearsal.id, real.incident):
        await store.append(closed, IncidentClosed(outcome="recovered"), at=AT + 3 * SECOND)
    [next_one] = await take(store, message("B", second=4))
    assert (await store.read(next_one.incident)).opened.recurrence_of == real.incident


async def test_what_the_policy_permits_is_in_the_journal_with_the_opening(store: IncidentStore) -> None:
    """In the same transaction, so that no incident is open without it."""
    permissions = Permissions.of(Policy(changes_per_hour=3))
    [opened] = await receive(
        store,
        [message()],
        environment="test",
        new_id=lambda _: "inc-1",
        flapping_episodes=2,
        permissions=permissions,
    )
    assert (await store.read(opened.incident)).opened.permissions == permissions


async def test_flapping_is_counted_over_incidents(store: IncidentStore) -> None:
    """Episodes of the last hour count, whichever incident they belonged to."""
    for number in range(3):
        [begun] = await take(store, message(second=10 * number))
        await store.append(begun.incident, IncidentClosed(outcome="recovered"), at=AT)
    [begun] = await take(store, message(second=50))
    incident = await store.read(begun.incident)
    assert incident.events(FlappingNoted) == [FlappingNoted(alert="A", episodes=3)]


async def test_a_replay_has_no_effect(store: IncidentStore) -> None:
    """The same delivery, in another batch, is known."""
    [first] = await take(store, message(delivery="d1"))
    [again] = await take(store, message(second=1, delivery="d1"))
    assert again == Received(None, first.incident)


async def test_thousands_of_alerts_in_one_notification_are_taken(store: IncidentStore) -> None:
    """More than a database takes values in one statement."""
    received = await take(store, *(message(f"A{number}") for number in range(6_000)))
    assert len({item.incident for item in received}) == 1
    assert len((await store.read(received[0].incident)).journal) < 50
    again = await take(store, *(message(f"A{number}", second=1) for number in range(6_000)))
    assert {item.meaning for item in again} == {Meaning.REPEATED}


async def test_receivers_that_share_a_store_open_one_incident(url: str, store: IncidentStore) -> None:
    """Processes that get alerts of one service at the same moment agree, and count every message."""
    with processes() as pool:
        seen = await asyncio.to_thread(at_once, pool, take_alerts, url)
    assert len({incident for incidents in seen for incident in incidents}) == 1
    [incident] = await store.incidents()
    assert len(incident.events(IncidentOpened)) == 1
    assert len(incident.events(AlertJoined)) == WRITERS - 1
    again = await take(store, *(message(f"writer-{number}") for number in range(WRITERS)))
    assert {item.meaning for item in again} == {Meaning.REPEATED}
    assert [len(incidents) for incidents in seen] == [ROUNDS] * WRITERS


async def test_a_store_that_cannot_be_reached_takes_nothing(nobody: str) -> None:
    """The sender is told to try again."""
    port = nobody.rpartition(":")[2]
    store = IncidentStore(url=SecretStr(f"postgresql+psycopg://nobody@127.0.0.1:{port}/nothing"))
    with pytest.raises(Unavailable):
        await take(store, message())


async def test_the_overview_tells_what_open_incidents_wait_for(store: IncidentStore) -> None:
    """Those without a run, and those whose newest question has no answer; closed ones wait for nothing."""
    [new], [asking], [answered], [closed] = [
        await take(store, message(service=name, second=number))
        for number, name in enumerate(("new", "asking", "answered", "closed"))
    ]
    for item in (asking, answered):
        await store.append(item.incident, RunStarted(flow_run_id="r"), at=AT, key="run:r")
        question = ApprovalRequested(gate="g", action_id="a", plan_digest="d", question="?", flow_run_id="r")
        await store.append(item.incident, question, at=AT + SECOND, key="ask:g")
    yes = Answer(choice=Choice.APPROVE, approver="ana")
    answer = ApprovalAnswered(gate="g", action_id="a", plan_digest="d", answer=yes)
    await store.append(answered.incident, answer, at=AT, key="answer:g")
    await store.append(closed.incident, IncidentClosed(outcome="recovered"), at=AT)
    seen = await overview(store)
    assert seen.unstarted == {new.incident: AT}
    [gate] = seen.gates
    assert (gate.incident, gate.gate, gate.asked_at, gate.alerts_ended) == (
        asking.incident,
        "g",
        AT + SECOND,
        False,
    )
    await take(store, message(service="asking", second=9, status=AlertStatus.RESOLVED))
    assert (await overview(store)).gates[0].alerts_ended
