"""On the command line the same rules hold as in the form: who may approve which plan, what may be edited."""

from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.cli.people.account import account
from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.actions.spec import ActionName
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.roll_back import ROLL_BACK as ROLL_BACK_SPEC
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity
from runbook.incidents import events as e
from runbook.incidents.events import ApprovalAnswered
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import ALERT, OPENED_AT
from tests.deployments.sleeping_run import ASKING, RUN, FakePrefect

Capture = pytest.CaptureFixture[str]


def plan_of(name: ActionName, **parameters: str) -> ChangePlan:
    """The plan of a change."""
    action = PlannedAction(
        id=f"2-{name}", name=name, target="deployment/x", because="it is broken", parameters=parameters
    )
    return ChangePlan(action=action, diff="+a: 1")


MEMORY = plan_of(RAISE_MEMORY_LIMIT.name, memory="512Mi")
ROLL_BACK = plan_of(ROLL_BACK_SPEC.name)


def asking(plan: ChangePlan, *, requested_by: str = "") -> tuple[e.Event, ...]:
    """A journal that ends with the question about this plan."""
    opened = e.IncidentOpened(alert=ALERT.model_copy(update={"requested_by": requested_by}))
    return (opened, *ASKING[1:8], e.ActionPreviewed(plan=plan, since=OPENED_AT), question(plan, 1))


def question(plan: ChangePlan, number: int) -> e.ApprovalRequested:
    """The question about a plan, asked for this time."""
    return e.ApprovalRequested(
        gate=f"{plan.action.id}-{number}",
        action_id=plan.action.id,
        plan_digest=plan.digest,
        question="## Shall it?",
        flow_run_id=RUN,
    )


def approved_by(who: str, plan: ChangePlan) -> ApprovalAnswered:
    """An approval in the journal, given at the first question as a claim."""
    answer = Answer(choice=Choice.APPROVE, approver=who, channel="cli", identity=Identity(name=who))
    gate = question(plan, 1).gate
    return ApprovalAnswered(gate=gate, action_id=plan.action.id, plan_digest=plan.digest, answer=answer)


def seen(plan: ChangePlan) -> tuple[str, str]:
    """The option that says that this plan was seen."""
    return "--plan", plan.digest[:12]


def configure(folder: Path, text: str) -> None:
    """Add a section to the settings that the commands read."""
    with (folder / "runbook.toml").open("a") as settings:
        settings.write(text)


def test_the_latest_of_several_that_ask_is_not_answered_unseen(
    store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """An alert that came in between opens a newer incident than the one whose question was read."""
    earlier, newer = store.open("0001", asking(MEMORY)), store.open("0002", asking(MEMORY))
    assert main(["approve", "latest", "--by", "ana"]) == ExitCode.USAGE
    error = capsys.readouterr().err
    assert "2 incidents wait for an answer" in error
    assert earlier in error
    assert newer in error
    assert prefect.forms == []
    assert main(["approve", "latest", "--plan", MEMORY.digest[:12], "--by", "ana"]) == ExitCode.OK
    assert main(["approve", earlier, *seen(MEMORY), "--by", "ana"]) == ExitCode.OK
    assert [store.read(each).last(ApprovalAnswered) is not None for each in (earlier, newer)] == [True, True]


def test_an_edit_is_journalled_as_it_will_be_stored(
    store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """The new value stands in the journal and in the run's form; the run then shows another plan."""
    incident_id = store.open("0001", asking(MEMORY))
    assert main(["edit", "latest", "memory=1024Mi", "--by", "ana", "--reason", "enough"]) == ExitCode.OK
    assert capsys.readouterr().out == f"{incident_id}: ana (unproven claim) edited {MEMORY.action.id}\n"
    edited = store.read(incident_id)
    standing = edited.last(ApprovalAnswered)
    assert standing is not None
    assert (standing.answer.choice, standing.answer.parameters) == (Choice.EDIT, {"memory": "1Gi"})
    assert edited.as_edited(MEMORY.action).parameters == {"memory": "1Gi"}
    [form] = prefect.forms
    assert (form["decision"], form["memory"]) == ("edit", "1Gi")


@pytest.mark.parametrize(
    ("plan", "settings", "said"),
    [
        (MEMORY, [], "an edit needs a parameter with its new value"),
        (MEMORY, ["memory"], "'memory' is not a setting; write memory=1Gi"),
        (MEMORY, ["memory="], "'memory=' is not a setting"),
        (MEMORY, ["=1Gi"], "'=1Gi' is not a setting"),
        (MEMORY, ["memory=lots"], "memory: 'lots' is not an amount of memory: write 512Mi or 1Gi"),
        (MEMORY, ["memory=9Gi"], "memory: 9Gi is above the ceiling of 2Gi"),
        (MEMORY, ["memory=1Gi", "replicas=3"], "'replicas' cannot be changed here; what can be: memory"),
        (ROLL_BACK, ["memory=1Gi"], "'memory' cannot be changed here; what can be: nothing"),
    ],
)
def test_an_edit_that_cannot_be_is_refused(
    plan: ChangePlan, settings: list[str], said: str, store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """One line says what may be written; the question stays open and nobody is woken."""
    incident_id = store.open("0001", asking(plan))
    assert main(["edit", "latest", *settings]) == ExitCode.USAGE
    [line] = capsys.readouterr().err.splitlines()
    assert said in line
    assert store.read(incident_id).pending_gate is not None
    assert prefect.forms == []


@pytest.mark.parametrize("minutes", ["0", "-3"])
def test_a_snooze_has_a_length(minutes: str, store: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """No reminder in the past."""
    store.open("0001", asking(MEMORY))
    assert main(["snooze", "latest", "--minutes", minutes]) == ExitCode.USAGE
    assert "a snooze takes at least a minute" in capsys.readouterr().err
    assert prefect.forms == []


@pytest.mark.parametrize("by", [None, account(), "ana"], ids=["account", "own name", "another name"])
def test_what_the_command_says_of_itself_is_a_claim(
    by: str | None, store: Store, prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Its own process could be made to say any name: with `--by`, LOGNAME, or a namespace of its own."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "eve")
    incident_id = store.open("0001", asking(MEMORY))
    assert main(["approve", "latest", *seen(MEMORY), *(["--by", by] if by else [])]) == ExitCode.OK
    standing = store.read(incident_id).last(ApprovalAnswered)
    assert standing is not None
    name = by or account()
    assert (standing.answer.approver, standing.answer.identity) == (name, Identity(name=name))
    assert standing.answer.identity_proven is False
    assert f"{name} (unproven claim) approved" in capsys.readouterr().out
    assert len(prefect.forms) == 1


@pytest.mark.parametrize("options", [[], ["--by", account()], ["--by", "ana"]])
def test_a_high_risk_change_takes_a_proof(
    options: list[str], store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """By default no claim approves a rollback; the refusal names the three ways to prove who you are."""
    incident_id = store.open("0001", asking(ROLL_BACK))
    assert main(["approve", "latest", *options]) == ExitCode.USAGE
    line = capsys.readouterr().err
    assert "it is not proven that this is" in line
    for way in ("local socket", "RUNBOOK_URL and your RUNBOOK_TOKEN", "`runbook login`"):
        assert way in line
    assert store.read(incident_id).pending_gate is not None
    assert prefect.forms == []
    assert main(["reject", "latest", "--reason", "a typo", *options]) == ExitCode.OK


@pytest.mark.parametrize("by", ["\u0430na", "policy:preapproved"])
def test_nobody_answers_under_a_name_that_hides_what_it_is(
    by: str, store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """One line says what is wrong with it, in letters that can be told apart."""
    store.open("0001", asking(MEMORY))
    assert main(["approve", "latest", "--by", by]) == ExitCode.USAGE
    line = capsys.readouterr().err
    assert f"nobody can answer as {by!a}".replace("'", "") in line
    assert line.isascii()
    assert prefect.forms == []


def test_the_settings_say_who_may_approve(
    store: Store, prefect: FakePrefect, tmp_path: Path, capsys: Capture
) -> None:
    """A name that is not on the list is refused with the list."""
    configure(tmp_path, '[policy.approvals.medium]\napprovers = ["Bob", "cyd"]\n')
    store.open("0001", asking(MEMORY))
    assert main(["approve", "latest", "--by", "ana"]) == ExitCode.USAGE
    assert "ana may not approve medium-risk changes; who may: Bob, cyd" in capsys.readouterr().err
    assert prefect.forms == []
    assert main(["approve", "latest", *seen(MEMORY), "--by", "bob"]) == ExitCode.OK


def test_two_approvals_are_of_two_people(
    store: Store, prefect: FakePrefect, tmp_path: Path, capsys: Capture
) -> None:
    """The run asks again after the first; the same person is told that another one has to come."""
    people = "[policy.people.ana]\n[policy.people.bob]\n"
    configure(tmp_path, f"[policy.approvals.medium]\ncount = 2\naccept_unverified = true\n{people}")
    first = approved_by("ana", MEMORY)
    store.open("0001", (*asking(MEMORY), first, question(MEMORY, 2)))
    assert main(["approve", "latest", "--by", "Ana"]) == ExitCode.USAGE
    assert "ana has already approved this; 2 different people must approve" in capsys.readouterr().err
    assert prefect.forms == []
    assert main(["approve", "latest", "--by", "root"]) == ExitCode.USAGE
    assert "root is not in [policy.people]: 2 different people must approve" in capsys.readouterr().err
    assert main(["approve", "latest", *seen(MEMORY), "--by", "bob"]) == ExitCode.OK


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (MEMORY.digest[:12], ExitCode.OK),
        (MEMORY.digest, ExitCode.OK),
        (ROLL_BACK.digest[:12], ExitCode.NOTHING),
    ],
    ids=["its beginning", "the whole of it", "another plan"],
)
def test_an_approval_can_be_bound_to_the_plan_that_was_seen(
    plan: str, code: ExitCode, store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """Between looking and approving the question may have become another one."""
    incident_id = store.open("0001", asking(MEMORY))
    assert main(["approve", "latest", "--by", "ana", "--plan", plan]) == code
    assert len(prefect.forms) == (1 if code is ExitCode.OK else 0)
    if code is ExitCode.NOTHING:
        assert f"the question is now about another plan: {MEMORY.digest[:12]}" in capsys.readouterr().err
        assert store.read(incident_id).pending_gate is not None


def test_a_question_whose_plan_was_made_anew_takes_no_answer(
    store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """The run has seen another target by now and is about to ask again: nobody answers the old question."""
    newer = MEMORY.model_copy(update={"diff": "+a: 2"})
    incident_id = store.open("0001", (*asking(MEMORY), e.ActionPreviewed(plan=newer, since=OPENED_AT)))
    assert main(["approve", "latest"]) == ExitCode.NOTHING
    assert "the plan in question is being prepared again" in capsys.readouterr().err
    assert store.read(incident_id).last(ApprovalAnswered) is None
    assert prefect.forms == []
