"""The timeline as people see it in Prefect."""

import re
from datetime import timedelta

from runbook.incidents import events as e
from runbook.incidents.report import timeline_markdown
from tests.runbook.journals import OPENED, every_event, incident


def test_timeline_shows_utc_and_local_time() -> None:
    """Every event is an item under its day, in the reader's zone and in UTC, which is told once."""
    of = incident(*every_event())
    local = timeline_markdown(of, time_zone="Europe/Berlin")
    assert "- **16:06:00 CET (15:06:00 UTC)** alice approved 1-enable-fallback" in local
    assert len(re.findall(r"^- \*\*\d\d:", local, re.MULTILINE)) == len(of.journal)
    assert "### 2026-11-22\n" in local
    assert "- **15:06:00 UTC** alice approved 1-enable-fallback" in timeline_markdown(of)


def test_a_timeline_over_midnight_has_two_days() -> None:
    """Those of the reader's zone."""
    late = incident(e.NoteAdded(by="ana", text="first"))
    moved = [
        late.journal[0],
        late.journal[1].model_copy(update={"at": OPENED + timedelta(hours=8, minutes=30)}),
    ]
    days = timeline_markdown(type(late).from_events(late.id, moved), time_zone="Europe/Berlin")
    assert re.findall("^### (.+)$", days, re.MULTILINE) == ["2026-11-22", "2026-11-23"]
