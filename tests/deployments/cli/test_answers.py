"""`runbook approve`, `reject`, `edit`, `snooze`: the answer goes into the journal, then the run is woken."""

import json

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.services import runs
from runbook.approvals.gates import Answer, Choice, Instead
from runbook.approvals.identity import Identity
from runbook.channels.wording import REHEARSAL
from runbook.incidents.events import ApprovalAnswered, ApprovalRequested
from tests.deployments.answer_samples import SEEN, answered, opened
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import FALLBACK, GATE, PLAN
from tests.deployments.sleeping_run import ASKING, NOT_PAUSED, FakePrefect

Capture = pytest.CaptureFixture[str]


def _of(arguments: list[str], option: str, default: str) -> str:
    """What is given with an option."""
    return arguments[arguments.index(option) + 1] if option in arguments else default


@pytest.mark.parametrize(
    ("arguments", "choice", "reason", "minutes"),
    [
        (["approve", *SEEN, "--reason", "looks right"], Choice.APPROVE, "looks right", None),
        (["approve", *SEEN], Choice.APPROVE, "", None),
        (["snooze"], Choice.SNOOZE, "", 15),
        (["snooze", "--minutes", "5", "--reason", "lunch"], Choice.SNOOZE, "lunch", 5),
        (["reject", "--reason", "by hand"], Choice.REJECT, "by hand", None),
        (["reject", "--reason", "x", "--instead", "nothing"], Choice.REJECT, "x", 60),
        (["reject", "--reason", "x", "--instead", "nothing", "--ask-again", "5"], Choice.REJECT, "x", 5),
        (["reject", "--reason", "x", "--instead", "wrong-verdict"], Choice.REJECT, "x", None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_answer_is_journalled_and_wakes_the_run(
    arguments: list[str],
    choice: Choice,
    reason: str,
    minutes: int | None,
    store: Store,
    prefect: FakePrefect,
    capsys: Capture,
) -> None:
    """The journal gets gate, plan, choice, approver and channel; the run gets the same in its form."""
    incident_id = store.open("0001", ASKING)
    command, *options = arguments
    assert main([command, incident_id, "--by", "ana", *options, "--json"]) == ExitCode.OK
    standing = store.read(incident_id).last(ApprovalAnswered)
    instead = Instead(_of(arguments, "--instead", "by-hand")) if choice is Choice.REJECT else None
    answer = Answer(
        choice=choice,
        approver="ana",
        reason=reason,
        channel="cli",
        identity=Identity(name="ana"),
        snooze_minutes=minutes,
        instead=instead,
    )
    assert standing == ApprovalAnswered(
        gate=GATE, action_id=FALLBACK.id, plan_digest=PLAN.digest, answer=answer
    )
    form = {"gate": GATE, "decision": choice.value, "approver": "ana", "reason": reason}
    assert prefect.forms == [form | ({"instead": instead.value} if instead else {})]
    told = json.loads(capsys.readouterr().out)
    assert (told["incident"], told["answer"]["choice"], told["ours"]) == (incident_id, choice.value, True)


def test_people_are_told_who_decided_what(store: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """One line: incident, approver, decision, action."""
    incident_id = store.open("0001", ASKING)
    assert main(["approve", "latest", *SEEN, "--by", "ana"]) == ExitCode.OK
    assert capsys.readouterr().out == f"{incident_id}: ana (unproven claim) approved {FALLBACK.id}\n"
    assert prefect.state == "SCHEDULED"


def test_an_early_resume_is_tried_again(
    store: Store, prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate is in the journal a moment before its run sleeps and its form is saved."""
    monkeypatch.setattr(runs, "WAKING_POLL_SECONDS", 0.01)
    prefect.refusals = [NOT_PAUSED, "Run input schema not found."]
    store.open("0001", ASKING)
    assert main(["approve", "latest", *SEEN]) == ExitCode.OK
    assert len(prefect.forms) == 3


def test_a_run_that_has_found_the_answer_and_asks_something_else_is_awake(
    store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """It was looking again, and sleeps at another gate, which does not take this form."""
    prefect.state, prefect.then_asks = "RUNNING", "2-another-gate-1234"
    store.open("0001", ASKING)
    assert main(["approve", "latest", *SEEN]) == ExitCode.OK
    assert (len(prefect.forms), capsys.readouterr().err) == (1, "")


def test_a_gate_that_was_asked_again_is_woken(store: Store, prefect: FakePrefect) -> None:
    """Its key begins with its name, which nobody can guess."""
    gate = next(event.gate for event in ASKING if isinstance(event, ApprovalRequested))
    prefect.asks = f"{gate}-a1b2"
    store.open("0001", ASKING)
    assert main(["approve", "latest", *SEEN]) == ExitCode.OK
    assert prefect.state == "SCHEDULED"


def test_an_answer_after_the_end_is_refused(store: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """Whoever approves at the same moment as somebody ends the incident hears that nothing is asked."""
    incident_id = store.open("0001", ASKING)
    resolve = ["--outcome", "recovered", "--reason", "it works again", "--by", "ana"]
    assert main(["resolve", incident_id, *resolve]) == ExitCode.OK
    assert main(["approve", incident_id, *SEEN, "--by", "bob"]) == ExitCode.NOTHING
    assert f"{incident_id}" in capsys.readouterr().err
    assert store.read(incident_id).events(ApprovalAnswered) == []
    assert prefect.forms == []


def test_a_run_that_will_not_wake_is_told_with_the_reason(
    store: Store, prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Prefect answers 200 also when it refuses: that is no success. The answer stands all the same."""
    monkeypatch.setattr(runs, "WAKING_SECONDS", 0.05)
    monkeypatch.setattr(runs, "WAKING_POLL_SECONDS", 0.01)
    prefect.refusals = ["Reason: 'gate' was unexpected"] * 100
    incident_id = store.open("0001", ASKING)
    assert main(["approve", "latest", *SEEN, "--by", "ana"]) == ExitCode.FAILED
    line = capsys.readouterr().err
    assert "the answer is recorded, but run" in line
    assert "could not be resumed: Reason: 'gate' was unexpected; repeat the command" in line
    assert store.read(incident_id).last(ApprovalAnswered) is not None


def test_a_run_that_has_ended_is_told(store: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """Nothing will apply the change until the run is retried."""
    prefect.state = "CRASHED"
    store.open("0001", ASKING)
    assert main(["approve", "latest", *SEEN]) == ExitCode.FAILED
    assert "has ended (Crashed); retry it in Prefect" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["approve", *SEEN], ExitCode.NOTHING), (["reject", "--reason", "x"], ExitCode.OK)],
    ids=["the other decision", "the same decision"],
)
def test_who_answers_first_stands(
    arguments: list[str],
    code: ExitCode,
    store: Store,
    prefect: FakePrefect,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    """Two people at one gate: the second is told who decided, and the journal holds one answer."""
    incident_id = store.open("0001", ASKING)
    seen = store.read(incident_id)
    store.append(incident_id, answered(Choice.REJECT, "bob"), key=f"answer:{GATE}")

    async def as_seen_before(*_: object) -> object:
        return seen

    monkeypatch.setattr("deployments.services.finding.find_incident", as_seen_before)
    command, *options = arguments
    assert main([command, incident_id, "--by", "ana", *options]) == code
    told = capsys.readouterr()
    assert f"{incident_id}: bob (unproven claim) rejected {FALLBACK.id}" in told.out
    assert "bob had answered at" in told.err
    assert len(store.read(incident_id).events(ApprovalAnswered)) == 1
    assert prefect.forms[-1]["decision"] == "reject"


def test_an_answer_whose_run_sleeps_on_wakes_it(store: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """Interrupted between journal and waking: the same command again only wakes the run."""
    incident_id = store.open("0001", (*ASKING, answered(Choice.APPROVE, "ana")))
    assert main(["approve", incident_id, *SEEN, "--by", "bob"]) == ExitCode.OK
    assert prefect.forms == [{"gate": GATE, "decision": "approve", "approver": "ana", "reason": "seen"}]
    assert "ana (unproven claim) approved" in capsys.readouterr().out
    assert len(store.read(incident_id).events(ApprovalAnswered)) == 1


def test_a_form_names_the_plan_where_it_has_to(store: Store, prefect: FakePrefect) -> None:
    """As the run asks since this release; the forms of the release before would refuse the field."""
    asking = tuple(
        event.model_copy(update={"bound": True}) if isinstance(event, ApprovalRequested) else event
        for event in ASKING
    )
    assert main(["approve", store.open("0001", asking), *SEEN, "--by", "ana"]) == ExitCode.OK
    assert prefect.forms == [
        {"gate": GATE, "plan": PLAN.digest, "decision": "approve", "approver": "ana", "reason": ""}
    ]


def test_a_rehearsal_is_called_one_wherever_it_is_answered(
    store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """The list, the incident and the answer say that nothing will be changed."""
    incident_id = store.open("0001", opened(dry_run=True))
    assert main(["incidents"]) == ExitCode.OK
    assert "rehearsal: " in capsys.readouterr().out
    assert main(["incident", incident_id]) == ExitCode.OK
    assert capsys.readouterr().out.startswith(f"{REHEARSAL}\n")
    assert main(["approve", incident_id, *SEEN, "--by", "ana"]) == ExitCode.OK
    assert (
        capsys.readouterr().out
        == f"{incident_id}: ana (unproven claim) approved {FALLBACK.id} ({REHEARSAL})\n"
    )
    assert len(prefect.forms) == 1
