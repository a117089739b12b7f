"""Steps read and write their incident through one handle, with one clock."""

from datetime import UTC, datetime
from pathlib import Path

from runbook.events import NoteAdded
from runbook.severity import Severity
from tests.tasks.environments import AT, open_incident

NOTE = NoteAdded(by="ana", text="called PostHog support")


async def test_what_is_recorded_is_read_with_its_time(tmp_path: Path) -> None:
    """Events are stamped with the present moment in UTC."""
    incident = await open_incident(tmp_path)
    before = datetime.now(UTC)
    recorded = await incident.record(NOTE)
    read = await incident.read()
    assert (read.opened_at, read.journal[-1]) == (AT, recorded)
    assert before <= recorded.at <= datetime.now(UTC)
    assert recorded.at.tzinfo is UTC


async def test_key_makes_a_record_repeatable(tmp_path: Path) -> None:
    """A step that runs again writes nothing twice and sees what it wrote first."""
    incident = await open_incident(tmp_path)
    first = await incident.record(NOTE, key="note")
    assert await incident.record(NoteAdded(by="bob", text="other"), key="note") == first
    assert (await incident.read()).events(NoteAdded) == [NOTE]


async def test_policy_is_that_of_the_environment(tmp_path: Path) -> None:
    """Rules read the team's configuration, not the defaults."""
    incident = await open_incident(tmp_path, page_from=Severity.P1)
    assert incident.policy.page_from is Severity.P1
