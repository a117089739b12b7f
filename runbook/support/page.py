"""The text for support as somebody asks for it: by the journal as it is, promising nothing of its own."""

from datetime import datetime

from runbook.channels.messages import message_facts
from runbook.channels.text_messages import MAIL, in_text
from runbook.channels.told_state import told_state
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.policy.policy import Policy
from runbook.support.facts import SupportFacts, support_facts, support_message
from runbook.value import Value


class SupportPage(Value):
    """The facts for support of an incident, and the same as a text."""

    incident: str
    facts: SupportFacts
    text: str


def support_page(incident: Incident, policy: Policy, *, now: datetime) -> SupportPage:
    """What support may know at `now` (aware UTC). An incident that ended badly counts as looked into."""
    told_well = incident.outcome is None or incident.outcome.good
    facts = message_facts(
        incident,
        state=told_state(incident, policy) if told_well else State.INVESTIGATING,
        policy=policy,
        now=now,
        commander="",
        update_interval=None,
        time_zone=policy.calendar.time_zone,
        public_title=policy.public_titles.get(incident.service, ""),
    )
    promised = None if incident.outcome else _promised(incident, now)
    facts = facts.model_copy(update={"next_update": promised})
    return SupportPage(
        incident=incident.id, facts=support_facts(facts), text=in_text(support_message(facts), MAIL)
    )


def _promised(incident: Incident, now: datetime) -> datetime | None:
    """The next update that colleagues were promised, where that time has not passed."""
    ahead = [told.next_update_at for told in incident.announcements if told.next_update_at]
    return next((at for at in reversed(ahead) if at > now), None)
