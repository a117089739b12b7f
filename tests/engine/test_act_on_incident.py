"""Acts of people from Prefect's form, on a real Prefect server: what they say is a claim."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import State

from blocks.environment import Environment
from blocks.store.journal import IncidentStore
from deployments.prefect.configure import configure
from deployments.settings.settings import check_settings
from flows.act_on_incident import act_on_incident
from runbook.approvals.identity import Identity
from runbook.incidents import events as e
from tasks.caretaking import going_on
from tasks.lease import duty
from tests.deployments.acts_table import CASES, IN_THE_FORM, ON_A_TEXT, RESUME, Case
from tests.deployments.journal_samples import OPENED_AT
from tests.runbook.journals import ALERT, decided
from tests.runbook.public_texts import PROPOSED

NAME = "acting"
INCIDENT = "inc-20261122-160000-ab12"
KEY = "phx_canary0Q7zX4bV9nM2kL8"
IDS = [case.name for case in IN_THE_FORM]

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("prefect_api")]


async def opened(folder: Path, *events: e.Event, environment: str = NAME, **acts: Any) -> IncidentStore:
    """A configured environment with an incident in its store."""
    await saved(folder, environment=NAME, acts=acts)
    store = (await Environment.load(NAME)).store
    await store.open_incident(ALERT, incident_id=INCIDENT, at=OPENED_AT, environment=environment)
    for event in events:
        await store.append(INCIDENT, event, at=OPENED_AT + timedelta(minutes=1))
    return store


async def saved(folder: Path, *, environment: str, acts: dict[str, Any]) -> None:
    """Save the settings of an environment; all have the same store."""
    tables = {
        "prefect": {"environment": environment},
        "store": {"url": "sqlite+aiosqlite:///incidents.db"},
        "integration": {"health_url": "http://127.0.0.1:9/health"},
        "cluster": {"kubeconfig": str(folder / "kubeconfig")},
        "policy": {"acts": acts, "people": {"bob": {}}},
    }
    await configure(check_settings(tables, origin=folder / "runbook.toml"), deployments=[])


async def act(case: Case, **other: Any) -> State[Any]:
    """The end of a run of the form."""
    given: Any = {"incident": INCIDENT, "by": "ana", "environment": NAME} | case.form | other
    state: State[Any] = await act_on_incident(**given, return_state=True)
    return state


@pytest.mark.parametrize("case", IN_THE_FORM, ids=IDS)
async def test_an_act_is_journalled_as_a_claim(case: Case, tmp_path: Path) -> None:
    """And the run returns it as a sentence; the same again changes nothing, but for a note."""
    store = await opened(tmp_path)
    said = await (await act(case)).result()
    assert said.startswith("ana (unproven claim) ")
    written = [
        item.event for item in (await store.read(INCIDENT)).journal if isinstance(item.event, case.event)
    ]
    assert written == [case.of("ana", Identity(name="ana"))]
    assert (await act(case)).is_completed()
    journal = (await store.read(INCIDENT)).journal
    again = [item for item in journal if isinstance(item.event, case.event)]
    assert len(again) == (2 if case.again else 1)


@pytest.mark.parametrize("case", ON_A_TEXT, ids=[case.name for case in ON_A_TEXT])
async def test_a_text_for_the_public_is_answered(case: Case, tmp_path: Path) -> None:
    """Once, by the text that waits; the reason why another answer comes too late is the run's."""
    store = await opened(tmp_path, decided(), PROPOSED)
    assert (await (await act(case)).result()).startswith("ana (unproven claim) ")
    assert (await store.read(INCIDENT)).journal[-1].event == case.of("ana", Identity(name="ana"))
    late = await act(case, by="bob")
    assert (late.is_failed(), "it is answered: ana" in str(late.message)) == (True, True)


@pytest.mark.parametrize("case", IN_THE_FORM, ids=IDS)
async def test_who_may_not_or_is_not_proven_does_nothing(case: Case, tmp_path: Path) -> None:
    """Where a proof is required the form is no door, and the run says which is."""
    store = await opened(tmp_path, approvers=["bob"], accept_unverified=False)
    other, claim = await act(case), await act(case, by="bob")
    assert (other.is_failed(), "ana may not do this; who may: bob" in str(other.message)) == (True, True)
    assert (claim.is_failed(), "it is not proven that this is bob" in str(claim.message)) == (True, True)
    assert len((await store.read(INCIDENT)).journal) == 1


@pytest.mark.parametrize("case", IN_THE_FORM, ids=IDS)
async def test_a_closed_incident_takes_notes_only(case: Case, tmp_path: Path) -> None:
    """The run fails with the reason."""
    await opened(tmp_path, e.IncidentClosed(outcome="recovered"))
    state = await act(case)
    if case.event is e.NoteAdded:
        assert state.is_completed()
    else:
        assert (state.is_failed(), f"{INCIDENT} is closed" in str(state.message)) == (True, True)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"incident": "inc-1"}, "inc-1"),
        ({"incident": ""}, "incident"),
        ({"act": KEY}, "act"),
        ({"act": "assign"}, "the name is empty"),
        ({"act": "assign", "name": f"{KEY}\u202e"}, "invisible characters"),
        ({"act": "note"}, "the note is empty"),
        ({"act": "note", "text": KEY * 200}, "text"),
        ({"act": "note", "text": "x", "at": KEY}, "the time cannot be read"),
        ({"act": "severity", "text": "x"}, "the level is missing"),
        ({"act": "severity", "level": "P2"}, "the reason cannot be empty"),
        ({"act": "severity", "level": KEY, "text": "x"}, "level"),
        ({"act": "resume", "did": ("1-no-such",)}, "has no unfinished action"),
        ({"by": f"{KEY}\u202e"}, "invisible characters"),
    ],
    ids=str,
)
async def test_what_cannot_be_is_said_without_being_quoted(
    given: dict[str, Any], why: str, tmp_path: Path
) -> None:
    """The error is in the run's state and log, where anybody reads it."""
    store = await opened(tmp_path)
    state = await act(CASES[0], **given)
    assert (state.is_failed(), why in str(state.message)) == (True, True), state.message
    assert KEY[:8] not in str(state.message)
    assert len((await store.read(INCIDENT)).journal) == 1


@pytest.mark.parametrize(
    "given",
    [{"incident": "latest"}, {"incident": "OPS-12"}, {"act": "note"}, {"act": "merge", "into": "inc-1"}],
    ids=str,
)
async def test_what_is_refused_is_one_line_in_the_runs_log(
    given: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With what to give instead, and without a traceback, which tells a person nothing."""
    await opened(tmp_path)
    state = await act(CASES[0], **given)
    assert state.is_failed()
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.exc_info for record in told if record.exc_info] == []
    assert "Traceback" not in caplog.text
    assert "\n" not in str(state.message)
    if "incident" in given:
        assert state.message == (
            f"no incident {given['incident']}: give the id of one, as `runbook incidents` lists them"
        )


async def test_another_environments_incident_is_found_with_its_own_policy(tmp_path: Path) -> None:
    """Its people decide, not those of the environment in the form; one that is not saved is refused."""
    store = await opened(tmp_path, environment="another")
    before = await store.read(INCIDENT)
    assert "environment 'another' has no " in str((await act(CASES[0])).message)
    await saved(tmp_path, environment="another", acts={"approvers": ["bob"], "accept_unverified": True})
    assert "ana may not do this; who may: bob" in str((await act(CASES[0])).message)
    assert await store.read(INCIDENT) == before
    assert (await (await act(CASES[0], by="bob")).result()).startswith("bob (unproven claim) ")


async def test_an_incident_is_merged_and_reopened_by_the_form(tmp_path: Path) -> None:
    """Each is a claim; its run cannot go on here, as there is no deployment, which the watchdog heals."""
    store = await opened(tmp_path)
    other = ALERT.model_copy(update={"service": "checkout"})
    await store.open_incident(other, incident_id="inc-2", at=OPENED_AT, environment=NAME)
    merge, reopen = {"act": "merge", "into": "inc-2"}, {"act": "reopen", "text": "it is another"}
    assert "is open" in str((await act(CASES[0], **reopen)).message)
    assert (await act(CASES[0], **merge)).is_completed()
    assert [it.incident for it in (await store.read("inc-2")).events(e.IncidentAbsorbed)] == [INCIDENT]
    assert "has ended: merged" in str((await act(CASES[0], **merge)).message)
    assert "is being closed" in str((await act(CASES[0], **reopen)).message)
    closed = e.IncidentClosed(outcome="merged")
    await store.append(INCIDENT, closed, at=OPENED_AT, key=closed.journal_key)
    assert (await act(CASES[0], **reopen)).is_completed()
    told = await store.read(INCIDENT)
    assert (told.reopened, told.closed) == (1, False)


async def test_nothing_is_reopened_beside_another_open_incident_by_the_form(tmp_path: Path) -> None:
    """The run's error names that one."""
    store = await opened(tmp_path, e.IncidentResolved(outcome="recovered", because=()))
    closed = e.IncidentClosed(outcome="recovered")
    await store.append(INCIDENT, closed, at=OPENED_AT, key=closed.journal_key)
    await store.open_incident(ALERT, incident_id="inc-2", at=OPENED_AT, environment=NAME)
    state = await act(CASES[0], act="reopen", text="again")
    assert "inc-2 of the same service is open" in str(state.message)
    assert (await store.read(INCIDENT)).closed


async def test_a_run_that_is_worked_on_is_not_handed_back(tmp_path: Path) -> None:
    """Two would work on it."""
    store = await opened(tmp_path)
    at = datetime.now(UTC)
    await store.take_lease(duty(INCIDENT), "a run", at=at, until=at + timedelta(minutes=5))
    state = await act(RESUME)
    assert "its run is active" in str(state.message)
    assert (await store.read(INCIDENT)).last(e.ResponseResumed) is None


async def test_the_form_keeps_nobody_waiting_for_prefect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The act stands, and its run goes on later."""

    @asynccontextmanager
    async def hanging() -> AsyncIterator[None]:
        await asyncio.sleep(3600)
        yield

    store = await opened(tmp_path)
    monkeypatch.setattr(going_on, "PREFECT_SECONDS", 0.05)
    monkeypatch.setattr("flows.act_on_incident.prefect_client", hanging)
    [resolve] = [case for case in CASES if case.name == "resolve"]
    assert (await act(resolve)).is_completed()
    assert (await store.read(INCIDENT)).resolved


async def test_the_reminder_of_a_clock_is_snoozed(tmp_path: Path) -> None:
    """For as long as the form says; without a reminder the run says why not."""
    due_at = datetime.now(UTC) + timedelta(hours=1)
    reminded = e.ClockReminded(clock=e.ClockName.TEAM_UPDATE, due_at=due_at)
    store = await opened(tmp_path, reminded)
    said: str = await act_on_incident(INCIDENT, "snooze", "ana", minutes=30, environment=NAME)
    assert said.startswith("ana (unproven claim) snoozed the reminder of the team update until")
    done = (await store.read(INCIDENT)).journal[-1].event
    assert isinstance(done, e.ReminderSnoozed)
    assert timedelta(minutes=29) < done.until - datetime.now(UTC) <= timedelta(minutes=30)
