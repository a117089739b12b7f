"""`runbook incident --follow`: new events as they come, until the incident is closed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from blocks.store.tail import events_after
from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.cli.looking import following
from deployments.cli.looking.following import Away, follow, follow_journal
from runbook.incidents.events import IncidentClosed, IncidentResolved, NoteAdded, Recorded
from tests.deployments.cli_store import Store, store_in
from tests.deployments.journal_samples import EVENTS, OPENED_AT, PLAN

pytestmark = pytest.mark.proof

Capture = pytest.CaptureFixture[str]
PROGRAM = Path(sys.executable).with_name("runbook")
NOTE = NoteAdded(by="ana", text="first line\nand a second")
ENDED = IncidentResolved(outcome="recovered", because=("the checks are ok",))
CLOSED = IncidentClosed(outcome="recovered")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, named by the runbook.toml of the folder that the commands run in."""
    return store_in(tmp_path, monkeypatch)


@contextmanager
def following_process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The real command, which ends with the test."""
    process = subprocess.Popen(
        [PROGRAM, "incident", *arguments, "--follow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "60"},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def line_with(process: subprocess.Popen[str], text: str) -> str:
    """The next line of its output that has this text."""
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line.rstrip("\n")
    pytest.fail(f"no line with {text!r}")


def test_new_events_come_until_the_incident_is_closed(store: Store) -> None:
    """Each in one line, a change of the state marked, under a question how to answer it."""
    incident = store.open("0001", EVENTS[:8])
    with following_process(incident) as process:
        line_with(process, "see all")
        for number, event in enumerate((NOTE, *EVENTS[8:10])):
            store.append(incident, event, key=f"new-{number}")
        assert line_with(process, "Note ").endswith("ana: first line and a second")
        assert "on deployment/posthog-integration" in line_with(process, "Preview")
        assert "Enable the fallback" in line_with(process, "Approval")
        assert line_with(process, "approve").strip().endswith(f"approve {incident} --plan {PLAN.digest[:12]}")
        store.append(incident, ENDED, key=ENDED.journal_key)
        assert line_with(process, "══").endswith("IDENTIFIED → RESOLVED")
        store.append(incident, CLOSED, key="closed")
        assert line_with(process, "══").endswith("RESOLVED → CLOSED")
        assert process.wait(20) == ExitCode.OK
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_ctrl_c_ends_it_quietly(store: Store) -> None:
    """With the code of an interrupted program."""
    with following_process(store.open("0001", EVENTS[:8])) as process:
        line_with(process, "see all")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == ExitCode.INTERRUPTED
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_closed_incident_is_shown_and_not_followed(store: Store, capsys: Capture) -> None:
    """Nothing comes any more."""
    assert main(["incident", store.open("0001", EVENTS), "--follow"]) == ExitCode.OK
    assert "CLOSED" in capsys.readouterr().out


def test_a_program_gets_a_line_of_json_for_each_event(store: Store, capsys: Capture) -> None:
    """And nothing else on standard output."""
    incident = store.open("0001", (*EVENTS[:8], NOTE, ENDED, CLOSED))
    known = store.read(incident)
    earlier = type(known).from_events(incident, known.journal[:8])

    async def newer(seq: int) -> list[Recorded]:
        return [item for item in known.journal if item.seq > seq]

    asyncio.run(follow(earlier, newer, every=0, config=None, json=True))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(item["seq"], item["event"]["type"]) for item in lines] == [
        (9, "NoteAdded"),
        (10, "IncidentResolved"),
        (11, "IncidentClosed"),
    ]


def test_a_store_that_is_away_for_a_moment_is_told_once(store: Store, capsys: Capture) -> None:
    """And that it is back; no event is lost or shown twice."""
    incident = store.open("0001", (*EVENTS[:8], NOTE, ENDED, CLOSED))
    known = store.read(incident)
    earlier = type(known).from_events(incident, known.journal[:8])
    asked: list[int] = []

    async def newer(seq: int) -> list[Recorded]:
        asked.append(seq)
        if len(asked) in (2, 3, 4):
            raise Away("incident store: it does not answer")
        return [item for item in known.journal if item.seq == seq + 1]

    ended = asyncio.run(follow(earlier, newer, every=0, config=None, json=False))
    captured = capsys.readouterr()
    assert ended.closed
    assert asked == [8, 9, 9, 9, 9, 10]
    assert captured.err.splitlines() == [
        "runbook: incident store: it does not answer; following goes on when it is back",
        "runbook: it is back",
    ]
    assert captured.out.count("Note ") == 1


def test_only_the_newer_events_are_read(store: Store, tmp_path: Path) -> None:
    """By their place in the journal; nothing of what is known already."""
    incident = store.open("0001", EVENTS[:8])
    block = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path / 'incidents.db'}"))
    assert [item.seq for item in asyncio.run(events_after(block, incident, 6))] == [7, 8]
    assert [item.seq for item in asyncio.run(events_after(block, incident, 0, limit=2))] == [1, 2]
    assert asyncio.run(events_after(block, incident, 8)) == []


def test_a_database_that_does_not_answer_is_away(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Whatever the driver says of it, following does not end."""
    found = store.read(store.open("0001", EVENTS[:8]))
    gone = IncidentStore(url=SecretStr("postgresql+psycopg://runbook:pa55word@127.0.0.1:1/incidents"))
    monkeypatch.setattr(following, "STORE_SECONDS", 0.05)

    async def for_a_while() -> None:
        assert found.journal[-1].at > OPENED_AT
        await asyncio.wait_for(follow_journal(gone, found, config=None, json=False), 2)

    with pytest.raises(TimeoutError):
        asyncio.run(for_a_while())
    [line] = capsys.readouterr().err.splitlines()
    assert "following goes on when it is back" in line
    assert "pa55word" not in line
