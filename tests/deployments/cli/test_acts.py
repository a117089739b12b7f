"""`runbook take`, `assign`, `comms`, `note` and `ack`, where no receiver is there."""

import json
from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.cli.people.account import account
from runbook.approvals.authority import ActEvent, act_counts
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person
from runbook.approvals.rules import ActRule
from runbook.incidents import events as e
from runbook.policy.policy import Policy
from tests.deployments.acts_table import CASES, Case
from tests.deployments.cli_store import Store, store_in
from tests.deployments.journal_samples import EVENTS

Capture = pytest.CaptureFixture[str]
OPEN = EVENTS[:10]
IDS = [case.name for case in CASES]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, named by the runbook.toml of the folder that the commands run in."""
    return store_in(tmp_path, monkeypatch)


def command(case: Case, incident: str, *more: str) -> list[str]:
    """The command line."""
    verb, *rest = case.command
    return [verb, incident, *rest, *more]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_an_act_is_journalled_with_who_and_told_in_a_line(case: Case, store: Store, capsys: Capture) -> None:
    """Without a key and a receiver it is a claim, and says so."""
    incident = store.open("0001", OPEN)
    assert main(command(case, incident, "--by", "ana")) == ExitCode.OK
    captured = capsys.readouterr()
    [line] = captured.out.splitlines()
    assert line.startswith(f"{incident}: ana (unproven claim) ")
    assert ("the run does not go on yet" in captured.err) is case.wakes  # Prefect is away here
    assert (captured.err == "") is not case.wakes
    assert store.read(incident).journal[-1].event == case.of("ana", Identity(name="ana"))


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_an_act_is_yours_and_can_be_read_by_programs(case: Case, store: Store, capsys: Capture) -> None:
    """Without `--by` it is the account's; `--json` tells what became of it."""
    incident = store.open("0001", OPEN)
    assert main(command(case, incident, "--json")) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["incident"], told["act"], told["by"]) == (incident, case.command[0], account())
    assert (told["recorded"], told["identity"]["how"]) == (True, "claim")
    event = store.read(incident).journal[-1].event
    assert event == case.of(account(), Identity(name=account()))
    assert told["lead"] == getattr(event, "lead", None)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_an_act_that_is_repeated_changes_nothing(case: Case, store: Store, capsys: Capture) -> None:
    """But for a note: people may write the same twice."""
    incident = store.open("0001", OPEN)
    for _ in range(2):
        assert main(command(case, incident)) == ExitCode.OK
    again = capsys.readouterr().out.splitlines()[1]
    note = case.event is e.NoteAdded
    assert again.endswith("(it was so already)") is not note
    assert len(store.read(incident).journal) == len(OPEN) + (2 if note else 1)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_closed_incident_takes_notes_only(case: Case, store: Store, capsys: Capture) -> None:
    """Everything else is refused with what can be done instead."""
    incident = store.open("0001", EVENTS)
    if case.event is e.NoteAdded:
        assert main(command(case, incident)) == ExitCode.OK
        assert isinstance(store.read(incident).journal[-1].event, e.NoteAdded)
        return
    assert main(command(case, incident)) == ExitCode.NOTHING
    captured = capsys.readouterr()
    assert (captured.out, f"{incident} is closed; a note is still taken" in captured.err) == ("", True)
    assert len(store.read(incident).journal) == len(EVENTS)


@pytest.mark.parametrize("case", CASES, ids=IDS)
@pytest.mark.parametrize(
    ("acts", "why"),
    [
        ('approvers = ["bob"]', "ana may not do this; who may: bob"),
        ("accept_unverified = false", "it is not proven that this is ana"),
        ('accept_unverified = false\nproofs = ["os-peer"]', "it is not proven that this is ana"),
    ],
)
def test_who_may_not_or_is_not_proven_does_nothing(
    acts: str, why: str, case: Case, store: Store, tmp_path: Path, capsys: Capture
) -> None:
    """The rule is that of every act beside an answer."""
    incident = store.open("0001", OPEN)
    with (tmp_path / "runbook.toml").open("a") as settings:
        settings.write(f"[policy.acts]\n{acts}\n[policy.people.bob]\n")
    assert main(command(case, incident, "--by", "ana")) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert (captured.out, why in captured.err) == ("", True)
    assert len(store.read(incident).journal) == len(OPEN)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_an_act_is_signed_with_a_registered_key(
    case: Case, store: Store, tmp_path: Path, capsys: Capture
) -> None:
    """It counts where a proof is required, with every word of it."""
    assert main(["login", "--json"]) == ExitCode.OK
    public = json.loads(capsys.readouterr().out)["public"]
    with (tmp_path / "runbook.toml").open("a") as settings:
        settings.write(
            f'[policy.acts]\naccept_unverified = false\n[policy.people.ana]\nkeys = ["{public}"]\n'
        )
    incident = store.open("0001", OPEN)
    assert main(command(case, incident)) == ExitCode.OK
    told = store.read(incident)
    event = told.journal[-1].event
    assert isinstance(event, ActEvent)
    assert event.identity is not None
    assert (event.by, event.identity.how) == ("ana", Proof.SIGNING_KEY)
    strict = Policy(people={"ana": Person(public_keys=(public,))}, acts=ActRule(accept_unverified=False))
    assert act_counts(told, event, strict)
    other = event.model_copy(update={"by": "eve"})
    assert not act_counts(told, other, strict)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("assign", " "), "the name cannot be empty"),
        (("assign", "an\u0430"), "nobody can be called an\\u0430"),
        (("comms", ""), "the name cannot be empty"),
        (("note", " "), "the note is empty"),
        (("note", "x", "--at", ""), "--at is empty"),
        (("note", "x", "--at", "soon"), "the time cannot be read"),
        (("note", "x", "--at", "2026-11-22T15:00"), "has no zone"),
        (("note", "x", "--at", "2999-01-01T00:00Z"), "still to come"),
        (("note", "x" * 4001), "at most 4000 characters"),
        (("take", "--by", " "), "--by cannot be empty"),
    ],
)
def test_what_is_not_complete_is_refused_in_one_line(
    arguments: tuple[str, ...], why: str, store: Store, capsys: Capture
) -> None:
    """Nothing is written."""
    incident = store.open("0001", OPEN)
    verb, *rest = arguments
    assert main([verb, incident, *rest]) == ExitCode.USAGE
    captured = capsys.readouterr()
    [line] = captured.err.splitlines()
    assert (captured.out, why in line) == ("", True), line
    assert len(store.read(incident).journal) == len(OPEN)


def test_a_late_note_says_how_its_time_was_read(store: Store, capsys: Capture) -> None:
    """So that a wrong day or zone is seen at once."""
    incident = store.open("0001", OPEN)
    assert main(["note", incident, "x", "--at", "2026-11-22T16:30+01:00", "--by", "ana"]) == ExitCode.OK
    line = capsys.readouterr().out
    assert line == f"{incident}: ana (unproven claim) noted: x (happened 2026-11-22 15:30 UTC)\n"


def test_the_last_assignment_is_the_lead(store: Store, capsys: Capture) -> None:
    """The list and the view show who leads now; the timeline keeps who did before."""
    incident = store.open("0001", OPEN)
    for arguments in (["take", "--by", "ana"], ["assign", "bob", "--by", "ana"], ["ack", "--by", "cyd"]):
        verb, *rest = arguments
        assert main([verb, incident, *rest]) == ExitCode.OK
    capsys.readouterr()
    assert main(["incidents"]) == ExitCode.OK
    assert "lead: bob" in capsys.readouterr().out
    assert main(["incident", incident, "--full"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "ana (unproven claim) is the lead now" in shown
    assert main(["incident", incident, "--json"]) == ExitCode.OK
    facts = json.loads(capsys.readouterr().out)
    assert (facts["lead"], facts["acknowledged_by"]) == ("bob", ["cyd"])
