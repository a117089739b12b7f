"""Commands act through the receiver where it is there; where it is away nothing is lost."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.cli.people import door
from deployments.cli.people.account import account
from runbook.approvals.identity import Identity, Proof
from runbook.incidents import events as e
from runbook.incidents.events import ApprovalAnswered
from tests.conftest import require_binary
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking, seen
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import answer_of
from tests.deployments.people_bench import Receiver, opened
from tests.deployments.sleeping_run import RUN, FakePrefect

Capture = pytest.CaptureFixture[str]

ME = Identity(name=account(), how=Proof.OS_PEER, detail=f"uid {os.getuid()}")


def test_an_account_approves_a_high_risk_change(kept: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """The receiver has seen who it is, so it needs neither a name nor a key."""
    incident = opened(kept, *asking(ROLL_BACK))
    assert main(["approve", incident, *seen(ROLL_BACK), "--reason", "looks right"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert out == f"{incident}: {account()} (proven by account (uid {os.getuid()})) approved 2-roll_back\n"
    given = answer_of(kept.read(incident)).answer
    assert (given.approver, given.identity, given.channel) == (account(), ME, "cli")
    assert len(prefect.forms) == 1


def test_the_other_commands_go_there_too(kept: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """An edit, a severity and handing back."""
    begun = (
        e.RunStarted(flow_run_id=RUN) if isinstance(event, e.RunStarted) else event
        for event in asking(MEMORY)
    )
    incident = opened(kept, *begun)
    assert main(["edit", incident, "memory=1024Mi"]) == ExitCode.OK
    given = answer_of(kept.read(incident)).answer
    assert (given.identity, given.parameters) == (ME, {"memory": "1Gi"})
    assert main(["severity", incident, "P3", "--reason", "night"]) == ExitCode.OK
    assert f"P2 -> P3 by {account()} (proven by account" in capsys.readouterr().out
    assert main(["resume", incident, "--done", "x"]) == ExitCode.OK
    assert kept.read(incident).events(e.ResponseResumed)[-1].identity == ME
    assert len(prefect.forms) == 1


def test_nobody_else_can_be_named(kept: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """Who it is, is known here."""
    incident = opened(kept, *asking(MEMORY))
    assert main(["approve", incident, *seen(MEMORY), "--by", "ana"]) == ExitCode.USAGE
    assert f"{account()} is proven, not 'ana'; act under your own name" in capsys.readouterr().err
    assert main(["approve", incident, *seen(MEMORY), "--by", account()]) == ExitCode.OK
    assert len(prefect.forms) == 1


@pytest.mark.real
def test_a_command_in_a_namespace_of_its_own_is_who_it_is(
    kept: Store, receiver: Receiver, prefect: FakePrefect
) -> None:
    """`unshare --map-user` and LOGNAME change what the command thinks it is, and not what is journalled."""
    incident = opened(kept, *asking(ROLL_BACK))
    run = [sys.executable, "-c", "import sys; from deployments.cli import main; sys.exit(main())"]
    command = [
        require_binary("unshare"),
        "--user",
        "--map-user=1",
        *run,
        "approve",
        incident,
        *seen(ROLL_BACK),
    ]
    done = subprocess.run(
        command,
        cwd=receiver.folder,
        env={**os.environ, "LOGNAME": "daemon", "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    if "not permitted" in done.stderr:
        pytest.skip(f"this machine lets nobody make a user namespace: {done.stderr}")
    assert done.returncode == ExitCode.OK, done.stderr
    assert answer_of(kept.read(incident)).answer.identity == ME
    assert len(prefect.forms) == 1


def test_an_incident_is_named_as_everywhere(
    kept: Store, receiver: Receiver, prefect: FakePrefect, capsys: Capture
) -> None:
    """By its id, the beginning of one, or `latest`; what does not exist is told."""
    receiver.forget()
    incident = opened(kept, *asking(MEMORY))
    assert main(["snooze", "latest"]) == ExitCode.OK
    assert main(["approve", "inc-no-such"]) == ExitCode.NOTHING
    assert "no incident 'inc-no-such'; `runbook incidents` lists them" in capsys.readouterr().err
    assert main(["approve", "inc/../x"]) == ExitCode.NOTHING
    assert answer_of(kept.read(incident)).answer.identity == ME
    assert len(prefect.forms) == 1


def test_where_the_rules_ask_for_a_signature_the_own_key_signs(
    kept: Store, receiver: Receiver, prefect: FakePrefect, capsys: Capture
) -> None:
    """The receiver's proof is not one that they take; the command signs and writes itself."""
    assert main(["login"]) == ExitCode.OK
    said = capsys.readouterr().out
    key = said[said.index("keys = ") :]
    rules = f'{key}\n[policy.people.dee]\n{key}[policy.approvals.high]\nproofs = ["signing-key"]\n'
    receiver.configure(rules.partition("\n")[2])
    incident = opened(kept, *asking(ROLL_BACK))
    assert main(["approve", incident, *seen(ROLL_BACK)]) == ExitCode.OK
    told = capsys.readouterr()
    assert "which is required for high-risk changes (by signing-key)" in told.err
    assert "signing with your own key instead" in told.err
    given = answer_of(kept.read(incident)).answer
    assert given.identity is not None
    assert (given.approver, given.identity.how) == ("dee", Proof.SIGNING_KEY)
    assert len(prefect.forms) == 1


@pytest.fixture
def alone(store: Store, tmp_path: Path) -> Store:
    """A store whose receiver was killed: its socket is still there."""
    (tmp_path / ".runbook").mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        os.chdir(tmp_path / ".runbook")
        dead.bind("receiver.sock")
        os.chdir(tmp_path)
    return store


def test_where_the_receiver_is_away_the_answer_goes_into_the_store(
    alone: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """As a claim, which is said; so a low-risk change can be approved, and a high-risk one cannot."""
    incident = opened(alone, *asking(MEMORY))
    assert main(["approve", incident, *seen(MEMORY)]) == ExitCode.OK
    told = capsys.readouterr()
    assert "cannot be reached" in told.err
    assert "writing to the incident store instead" in told.err
    assert f"{account()} (unproven claim) approved" in told.out
    another = opened(alone, *asking(ROLL_BACK))
    assert main(["approve", another, *seen(ROLL_BACK)]) == ExitCode.USAGE
    assert "it is not proven that this is" in capsys.readouterr().err
    assert len(prefect.forms) == 1


def test_with_a_key_nothing_is_lacking_where_the_receiver_is_away(
    alone: Store, prefect: FakePrefect, tmp_path: Path, capsys: Capture
) -> None:
    """The signature proves as much."""
    assert main(["login"]) == ExitCode.OK
    said = capsys.readouterr().out
    with (tmp_path / "runbook.toml").open("a") as settings:
        settings.write(said[said.index("[policy") :])
    incident = opened(alone, *asking(ROLL_BACK))
    assert main(["approve", incident, *seen(ROLL_BACK)]) == ExitCode.OK
    assert f"{account()} (signed (SHA256:" in capsys.readouterr().out
    assert len(prefect.forms) == 1


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_socket_is_not_asked(
    kind: str, store: Store, prefect: FakePrefect, receiver: Receiver, tmp_path: Path, capsys: Capture
) -> None:
    """Least of all a link that leads to somebody else's."""
    (tmp_path / ".runbook").mkdir()
    path = tmp_path / ".runbook" / "receiver.sock"
    if kind == "link":
        path.symlink_to(receiver.socket)
    else:
        path.write_text("")
    incident = opened(store, *asking(MEMORY))
    assert main(["approve", incident, *seen(MEMORY)]) == ExitCode.OK
    assert "(unproven claim) approved" in capsys.readouterr().out
    assert len(prefect.forms) == 1


def test_a_receiver_that_does_not_answer_leaves_it_open(
    store: Store, prefect: FakePrefect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """It may have done it: so nothing is done a second time, and the person hears how to find out."""
    monkeypatch.setattr(door, "ANSWER_SECONDS", 0.2)
    (tmp_path / ".runbook").mkdir()
    incident = opened(store, *asking(MEMORY))
    with socket.socket(socket.AF_UNIX) as deaf:
        os.chdir(tmp_path / ".runbook")
        deaf.bind("receiver.sock")
        deaf.listen()
        os.chdir(tmp_path)
        assert main(["approve", incident, *seen(MEMORY)]) == ExitCode.UNREACHABLE
    assert "did not answer" in capsys.readouterr().err
    assert store.read(incident).last(ApprovalAnswered) is None
    assert prefect.forms == []
