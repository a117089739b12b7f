"""`runbook incident --follow` where the incident is merged or reopened, or its store is moved away."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from deployments.cli.errors import ExitCode
from deployments.cli.looking.following import follow
from runbook.incidents.events import (
    IncidentClosed,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
    Recorded,
)
from tests.deployments.cli.test_following import (
    CLOSED,
    ENDED,
    NOTE,
    Capture,
    following_process,
    line_with,
    store,
)
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import EVENTS

pytestmark = pytest.mark.proof

__all__ = ["store"]  # a fixture, found here


def test_a_merged_incident_ends_with_the_one_in_which_it_goes_on(store: Store) -> None:
    """Whoever follows it reads which to follow now."""
    into = store.open("0002", EVENTS[:8])
    incident = store.open("0001", EVENTS[:8])
    with following_process(incident) as process:
        line_with(process, "see all")
        merged = IncidentMerged(into=into, by="ana")
        store.append(incident, merged, key=merged.journal_key)
        assert into in line_with(process, "erged")
        assert line_with(process, "--follow").endswith(f"runbook incident {into} --follow")
        store.append(incident, IncidentClosed(outcome="merged"), key="closed")
        assert process.wait(20) == ExitCode.OK


def test_an_incident_that_is_reopened_at_once_is_followed_on(store: Store, capsys: Capture) -> None:
    """Its end and its beginning may be read together; then only the second end ends it."""
    reopened = IncidentReopened(because="it fires again", reopened=1)
    over = IncidentResolved(outcome="recovered", because=("ok",), reopened=1)
    closed = IncidentClosed(outcome="recovered", reopened=1)
    incident = store.open("0001", (*EVENTS[:8], ENDED, CLOSED, reopened, NOTE, over, closed))
    known = store.read(incident)
    earlier = type(known).from_events(incident, known.journal[:8])
    batches = [known.journal[8:11], known.journal[11:12], [], known.journal[12:]]

    async def newer(_: int) -> list[Recorded]:
        return list(batches.pop(0))

    ended = asyncio.run(follow(earlier, newer, every=0, config=None, json=False))
    assert (ended.closed, batches) == (True, [])
    assert "Note " in capsys.readouterr().out


def files(folder: Path) -> list[Path]:
    """The store's files."""
    return sorted(folder.glob("incidents.db*"))


@pytest.mark.parametrize("back", [True, False], ids=["comes back", "is replaced"])
def test_a_store_that_is_moved_away_is_told_once(back: bool, store: Store, tmp_path: Path) -> None:
    """Following goes on when it is back; another store in its place is said, and is not read."""
    incident = store.open("0001", EVENTS[:8])
    away = tmp_path / "away"
    away.mkdir()
    with following_process(incident) as process:
        line_with(process, "see all")
        for file in files(tmp_path):
            shutil.move(file, away / file.name)
        assert process.stderr is not None
        told = process.stderr.readline()
        assert "following goes on when it is back" in told
        assert "Traceback" not in told
        if back:
            for file in sorted(away.iterdir()):
                shutil.move(file, tmp_path / file.name)
            assert "it is back" in process.stderr.readline()
            store.append(incident, NOTE, key="note")
            line_with(process, "Note ")
            store.append(incident, ENDED, key="ended")
            store.append(incident, CLOSED, key="closed")
            assert process.wait(20) == ExitCode.OK
        else:
            other = tmp_path / "other"
            other.mkdir()
            Store(other).open("0003", EVENTS[:3])
            for file in files(other):
                os.replace(file, tmp_path / file.name)
            told = process.stderr.readline()
            assert "the database has changed" in told, told
            assert process.poll() is None
