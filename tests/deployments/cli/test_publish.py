"""`runbook publish` and `withhold`, and where a text for the public that waits is shown."""

import json
from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.approvals.identity import Identity
from runbook.incidents import events as e
from tests.deployments.acts_table import DIGEST, ON_A_TEXT, Case
from tests.deployments.cli_store import Store, store_in
from tests.deployments.journal_samples import EVENTS
from tests.runbook.public_texts import PROPOSED

Capture = pytest.CaptureFixture[str]
OPEN = (*EVENTS[:8], PROPOSED)
IDS = [case.name for case in ON_A_TEXT]
WORDS = "Some events arrive late."


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, named by the runbook.toml of the folder that the commands run in."""
    (tmp_path / "words.txt").write_text(f"{WORDS}\n")
    return store_in(tmp_path, monkeypatch)


def told_by(case: Case, incident: str, *more: str) -> int:
    """How the command ends."""
    verb, *rest = case.command
    return main([verb, incident, *rest, *more])


@pytest.mark.parametrize("case", ON_A_TEXT, ids=IDS)
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_an_answer_is_journalled_once(case: Case, closed: bool, store: Store, capsys: Capture) -> None:
    """Also of a closed incident, whose page is still told of the end; another answer comes too late."""
    over = PROPOSED.model_copy(update={"state": "RESOLVED"})
    text = over if closed else PROPOSED
    end = (e.IncidentResolved(outcome="recovered", because=()), over, e.IncidentClosed(outcome="recovered"))
    told = e.StatusAnnounced(channel="status-page", state="IDENTIFIED")
    incident = store.open("0001", (*EVENTS[:8], told, *end) if closed else OPEN)
    case = Case(**{**vars(case), "command": tuple(_of(text, word) for word in case.command)})
    for expected in ("", " (it was so already)"):
        assert told_by(case, incident, "--by", "ana") == ExitCode.OK
        assert capsys.readouterr().out.strip().endswith(expected)
    event = store.read(incident).journal[-1].event
    asked_for = case.of("ana", Identity(name="ana")).model_copy(update={"proposal": text.digest})
    assert event == asked_for
    assert told_by(case, incident, "--by", "bob") == ExitCode.USAGE
    assert "it is answered: ana (unproven claim)" in capsys.readouterr().err


@pytest.mark.parametrize("title", ["Delayed events", ""])
def test_whoever_gives_a_title_reads_where_an_open_entry_takes_none(
    title: str, store: Store, capsys: Capture
) -> None:
    """At once, not only in the help: on incident.io it is changed on the page."""
    incident = store.open("0001", OPEN)
    given = ("--title", title) if title else ()
    assert main(["publish", incident, "--proposal", DIGEST, "--by", "ana", *given]) == ExitCode.OK
    assert ("incident.io takes none in an update" in capsys.readouterr().err) is bool(title)


def _of(text: e.PublicTextProposed, word: str) -> str:
    """The word, with the digest of this text in the place of the other."""
    return text.digest[: len(word)] if DIGEST.startswith(word) else word


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("publish", "--proposal", "", "--by", "ana"), f"say which text, by its digest: {DIGEST[:12]}"),
        (("publish", "--proposal", DIGEST, "--text", "nothing.txt"), "nothing.txt cannot be read"),
        (("publish", "--proposal", DIGEST, "--text", "empty.txt"), "empty.txt has no words"),
        (("publish", "--proposal", DIGEST, "--text", "bad.txt"), "internal host 'redis.internal'"),
        (("publish", "--proposal", DIGEST, "--title", " "), "--title is empty"),
        (("publish", "--proposal", DIGEST, "--title", "redis.internal"), "internal host 'redis.internal'"),
        (("publish",), f"say which text, by its digest, once you have read it: it is {DIGEST[:12]}"),
        (
            ("withhold", "--reason", "x"),
            f"say which text, by its digest, once you have read it: it is {DIGEST[:12]}",
        ),
        (("withhold", "--proposal", DIGEST, "--reason", " "), "the reason is empty"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_do(
    arguments: tuple[str, ...], why: str, store: Store, tmp_path: Path, capsys: Capture
) -> None:
    """Nothing is written, and the file with the words stays."""
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "bad.txt").write_text("Users cannot reach redis.internal.")
    incident = store.open("0001", OPEN)
    verb, *rest = arguments
    assert main([verb, incident, *rest]) == ExitCode.USAGE
    assert why.partition(":")[0] in capsys.readouterr().err
    assert len(store.read(incident).journal) == len(OPEN)


def test_where_no_text_waits_none_is_asked_for(store: Store, capsys: Capture) -> None:
    """There is no digest that could be named."""
    incident = store.open("0001", EVENTS[:3])
    assert main(["publish", incident, "--title", "Delayed events"]) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "no text for the public waits for an answer" in told
    assert f"runbook incident {incident}" in told
    assert "digest" not in told


def test_an_entry_that_stays_open_is_shown_with_what_to_do(store: Store, capsys: Capture) -> None:
    """Where the text about the end was refused; not once the page was told of the end."""
    told = e.StatusAnnounced(channel="status-page", state="IDENTIFIED")
    refused = e.PublicTextRefused(channel="status-page", state="RESOLVED", because=("placeholder '[x]'",))
    events = (*EVENTS[:8], told, e.IncidentResolved(outcome="recovered", because=()), refused)
    incident = store.open("0001", events)
    assert main(["incident", incident]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "The entry on the status page stays open: write there that it is over" in shown
    assert "placeholder '[x]'" in shown
    store.append(incident, e.StatusAnnounced(channel="status-page", state="RESOLVED"), key="end")
    assert main(["incident", incident]) == ExitCode.OK
    assert "stays open" not in capsys.readouterr().out


def test_the_text_is_shown_in_whole_with_the_commands(store: Store, capsys: Capture) -> None:
    """In short and in full, as JSON, in the list and in the hand-over."""
    incident = store.open("0001", OPEN)
    assert main(["incident", incident]) == ExitCode.OK
    short = capsys.readouterr().out
    assert "publish this on the status page (IDENTIFIED)?" in short
    assert all(line in short for line in PROPOSED.body.splitlines())
    assert f"runbook publish {incident} --proposal {DIGEST[:12]}" in short
    assert f"runbook withhold {incident} --proposal {DIGEST[:12]} --reason TEXT" in short
    assert main(["incident", incident, "--full"]) == ExitCode.OK
    assert f"runbook publish {incident} --proposal {DIGEST[:12]}" in capsys.readouterr().out
    assert main(["incident", incident, "--json"]) == ExitCode.OK
    [asked] = json.loads(capsys.readouterr().out)["public_texts"]
    assert (asked["proposal"], asked["body"]) == (DIGEST, PROPOSED.body)
    assert main(["incidents", "--json"]) == ExitCode.OK
    [listed] = json.loads(capsys.readouterr().out)
    assert listed["public_text"] == "IDENTIFIED"
    assert main(["handover", incident]) == ExitCode.OK
    assert "A text for the public waits for a yes, IDENTIFIED" in capsys.readouterr().out
