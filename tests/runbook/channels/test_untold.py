"""Of what nobody could be told: a person who acts knows of the incident."""

from runbook.channels.untold import untold
from runbook.incidents import events as e
from tests.runbook.journals import decided, incident

PAGED = e.IncidentEscalated(because="somebody is needed")


def test_whoever_acts_knows_of_what_came_before() -> None:
    """Not of what comes after."""
    again = e.IncidentEscalated(because="it is worse")
    taken = e.LeadAssigned(lead="ana", by="ana")
    assert [each.because for each in untold(incident(decided(), PAGED))] == ["somebody is needed"]
    assert untold(incident(decided(), PAGED, taken)) == ()
    assert [each.because for each in untold(incident(decided(), PAGED, taken, again))] == ["it is worse"]
