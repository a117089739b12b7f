"""People end, merge and reopen incidents: what they say is journalled once, or nothing of it is."""

import asyncio
from pathlib import Path

import pytest

from blocks.store.journal import IncidentStore
from runbook.alerts.alert import Alert
from runbook.approvals.acts import Act, ActKind, ActOnClosed
from runbook.approvals.ends import NotOpen
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome, State
from runbook.outside_text import MAX_TEXT
from runbook.policy.policy import Policy
from tasks.acts import Acted, record_act
from tests.runbook.journals import ALERT
from tests.tasks.environments import AT, environment

KEY = "phx_canary0Q7zX4bV9nM2kL8"
RESOLVE = Act(kind=ActKind.RESOLVE, outcome="recovered", text="it works again")
REOPEN = Act(kind=ActKind.REOPEN, text="it does not")
CLOSED = e.IncidentClosed(outcome="recovered")


@pytest.fixture
async def store(tmp_path: Path) -> IncidentStore:
    """A store with two open incidents of two services: inc-a and inc-b."""
    store = environment(tmp_path).store
    for name in "ab":
        await opened(store, f"inc-{name}", ALERT.model_copy(update={"service": name}))
    return store


async def opened(store: IncidentStore, incident_id: str, alert: Alert) -> None:
    """An open incident."""
    await store.open_incident(alert, incident_id=incident_id, at=AT, environment="test")


async def do(
    store: IncidentStore, act: Act, incident: str = "inc-a", *, by: str = "ana", known: Incident | None = None
) -> Acted:
    """Act on an incident, as it was read before where that is given."""
    read = known or await store.read(incident)
    return await record_act(
        store, read, act, by=by, identify=lambda _: Identity(name=by), policy=Policy(), at=AT
    )


def merge(into: str) -> Act:
    """A merger into that incident."""
    return Act(kind=ActKind.MERGE, into=into, text="one deploy")


async def size(store: IncidentStore) -> list[int]:
    """How long both journals are."""
    return [len((await store.read(name)).journal) for name in ("inc-a", "inc-b")]


async def test_the_first_of_two_people_ends_the_incident(store: IncidentStore) -> None:
    """The other one, who comes later or at the same moment, hears who did."""
    before = await store.read("inc-a")
    assert (await do(store, RESOLVE)).recorded
    assert not (await do(store, RESOLVE)).recorded, "the same person says the same"
    with pytest.raises(NotOpen, match="has ended: recovered"):
        await do(store, RESOLVE, by="bob")
    for late in (RESOLVE, merge("inc-b")):
        raced = await do(store, late, by="bob", known=before)
        assert (raced.recorded, raced.said.startswith("ana ")) == (False, True)
    assert await size(store) == [2, 1], "inc-b has not absorbed what was resolved"


async def test_a_merger_into_what_ends_at_the_same_moment_is_refused(store: IncidentStore) -> None:
    """In both orders and both directions, nobody is left without a response."""
    await do(store, RESOLVE, "inc-b", by="bob")
    with pytest.raises(NotOpen, match="inc-b"):
        await do(store, merge("inc-b"))
    assert await size(store) == [1, 2]
    await store.append("inc-b", CLOSED, at=AT, key=CLOSED.journal_key)
    await do(store, REOPEN, "inc-b")
    done = await asyncio.gather(
        do(store, merge("inc-b")), do(store, merge("inc-a"), "inc-b"), return_exceptions=True
    )
    assert sorted(type(it).__name__ for it in done) == ["Acted", "NotOpen"]


async def test_a_merged_incident_is_reopened_and_merged_again(store: IncidentStore) -> None:
    """Once its run has closed it; it leaves the other one as it is."""
    await do(store, merge("inc-b"))
    with pytest.raises(InvalidAnswer, match="is being closed: try again"):
        await do(store, REOPEN)
    await store.append("inc-a", CLOSED, at=AT, key=CLOSED.journal_key)
    await do(store, REOPEN)
    again = await store.read("inc-a")
    assert (again.outcome, again.state, again.reopened) == (None, State.INVESTIGATING, 1)
    assert (await do(store, merge("inc-b"))).recorded
    assert (await store.read("inc-a")).outcome is IncidentOutcome.MERGED


async def test_nothing_is_reopened_beside_an_open_incident_of_its_service(store: IncidentStore) -> None:
    """The error names that one, which is where to go on."""
    await do(store, RESOLVE)
    await store.append("inc-a", CLOSED, at=AT, key=CLOSED.journal_key)
    await opened(store, "inc-c", ALERT.model_copy(update={"service": "a"}))
    with pytest.raises(InvalidAnswer, match="inc-c of the same service is open"):
        await do(store, REOPEN)
    assert await size(store) == [3, 1]
    with pytest.raises(ActOnClosed):
        await do(store, RESOLVE)


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (RESOLVE.model_copy(update={"text": " "}), "the reason is empty"),
        (RESOLVE.model_copy(update={"outcome": "fine"}), "the outcome is one of"),
        (RESOLVE.model_copy(update={"text": "x" * 100_000}), f"the reason has at most {MAX_TEXT}"),
        (RESOLVE.model_copy(update={"done": "x" * 100_000}), f"what was done has at most {MAX_TEXT}"),
        (merge("inc-b").model_copy(update={"text": "x" * 100_000}), "the reason has at most"),
        (merge("inc-a"), "into itself"),
        (merge(""), "the other incident is missing"),
        (REOPEN, "is open"),
    ],
    ids=lambda it: it.kind if isinstance(it, Act) else it,
)
async def test_what_cannot_be_is_refused_and_nothing_is_written(
    store: IncidentStore, act: Act, why: str
) -> None:
    """One clear error, and no part of it in either journal."""
    with pytest.raises(InvalidAnswer, match=why):
        await do(store, act)
    assert await size(store) == [1, 1]


async def test_what_people_write_is_masked_and_shows_what_it_is(store: IncidentStore) -> None:
    """A key and a bidirectional override, in each of the texts."""
    text = f"key {KEY} \u202egnp.exe <!channel> **x**"
    said = await do(store, RESOLVE.model_copy(update={"text": text, "done": text}))
    event = (await store.read("inc-a")).journal[-1].event
    assert isinstance(event, e.IncidentResolved)
    for shown in (said.said, *event.because, event.done):
        assert KEY not in shown
        assert "\u202e" not in shown
        assert "[redacted:phx]" in shown
