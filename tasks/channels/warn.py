"""Warn: people are told that somebody has tried to answer past the runbook's questions."""

from runbook.channels.messages import notice_message
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import Authority
from tasks.channels.deliver import say
from tasks.channels.links import incident_link
from tasks.incident import OpenIncident

WARN = Authority.policy("warn")
NAME = MessageName.refused_answers()

REFUSED = (
    "🚫 An answer was rejected: it does not belong to an open question of this incident. "
    "Nothing was changed, and the question stays open. Find out who wrote it"
)

ATTEMPTS = 3
"""A channel that is away is not tried at each of a flood of answers."""


async def warn_of_answers(incident: OpenIncident) -> None:
    """Tell the channel, once for an incident, that an answer belonged to no open question."""
    journal = await incident.read()
    message = notice_message(REFUSED, link=incident_link(journal))
    await say(incident, journal, message, name=NAME, authority=WARN, loud=True, attempts=ATTEMPTS)
