"""`runbook approve`, `reject`, `edit`, `snooze`: the answer goes into the journal, then the run is woken."""

import json
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.services import runs
from runbook.actions.spec import Risk
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity
from runbook.approvals.rules import ApprovalRule
from runbook.channels.wording import REHEARSAL
from runbook.incidents.events import ApprovalAnswered, ApprovalRequested, Event, IncidentResolved
from runbook.policy.permissions import Permissions
from runbook.policy.policy import Policy
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import EVENTS, FALLBACK, GATE, PLAN
from tests.deployments.sleeping_run import ASKING, NOT_PAUSED, FakePrefect

Capture = pytest.CaptureFixture[str]
SEEN = ("--plan", PLAN.digest[:12])


def answered(choice: Choice, approver: str) -> ApprovalAnswered:
    """The gate's answer as it stands in a journal."""
    return ApprovalAnswered(
        gate=GATE,
        action_id=FALLBACK.id,
        plan_digest=PLAN.digest,
        answer=Answer(choice=choice, approver=approver, reason="seen", channel="prefect-ui"),
    )


@pytest.mark.parametrize(
    ("arguments", "choice", "reason", "minutes"),
    [
        (["approve", *SEEN, "--reason", "looks right"], Choice.APPROVE, "looks right", None),
        (["approve", *SEEN], Choice.APPROVE, "", None),
        (["snooze"], Choice.SNOOZE, "", 15),
        (["snooze", "--minutes", "5", "--reason", "lunch"], Choice.SNOOZE, "lunch", 5),
        (["reject", "--reason", "by hand"], Choice.REJECT, "by hand", None),
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
    answer = Answer(
        choice=choice,
        approver="ana",
        reason=reason,
        channel="cli",
        identity=Identity(name="ana"),
        snooze_minutes=minutes,
    )
    assert standing == ApprovalAnswered(
        gate=GATE, action_id=FALLBACK.id, plan_digest=PLAN.digest, answer=answer
    )
    assert prefect.forms == [{"gate": GATE, "decision": choice.value, "approver": "ana", "reason": reason}]
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


@pytest.mark.parametrize(
    "events",
    [
        EVENTS[:3],
        (*ASKING, answered(Choice.APPROVE, "ana")),
        (*ASKING, IncidentResolved(outcome="unknown", because=())),
    ],
    ids=["never asked", "answered and awake", "over"],
)
def test_nothing_to_answer_is_said(
    events: tuple[Event, ...], store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """Without an open gate nothing is written and nothing is woken."""
    prefect.state = "RUNNING"
    incident_id = store.open("0001", events)
    assert main(["approve", incident_id, *SEEN]) == ExitCode.NOTHING
    line = capsys.readouterr().err
    assert f"{incident_id} has no open question" in line
    assert f"see `runbook incident {incident_id}`" in line
    assert prefect.forms == []
    assert len(store.read(incident_id).journal) == len(events)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["approve", "--by", " "], "the approver is empty: say who decides"),
        (["reject", "--reason", " "], "a rejection needs a reason"),
    ],
    ids=["approver", "reason"],
)
def test_an_answer_that_says_too_little_is_refused(
    arguments: list[str], said: str, store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """The same rules as in the form: who decides, and why not."""
    incident_id = store.open("0001", ASKING)
    command, *options = arguments
    assert main([command, incident_id, *options]) == ExitCode.USAGE
    assert said in capsys.readouterr().err
    assert prefect.forms == []
    assert store.read(incident_id).pending_gate is not None


def test_while_prefect_is_down_nothing_is_written(store: Store, capsys: Capture) -> None:
    """An approval that cannot wake its run is not taken: the person must know at once."""
    incident_id = store.open("0001", ASKING)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
        assert main(["approve", incident_id, *SEEN]) == ExitCode.UNREACHABLE
    line = capsys.readouterr().err
    assert "Prefect: no answer at http://127.0.0.1:1/api; start it (`runbook up`)" in line
    assert store.read(incident_id).pending_gate is not None


def test_without_an_address_of_prefect_it_is_asked_for(store: Store, capsys: Capture) -> None:
    """Prefect would start a server of its own, in which there is no incident."""
    store.open("0001", ASKING)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert main(["approve", "latest", *SEEN]) == ExitCode.USAGE
    line = capsys.readouterr().err
    assert "no Prefect server is named; set PREFECT_API_URL" in line
    # The settings file is known, so it is not asked for.
    assert "or start one with `runbook up --config runbook.toml`" in line


def test_a_settings_file_that_was_given_is_not_asked_for(
    store: Store, tmp_path: Path, capsys: Capture
) -> None:
    """The next step is a server that belongs to it; one that is not there is told first."""
    store.open("0001", ASKING)
    given = tmp_path / "given.toml"
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert main(["approve", "latest", *SEEN, "--config", str(given)]) == ExitCode.USAGE
        assert f"{given}: there is no such file" in capsys.readouterr().err
        given.write_text('[integration]\nhealth_url = "https://x.example/health"\n')
        assert main(["approve", "latest", *SEEN, "--config", str(given)]) == ExitCode.USAGE
    line = capsys.readouterr().err
    assert f"set PREFECT_API_URL, or start one with `runbook up --config {given}`" in line
    assert "give --config" not in line


def opened(**fields: object) -> tuple[Event, ...]:
    """The incident that asks, opened otherwise."""
    return (ASKING[0].model_copy(update=fields), *ASKING[1:])


@pytest.mark.parametrize(
    "command",
    [
        ["approve"],
        ["reject", "--reason", "no"],
        ["edit", "memory=1Gi"],
        ["snooze"],
        ["resume", "--done", ""],
        ["severity", "P3", "--reason", "x"],
    ],
    ids=lambda command: command[0],
)
def test_an_incident_of_another_environment_is_refused(
    command: list[str], store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """Its policy is another one: nothing is written or woken, and the error names the environment."""
    incident_id = store.open("0001", opened(environment="prod"))
    before = store.read(incident_id)
    name, *options = command
    assert main([name, incident_id, *options]) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        f"runbook: error: {incident_id} belongs to environment 'prod', not to 'default'; "
        "give --environment prod, or the settings file of that environment\n"
    )
    assert store.read(incident_id) == before
    assert (prefect.forms, prefect.set) == ([], [])


def test_an_edited_settings_file_loosens_nothing(store: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """The policy at the opening named who may approve; the one beside the command names nobody by now."""
    strict = Permissions.of(Policy(approvals={Risk.MEDIUM: ApprovalRule(approvers=("jun",))}))
    incident_id = store.open("0001", opened(permissions=strict))
    assert main(["approve", incident_id, *SEEN, "--by", "eve"]) == ExitCode.USAGE
    assert "eve may not approve medium-risk changes; who may: jun" in capsys.readouterr().err
    assert prefect.forms == []
    assert main(["approve", incident_id, *SEEN, "--by", "jun"]) == ExitCode.OK


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
