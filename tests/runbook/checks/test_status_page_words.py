"""Each word of a status page has one meaning, and a word that nobody knows is never operational."""

import pytest

from runbook.checks.readings import Impact
from runbook.checks.status_page_words import IMPACTS, STATES, State, impact_in, impact_of, state_in


@pytest.mark.parametrize(
    ("word", "impact"),
    [
        ("none", Impact.NONE),
        ("operational", Impact.NONE),
        ("All systems operational", Impact.NONE),
        ("All Systems Operational.", Impact.NONE),
        ("UP", Impact.NONE),
        ("under_maintenance", Impact.MAINTENANCE),
        ("UNDERMAINTENANCE", Impact.MAINTENANCE),
        ("Service Under Maintenance", Impact.MAINTENANCE),
        ("minor", Impact.DEGRADED),
        ("degraded_performance", Impact.DEGRADED),
        ("Degraded Performance", Impact.DEGRADED),
        ("Minor Service Outage", Impact.DEGRADED),
        ("Partially Degraded Service", Impact.DEGRADED),
        ("HASISSUES", Impact.DEGRADED),
        ("major", Impact.PARTIAL_OUTAGE),
        ("partial-outage", Impact.PARTIAL_OUTAGE),
        ("Partial System Outage", Impact.PARTIAL_OUTAGE),
        ("critical", Impact.FULL_OUTAGE),
        ("major_outage", Impact.FULL_OUTAGE),
        ("MAJOROUTAGE", Impact.FULL_OUTAGE),
        ("full_outage", Impact.FULL_OUTAGE),
        ("Major Service Outage", Impact.FULL_OUTAGE),
        ("", None),
        ("unknown", None),
        ("sideways", None),
        ("not operational", None),  # holds a word that is known, and is another
        (None, None),
        (0, None),
        ({}, None),
    ],
)
def test_a_word_for_an_impact_means_this(word: object, impact: Impact | None) -> None:
    """Case, spaces and hyphens do not matter; a word that nobody knows has no meaning."""
    assert impact_in(word) is impact
    assert impact_of(word) is (impact or Impact.DEGRADED)  # an incident that is listed is one


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("investigating", State.OPEN),
        ("Monitoring", State.OPEN),
        ("RESOLVED", State.OVER),
        ("postmortem", State.OVER),
        ("Completed", State.OVER),
        ("Fixed", State.OVER),
        ("scheduled", State.SCHEDULED),
        ("NOTSTARTEDYET", State.SCHEDULED),
        ("maintenance_scheduled", State.SCHEDULED),
        ("In progress", State.UNDER_WAY),
        ("INPROGRESS", State.UNDER_WAY),
        ("verifying", State.UNDER_WAY),
        ("unresolved", None),
        ("", None),
        (None, None),
    ],
)
def test_a_word_for_a_state_means_this(word: object, state: State | None) -> None:
    """The same for where an incident or a maintenance stands."""
    assert state_in(word) is state


def test_no_word_is_a_state_and_an_impact() -> None:
    """One word never means two things, but for the maintenance that is both."""
    assert IMPACTS.keys() & STATES.keys() == {"maintenance_in_progress"}
