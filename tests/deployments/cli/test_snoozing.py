"""`runbook snooze --reminder`: the reminder of a clock comes once more, where no receiver is there."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.incidents import events as e
from tests.deployments.cli_store import Store, store_in
from tests.runbook.journals import ALERT, decided

Capture = pytest.CaptureFixture[str]
REMINDED = e.ClockReminded(
    clock=e.ClockName.TEAM_UPDATE, due_at=datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
)
OPEN = (e.IncidentOpened(alert=ALERT), decided(), REMINDED)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, named by the runbook.toml of the folder that the commands run in."""
    return store_in(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("more", "minutes"), [((), 10), (("--minutes", "30"), 30), (("--minutes", "600"), None)]
)
def test_the_newest_reminder_is_snoozed(
    more: tuple[str, ...], minutes: int | None, store: Store, capsys: Capture
) -> None:
    """For ten minutes or as said, and never past the clock's end."""
    incident = store.open("0001", OPEN)
    assert main(["snooze", incident, "--reminder", *more, "--by", "ana", "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["act"], told["by"], told["recorded"]) == ("snooze", "ana", True)
    done = store.read(incident).journal[-1].event
    assert isinstance(done, e.ReminderSnoozed)
    if minutes is None:
        assert done.until == REMINDED.due_at
    else:
        assert round((done.until - datetime.now(UTC)).total_seconds() / 60) == minutes


@pytest.mark.parametrize(
    ("events", "more", "why"),
    [
        (OPEN[:2], (), "there is no reminder to snooze"),
        *((OPEN, ("--minutes", number), "from 1 to 1440 minutes") for number in ("0", "-1", "1000000000")),
        *((OPEN, ("--minutes", number), "int") for number in ("1e9", "nan", "ten", "")),
        (OPEN, ("--reason", "x"), "--reason belongs to a question"),
    ],
)
def test_what_cannot_be_snoozed_is_refused_with_why(
    events: tuple[e.Event, ...], more: tuple[str, ...], why: str, store: Store, capsys: Capture
) -> None:
    """Nothing is written."""
    incident = store.open("0001", events)
    assert main(["snooze", incident, "--reminder", *more]) == ExitCode.USAGE
    assert why in capsys.readouterr().err
    assert len(store.read(incident).journal) == len(events)
