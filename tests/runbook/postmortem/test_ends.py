"""What a draft says of how the incident ended is what was seen, or who said so."""

import pytest

from runbook.clocks.response import response_clock
from runbook.incidents import events as e
from runbook.policy.policy import Policy
from runbook.postmortem.facts import recovery, went_well
from tests.runbook.journals import OPENED, decided, incident, resolved

VERIFIED = "The recovery was verified before it was announced"


@pytest.mark.parametrize(
    ("end", "verified"),
    [
        (resolved("recovered"), True),
        (e.IncidentResolved(outcome="recovered", because=("it works",), by="ana"), False),
        (resolved("false_positive"), False),
    ],
)
def test_only_the_checks_verify_a_recovery(end: e.Event, verified: bool) -> None:
    """A person's word is theirs, and stands with their name."""
    told = incident(decided(), end)
    assert (VERIFIED in went_well(told, response_clock(told, Policy()), OPENED)) is verified
    by_ana = any("ana" in line and "resolved the incident" in line for line in recovery(told))
    assert by_ana is (isinstance(end, e.IncidentResolved) and end.by == "ana")


def test_a_reopened_incident_has_not_ended() -> None:
    """Its first end is history; a merged one says where it goes on."""
    again = incident(decided(), resolved("recovered"), e.IncidentReopened(because="it fires again"))
    assert recovery(again)[-1] == "The response has not ended"
    merged = incident(decided(), e.IncidentMerged(into="inc-20261122-1", by="ana"))
    assert "inc-20261122-1" in recovery(merged)[-1]
