"""`runbook resume`: what people did by hand is journalled, and the run goes on from there."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.identity import Identity
from runbook.incidents import events as e
from tasks.lease import duty
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import FALLBACK
from tests.deployments.sleeping_run import ASKING, RUN, FakePrefect

Capture = pytest.CaptureFixture[str]

STOPPED: tuple[e.Event, ...] = tuple(
    e.RunStarted(flow_run_id=RUN) if isinstance(event, e.RunStarted) else event for event in ASKING
)
"""An incident that waits for an answer; its run is found by its id."""

DID = ["--done", "switched it on by hand", "--did", FALLBACK.id, "--by", "ana"]


def test_a_cancelled_run_goes_on_without_what_was_done_by_hand(
    store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """The action counts as done by hand, its question is withdrawn, and the run is taken up again."""
    incident_id = store.open("0001", STOPPED)
    prefect.state = "CANCELLED"

    assert main(["resume", "latest", *DID]) == ExitCode.OK

    assert capsys.readouterr().out == f"{incident_id}: run {RUN} goes on\n"
    incident = store.read(incident_id)
    assert incident.events(e.ResponseResumed) == [
        e.ResponseResumed(by="ana", done="switched it on by hand", identity=Identity(name="ana"))
    ]
    result = incident.results[FALLBACK.id]
    assert (result.outcome, result.approved_by) == (ActionOutcome.BY_HAND, "ana")
    assert incident.pending_gate is None
    [continued] = incident.events(e.RunContinued)
    assert continued == e.RunContinued(flow_run_id=RUN, because="ana handed the response back")
    assert prefect.set == ["AwaitingRetry (forced)"]


def test_while_prefect_is_down_it_says_what_is_kept(store: Store, capsys: Capture) -> None:
    """What was done by hand is in the journal; the run is not woken, so the command is to be given again."""
    incident_id = store.open("0001", STOPPED)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
        assert main(["resume", "latest", *DID]) == ExitCode.UNREACHABLE
    assert store.read(incident_id).results[FALLBACK.id].outcome is ActionOutcome.BY_HAND
    assert (
        "; what was done by hand is recorded, but the run does not continue yet. "
    ) in capsys.readouterr().err


def test_a_question_that_is_still_open_is_asked_again(store: Store, prefect: FakePrefect) -> None:
    """Nothing was done by hand: the plan stands as it was."""
    incident_id = store.open("0001", STOPPED)
    assert main(["resume", "latest", "--done", "", "--by", "ana"]) == ExitCode.OK
    incident = store.read(incident_id)
    assert incident.results == {}
    assert incident.pending_gate is not None
    assert prefect.set == ["AwaitingRetry (forced)"]


@pytest.mark.parametrize(("taken_up", "waits"), [(False, "waits for a worker"), (True, "is queued")])
def test_a_run_that_waits_for_a_worker_is_left_to_it(
    store: Store, prefect: FakePrefect, capsys: Capture, *, taken_up: bool, waits: str
) -> None:
    """What was done by hand is journalled all the same."""
    store.open("0001", STOPPED)
    prefect.state, prefect.taken_up = "SCHEDULED", taken_up
    assert main(["resume", "latest", *DID, "--json"]) == ExitCode.OK
    answer = json.loads(capsys.readouterr().out)
    assert (answer["run"], answer["did"]) == (waits, [FALLBACK.id])
    assert prefect.set == []


async def held(folder: Path, incident_id: str) -> None:
    """A process works on the incident."""
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{folder / 'incidents.db'}"))
    now = datetime.now(UTC)
    await store.take_lease(duty(incident_id), incident_id, at=now, until=now + timedelta(hours=1))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--done", "", "--did", "3-nothing"], ExitCode.USAGE, f"unfinished actions: {FALLBACK.id}"),
        ([], ExitCode.USAGE, "there is no terminal to ask at; say what was done by hand: --done"),
    ],
)
def test_what_cannot_be_handed_back_is_one_line(
    arguments: list[str], code: ExitCode, said: str, store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """Nothing is journalled, and nothing continued."""
    incident_id = store.open("0001", STOPPED)
    before = store.read(incident_id)
    assert main(["resume", "latest", *arguments]) == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert store.read(incident_id) == before
    assert prefect.set == []


def test_an_incident_that_is_being_worked_on_is_not_taken_away(
    store: Store, prefect: FakePrefect, capsys: Capture, tmp_path: Path
) -> None:
    """Its run shows signs of life; a second one would only fence it off."""
    incident_id = store.open("0001", STOPPED)
    asyncio.run(held(tmp_path, incident_id))
    assert main(["resume", "latest", *DID]) == ExitCode.NOTHING
    assert "is being worked on" in capsys.readouterr().err
    assert prefect.set == []


def test_a_closed_incident_is_not_opened_again(store: Store, capsys: Capture) -> None:
    """Handing back is no reopening; how to reopen it is said."""
    store.open("0001", (*STOPPED, e.IncidentClosed(outcome="recovered")))
    assert main(["resume", "latest", *DID]) == ExitCode.NOTHING
    told = capsys.readouterr().err
    assert "is closed; a note is still taken" in told
    assert "runbook reopen" in told


def test_what_was_done_is_kept_when_prefect_does_not_answer(
    store: Store, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog takes the run up once Prefect is back; what a person has said is not lost until then."""
    incident_id = store.open("0001", STOPPED)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    assert main(["resume", "latest", *DID]) != ExitCode.OK
    assert capsys.readouterr().err.count("\n") == 1
    assert store.read(incident_id).results[FALLBACK.id].outcome is ActionOutcome.BY_HAND
