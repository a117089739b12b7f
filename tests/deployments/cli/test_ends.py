"""`runbook resolve`, `reopen` and `merge`, where no receiver is there."""

import json
from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.incidents import events as e
from runbook.incidents.state import IncidentOutcome
from tests.deployments.cli_store import Store, store_in
from tests.deployments.journal_samples import EVENTS

Capture = pytest.CaptureFixture[str]
OPEN = EVENTS[:10]
RESOLVE = ("--outcome", "recovered", "--reason", "it works again")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, named by the runbook.toml of the folder that the commands run in."""
    return store_in(tmp_path, monkeypatch)


def test_a_closed_incident_is_reopened_once(store: Store, capsys: Capture) -> None:
    """It stands though Prefect is away, which is said; the watchdog starts its run later."""
    incident = store.open("0001", EVENTS)
    assert main(["reopen", incident, "--reason", "it times out again", "--by", "ana"]) == ExitCode.OK
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{incident}: ana (unproven claim) ")
    assert "the run does not go on yet" in captured.err
    told = store.read(incident)
    assert (told.closed, told.reopened, told.outcome) == (False, 1, None)

    assert main(["reopen", incident, "--reason", "it times out again", "--by", "bob"]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert (captured.out, f"{incident} is open" in captured.err) == ("", True)
    assert store.read(incident) == told


def test_an_incident_is_merged_into_another_once(store: Store, capsys: Capture) -> None:
    """Both journals say so, and the second one hears that it has ended."""
    other, incident = store.open("0001", OPEN), store.open("0002", OPEN)
    assert main(["merge", "latest", other, "--reason", "one deploy", "--by", "ana", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["incident"], told["act"], told["recorded"]) == (incident, "merge", True)
    assert store.read(incident).outcome is IncidentOutcome.MERGED
    assert [it.incident for it in store.read(other).events(e.IncidentAbsorbed)] == [incident]

    for command in (["merge", incident, other], ["merge", other, incident], ["resolve", incident, *RESOLVE]):
        assert main([*command, "--by", "bob"]) == ExitCode.USAGE
        captured = capsys.readouterr()
        assert (captured.out, f"{incident} has ended: merged" in captured.err) == ("", True)
    assert len(store.read(other).events(e.IncidentAbsorbed)) == 1


@pytest.mark.parametrize(
    ("into", "code", "why"),
    [
        ("inc-1999", ExitCode.NOTHING, "no incident 'inc-1999'"),
        ("latest", ExitCode.USAGE, "cannot be merged into itself"),
    ],
)
def test_what_cannot_be_merged_is_refused_in_a_line(
    into: str, code: ExitCode, why: str, store: Store, capsys: Capture
) -> None:
    """And nothing is written."""
    incident = store.open("0001", OPEN)
    assert main(["merge", incident, into]) == code
    captured = capsys.readouterr()
    assert (captured.out, why in captured.err) == ("", True)
    assert len(store.read(incident).journal) == len(OPEN)


def test_the_second_person_who_ends_an_incident_hears_how_it_ended(store: Store, capsys: Capture) -> None:
    """The first end stands; the same person may say the same again."""
    incident = store.open("0001", OPEN)
    for _ in range(2):
        assert main(["resolve", incident, *RESOLVE, "--by", "ana"]) == ExitCode.OK
    assert capsys.readouterr().out.splitlines()[1].endswith("(it was so already)")
    assert main(["resolve", incident, *RESOLVE, "--by", "bob"]) == ExitCode.USAGE
    assert f"{incident} has ended: recovered" in capsys.readouterr().err
    assert len(store.read(incident).events(e.IncidentResolved)) == 1


@pytest.mark.parametrize("text", ["x" * 100_000, "  "])
def test_a_reason_that_cannot_be_kept_is_refused(text: str, store: Store, capsys: Capture) -> None:
    """It is not cut, and there has to be one."""
    incident = store.open("0001", OPEN)
    assert main(["resolve", incident, "--outcome", "recovered", "--reason", text]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert (captured.out, "the reason" in captured.err, len(captured.err) < 1000) == ("", True, True)
    assert len(store.read(incident).journal) == len(OPEN)
