"""Commands act through a receiver on another machine: with a token, sent nowhere else."""

import asyncio
from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.cli.people.door import find_remote
from deployments.cli.people.elsewhere import read_newer
from runbook.incidents.events import ApprovalAnswered, IncidentClosed
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking, seen
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import answer_of
from tests.deployments.people_bench import TOKENS, Receiver, opened
from tests.deployments.sleeping_run import FakePrefect

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def elsewhere(receiver: Receiver, kept: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A machine with no settings, that knows the receiver's address and Ana's token."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNBOOK_URL", f"{receiver.url}/")
    monkeypatch.setenv("RUNBOOK_TOKEN", TOKENS["ana"])
    return kept


def test_from_elsewhere_a_token_is_enough(elsewhere: Store, prefect: FakePrefect, capsys: Capture) -> None:
    """Neither the store nor Prefect is reached from there."""
    incident = opened(elsewhere, *asking(ROLL_BACK))
    assert main(["approve", incident, *seen(ROLL_BACK)]) == ExitCode.OK
    assert f"{incident}: ana (proven by API token) approved" in capsys.readouterr().out
    assert answer_of(elsewhere.read(incident)).answer.channel == "api"
    assert len(prefect.forms) == 1


def test_a_token_can_be_in_a_file(
    elsewhere: Store,
    prefect: FakePrefect,
    monkeypatch: pytest.MonkeyPatch,
    receiver: Receiver,
    capsys: Capture,
) -> None:
    """Which is read without its line end; one that is not there is told."""
    monkeypatch.delenv("RUNBOOK_TOKEN")
    (receiver.folder / "token").write_text(f"{TOKENS['bob']}\n")
    monkeypatch.setenv("RUNBOOK_TOKEN_FILE", str(receiver.folder / "token"))
    incident = opened(elsewhere, *asking(MEMORY))
    assert main(["approve", incident, *seen(MEMORY)]) == ExitCode.OK
    assert answer_of(elsewhere.read(incident)).answer.approver == "bob"
    monkeypatch.setenv("RUNBOOK_TOKEN_FILE", str(receiver.folder / "none"))
    assert main(["approve", incident, *seen(MEMORY)]) == ExitCode.USAGE
    assert "No such file or directory" in capsys.readouterr().err
    assert len(prefect.forms) == 1


@pytest.mark.parametrize("token", ["", "guessed" * 6])
def test_without_a_good_token_nothing_is_done(
    token: str, elsewhere: Store, prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The person hears how to be known."""
    monkeypatch.setenv("RUNBOOK_TOKEN", token)
    incident = opened(elsewhere, *asking(MEMORY))
    assert main(["approve", incident, *seen(MEMORY)]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert "does not recognize you; set RUNBOOK_TOKEN, or RUNBOOK_TOKEN_FILE, to your token" in said
    assert elsewhere.read(incident).last(ApprovalAnswered) is None
    assert prefect.forms == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://runbook.example", "would send your token unencrypted; write https://HOST"),
        ("https://ana:secret@runbook.example", "is not an address"),
        ("runbook.example", "is not an address"),
        ("ftp://runbook.example", "is not an address"),
    ],
)
def test_a_token_is_sent_nowhere_in_the_clear(
    url: str, said: str, elsewhere: Store, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Only to this machine or over TLS."""
    assert isinstance(elsewhere, Store)
    monkeypatch.setenv("RUNBOOK_URL", url)
    assert main(["approve", "latest"]) == ExitCode.USAGE
    assert said in capsys.readouterr().err


def test_an_address_where_nobody_answers_is_no_reason_to_act_elsewhere(
    kept: Store, prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The store that is configured here may be another one, where `latest` is another incident."""
    incident = opened(kept, *asking(MEMORY))
    monkeypatch.setenv("RUNBOOK_URL", "http://127.0.0.1:9")
    assert main(["approve", "latest", *seen(MEMORY)]) == ExitCode.UNREACHABLE
    said = capsys.readouterr().err
    assert "nothing was recorded; try again, or unset RUNBOOK_URL" in said
    assert kept.read(incident).last(ApprovalAnswered) is None
    assert prefect.forms == []


def test_an_incident_is_followed_from_elsewhere(elsewhere: Store, capsys: Capture) -> None:
    """By the newer events alone, and as briefly as on the receiver's machine."""
    incident = opened(elsewhere, *asking(ROLL_BACK))
    door = find_remote()
    assert door is not None
    newer = asyncio.run(read_newer(door, incident, 1))
    assert newer == list(elsewhere.read(incident).journal[1:])
    elsewhere.append(incident, IncidentClosed(outcome="recovered"), key="closed")
    assert main(["incident", incident, "--follow"]) == ExitCode.OK
    assert "CLOSED" in capsys.readouterr().out
