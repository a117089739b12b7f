"""`runbook login`: a signing key of one's own, and answers that prove with it whose they are."""

import json
import os
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.cli.people.account import account
from runbook.approvals.approvals import decided
from runbook.approvals.identity import Proof
from runbook.approvals.people import Person
from runbook.incidents import events as e
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.conftest import require_binary
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking, configure, question, seen
from tests.deployments.cli_store import Store
from tests.deployments.sleeping_run import FakePrefect

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def public(store: Store, capsys: Capture) -> str:  # noqa: ARG001  the store has set the folder
    """The public part of a key that was made just now."""
    assert main(["login", "--json"]) == ExitCode.OK
    facts = json.loads(capsys.readouterr().out)
    assert facts["made"] is True
    line: str = facts["public"]
    return line


def register(folder: Path, **keys: str) -> Policy:
    """Write the settings of these people, as an administrator does."""
    configure(folder, "".join(f'[policy.people.{name}]\nkeys = ["{key}"]\n' for name, key in keys.items()))
    return Policy(people={name: Person(public_keys=(key,)) for name, key in keys.items()})


def test_a_key_is_made_once_and_only_its_owner_can_read_it(
    tmp_path: Path, public: str, capsys: Capture
) -> None:
    """The second time shows the first one; the settings that it prints can be pasted."""
    path = tmp_path / "config" / "runbook" / "signing-key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    before = path.read_bytes()
    assert main(["login"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert path.read_bytes() == before
    assert "PRIVATE" not in said
    assert tomllib.loads(said[said.index("[policy") :]) == {
        "policy": {"people": {account(): {"keys": [public]}}}
    }


@pytest.mark.real
def test_other_programs_know_the_key_by_the_same_fingerprint(
    tmp_path: Path, public: str, capsys: Capture
) -> None:
    """An administrator can compare it over the phone."""
    (tmp_path / "key.pub").write_text(public)
    shown = subprocess.run(
        [require_binary("ssh-keygen"), "-lf", str(tmp_path / "key.pub")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert main(["login", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["fingerprint"] in shown


@pytest.mark.parametrize(
    ("mode", "content", "said"),
    [
        (0o640, None, "other users can read or change"),
        (0o606, None, "other users can read or change"),
        (0o600, b"-----BEGIN nonsense", "not a private key in PEM"),
        (0o600, b"", "not a private key in PEM"),
    ],
)
def test_a_key_that_cannot_be_trusted_is_not_used(
    mode: int, content: bytes | None, said: str, tmp_path: Path, public: str, store: Store, capsys: Capture
) -> None:
    """It is neither replaced nor signed with."""
    assert public
    path = tmp_path / "config" / "runbook" / "signing-key.pem"
    kept = path.read_bytes() if content is None else content
    path.write_bytes(kept)
    path.chmod(mode)
    store.open("0001", asking(MEMORY))
    for command in (["login"], ["severity", "latest", "P2", "--reason", "x"]):
        assert main(command) == ExitCode.USAGE
        assert said in capsys.readouterr().err
    assert path.read_bytes() == kept


def test_another_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one on a stick."""
    monkeypatch.setenv("RUNBOOK_SIGNING_KEY", str(tmp_path / "stick" / "key"))
    assert main(["login"]) == ExitCode.OK
    assert (tmp_path / "stick" / "key").read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_a_registered_key_approves_a_high_risk_change(
    public: str, store: Store, prefect: FakePrefect, tmp_path: Path, capsys: Capture
) -> None:
    """The journal keeps the signature, and the run goes by it and nothing else."""
    policy = register(tmp_path, ana=public)
    incident_id = store.open("0001", asking(ROLL_BACK))
    assert main(["approve", "latest", *seen(ROLL_BACK), "--reason", " looks right "]) == ExitCode.OK
    assert f"{incident_id}: ana (signed (SHA256:" in capsys.readouterr().out
    assert len(prefect.forms) == 1
    told = store.read(incident_id)
    [answered] = told.events(ApprovalAnswered)
    assert answered.answer.identity is not None
    assert (answered.answer.approver, answered.answer.identity.how) == ("ana", Proof.SIGNING_KEY)
    assert decided(told, ROLL_BACK, policy) == answered
    assert decided(told, ROLL_BACK, Policy()) is None
    moved = answered.model_copy(update={"gate": "2-roll_back-9"})
    forged = Incident(id=told.id, journal=(*told.journal[:-1], recorded(told, moved)))
    assert decided(forged, ROLL_BACK, policy) is None


def recorded(told: Incident, event: e.Event) -> e.Recorded:
    """The newest record with another event."""
    return told.journal[-1].model_copy(update={"event": event})


@pytest.mark.parametrize("by", ["bob", "Ana"])
def test_a_signature_is_for_its_owner_s_name_only(
    by: str, public: str, store: Store, prefect: FakePrefect, tmp_path: Path
) -> None:
    """With another name it is a claim, as for anybody."""
    register(tmp_path, ana=public)
    incident_id = store.open("0001", asking(MEMORY))
    assert main(["approve", "latest", *seen(MEMORY), "--by", by]) == ExitCode.OK
    standing = store.read(incident_id).last(ApprovalAnswered)
    assert standing is not None
    assert standing.answer.identity is not None
    how = Proof.SIGNING_KEY if by == "Ana" else Proof.CLAIM
    assert (standing.answer.approver, standing.answer.identity.how) == (by if by == "bob" else "ana", how)
    assert len(prefect.forms) == 1


def test_a_key_that_nobody_has_registered_proves_nothing(
    public: str, store: Store, prefect: FakePrefect, capsys: Capture
) -> None:
    """The person hears what is missing."""
    assert public
    store.open("0001", asking(ROLL_BACK))
    assert main(["approve", "latest", *seen(ROLL_BACK)]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert "is not registered: give an administrator what `runbook login` prints" in said
    assert "it is not proven that this is" in said
    assert prefect.forms == []


def test_who_asked_by_a_claim_keeps_nobody_out_and_lets_nobody_alone(
    public: str, store: Store, prefect: FakePrefect, tmp_path: Path, capsys: Capture
) -> None:
    """A response that somebody started under her name: she may approve, and somebody else has to as well."""
    policy = register(tmp_path, ana=public)
    plan = ROLL_BACK
    incident_id = store.open("0001", asking(plan, requested_by="ana"))
    assert main(["approve", "latest", *seen(plan)]) == ExitCode.OK
    assert decided(store.read(incident_id), plan, policy) is None
    store.append(incident_id, question(plan, 2), key="ask:2")
    assert main(["approve", "latest", *seen(plan)]) == ExitCode.USAGE
    assert "ana has already approved this; 2 different people must approve" in capsys.readouterr().err
    assert len(prefect.forms) == 1


def test_a_severity_is_signed_too(public: str, store: Store, tmp_path: Path, capsys: Capture) -> None:
    """So it can be weighed later by whoever goes by it."""
    register(tmp_path, ana=public)
    incident_id = store.open("0001", asking(MEMORY))
    assert main(["severity", "latest", "P3", "--reason", "night"]) == ExitCode.OK
    assert f"{incident_id}: P2 -> P3 by ana (signed (SHA256:" in capsys.readouterr().out
    [*_, override] = store.read(incident_id).events(e.SeverityOverridden)
    assert override.identity is not None
    assert override.identity.how is Proof.SIGNING_KEY
    assert override.identity.signature.count(".") == 2


def test_acts_can_ask_for_a_proof(
    store: Store, prefect: FakePrefect, tmp_path: Path, capsys: Capture
) -> None:
    """`[policy.acts]` holds for the severity and for handing the response back."""
    configure(tmp_path, "[policy.acts]\naccept_unverified = false\n")
    incident_id = store.open("0001", asking(MEMORY))
    before = store.read(incident_id)
    for command in (["severity", "latest", "P1", "--reason", "x"], ["resume", "latest", "--done", "x"]):
        assert main(command) == ExitCode.USAGE
        assert "it is not proven that this is" in capsys.readouterr().err
    assert store.read(incident_id) == before
    assert prefect.set == []


def test_a_key_is_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """What cannot be written is one line, and leaves nothing."""
    folder = tmp_path / "full"
    folder.write_text("no folder")
    monkeypatch.setenv("RUNBOOK_SIGNING_KEY", str(folder / "key"))
    assert main(["login"]) != ExitCode.OK
    assert capsys.readouterr().err.count("\n") == 1
    assert os.listdir(tmp_path) == ["full"]
