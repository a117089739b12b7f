"""What a store of an earlier release knew is found again in the columns and names of today."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from blocks.store.alerts import receive
from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Message
from runbook.incidents.events import EVENT, RunStarted
from tests.blocks import earlier_stores as earlier
from tests.blocks.earlier_stores import AT, INCIDENT, SENT_AGAIN, connected, look, rows, store_at

_FINISHED = text(
    "INSERT INTO events (incident_id, seq, key, at, body) "
    "SELECT incident_id, 99, :key, at, body FROM events WHERE incident_id = :id AND seq = 1"
)


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("finished:2-enable-fallback", True),
        ("finished:12-enable-request-queue", True),
        ("finished:1-enable-fallback-undo", False),
        ("finished:1-scale", False),
    ],
)
async def test_a_switch_that_an_earlier_release_turned_on_is_looked_after(
    url: str, key: str, found: bool
) -> None:
    """It knew them by the keys of its journals."""
    await earlier.make(url, "0004")
    async with connected(url) as connection:
        kept = text("DELETE FROM events WHERE key LIKE 'finished:%'")
        await connection.execute(kept)
        await connection.execute(_FINISHED, {"id": INCIDENT, "key": key})
    async with store_at(url)._reading() as connection:
        marked = (await connection.execute(text("SELECT switch_may_be_on FROM incidents"))).scalars().all()
    assert [bool(mark) for mark in marked] == [found]


_STARTED = text(
    "INSERT INTO events (incident_id, seq, key, at, body) "
    "SELECT :id, :seq, :key, at, :body FROM events WHERE seq = 1"
)


@pytest.mark.parametrize(
    ("runs", "rehearsal"),
    [([False], False), ([True], True), ([True, True], True), ([False, True], False), ([], False)],
)
async def test_a_rehearsal_of_an_earlier_release_is_recognised(
    url: str, runs: list[bool], rehearsal: bool
) -> None:
    """The run that opened it said so. The alert that it had swallowed opens an incident of its own."""
    await earlier.make(url, "0004")
    async with connected(url) as connection:
        await connection.execute(text("DELETE FROM events WHERE seq > 1"))
        for number, dry_run in enumerate(runs, start=2):
            body = EVENT.dump_json(RunStarted(flow_run_id=f"run-{number}", dry_run=dry_run)).decode()
            row = {"id": INCIDENT, "seq": number, "key": f"run:{number}", "body": body}
            await connection.execute(_STARTED, row)
    store = store_at(url)
    assert (await store.read(INCIDENT)).dry_run is rehearsal

    [received] = await receive(
        store,
        [Message(SENT_AGAIN, AT + timedelta(minutes=1))],
        environment="test",
        new_id=lambda _: "a real one",
        flapping_episodes=5,
    )

    assert (received.incident, received.opened) == (("a real one", True) if rehearsal else (INCIDENT, False))
    joined, is_new = await store.open_incident(SENT_AGAIN, incident_id="x", at=AT, dry_run=True)
    assert (joined.id, is_new) == ((INCIDENT, False) if rehearsal else ("x", True))


async def test_names_with_a_secret_are_known_by_their_masked_form(url: str) -> None:
    """What an earlier release knew of an alert is found again, and the store shows its secret no more."""
    secret = "phx_canary0Q7zX4bV9nM2kL8"
    service, fingerprint = f"api {secret}", f"alert-{secret}"
    await earlier.make(url, "0003")
    async with connected(url) as connection:
        await connection.execute(text("UPDATE incidents SET service = :it"), {"it": service})
        for table in ("alerts", "episodes"):
            named = {"it": service, "key": fingerprint}
            await connection.execute(text(f"UPDATE {table} SET service = :it, key = :key"), named)  # noqa: S608
        await connection.execute(text("UPDATE deliveries SET delivery = :it"), {"it": secret})
    end = SENT_AGAIN.model_copy(
        update={"service": service, "fingerprint": fingerprint, "status": AlertStatus.RESOLVED}
    )
    replay = Alert(source="pagerduty", service=service, name="A", summary="x", delivery=secret)
    received = await receive(
        store_at(url),
        [Message(replay, AT + timedelta(minutes=1)), Message(end, AT + timedelta(minutes=2))],
        environment="test",
        new_id=lambda _: "another incident",
        flapping_episodes=5,
    )
    assert [(one.meaning, one.incident) for one in received] == [(None, INCIDENT), (Meaning.ENDED, INCIDENT)]
    assert secret not in str(await look(url, rows))
