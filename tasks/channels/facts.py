"""What can truly be said about an incident now, for every channel."""

from runbook.channels.messages import MessageFacts, message_facts
from runbook.clocks.response import response_clock, response_words
from runbook.decision.severity import Severity
from runbook.incidents.incident import Incident
from runbook.incidents.people import lead_of
from runbook.incidents.state import State
from tasks.channels.links import incident_link
from tasks.incident import OpenIncident, now


def facts_of(incident: OpenIncident, journal: Incident, state: State) -> MessageFacts:
    """The facts that an announcement of this state tells.

    Raises:
        ValueError: RESOLVED while the journal has no verified recovery.
    """
    at, zone = now(), incident.policy.calendar.time_zone
    return message_facts(
        journal,
        state=state,
        policy=incident.policy,
        now=at,
        commander=lead_of(journal) or incident.policy.incident_commander,
        update_interval=incident.policy.next_update_in(journal.rating or Severity.P2),
        time_zone=zone,
        response=response_words(response_clock(journal, incident.policy), at, zone),
        link=incident_link(journal),
        public_title=incident.policy.public_titles.get(journal.service, ""),
    )
