"""Answers that are not taken: nothing is written, and people read why."""

from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.actions.spec import Risk
from runbook.approvals.gates import Choice
from runbook.approvals.rules import ApprovalRule
from runbook.incidents.events import Event, IncidentResolved
from runbook.policy.permissions import Permissions
from runbook.policy.policy import Policy
from tests.deployments.answer_samples import SEEN, answered, opened
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import EVENTS
from tests.deployments.sleeping_run import ASKING, FakePrefect

Capture = pytest.CaptureFixture[str]


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
        given.write_text((tmp_path / "runbook.toml").read_text())
        assert main(["approve", "latest", *SEEN, "--config", str(given)]) == ExitCode.USAGE
    line = capsys.readouterr().err
    assert f"set PREFECT_API_URL, or start one with `runbook up --config {given}`" in line
    assert "give --config" not in line


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
