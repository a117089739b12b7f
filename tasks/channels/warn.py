"""Warn: people are told that somebody has tried to answer past the runbook's questions."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from runbook.incidents.effect_ids import EffectId, MessageName
from runbook.incidents.effects import Authority
from runbook.incidents.events import EffectSettled
from runbook.incidents.incident import Incident
from runbook.outside_text.slack import SlackText, slack, slack_link
from tasks.channels.communicate import say
from tasks.channels.links import incident_link
from tasks.effects import SETTLED
from tasks.incident import OpenIncident

WARN = Authority.policy("warn")
NAME = MessageName.refused_answers()

REFUSED = (
    "🚫 An answer in Prefect was refused: it was not filled in for an open question of this incident. "
    "Nothing was changed for it, and the question stays open. Find out who wrote it"
)

ATTEMPTS = 3
"""A channel that is away is not tried at each of a flood of answers."""


@task(name="warn of answers", task_run_name="warn of answers", cache_policy=NO_CACHE)
async def warn_of_answers(incident: OpenIncident) -> None:
    """Tell the channel, once for an incident, that an answer in Prefect was none to a question of ours."""
    journal = await incident.read()
    if incident.environment.slack is None or _tried_enough(journal):
        return
    link = incident_link(journal)
    text = slack(REFUSED) + (f"\n{slack_link(link)}" if link else "")
    await say(incident, journal, SlackText(text), name=NAME, authority=WARN, broadcast=True)


def _tried_enough(journal: Incident) -> bool:
    effect_id = EffectId.of_message(journal.id, "slack", NAME)
    outcomes = [
        event.effect.outcome for event in journal.events(EffectSettled) if event.effect.id == effect_id
    ]
    return len(outcomes) >= ATTEMPTS or any(outcome in SETTLED for outcome in outcomes)
