"""The shortcut "Add to timeline": a message becomes a note of the incident whose thread it is in, or of one
that its person chooses.
"""

import asyncio

from blocks.transport.errors import OutsideError
from deployments.processes.json_log import log_event
from deployments.receiver.people.requests import environments, log
from deployments.receiver.slack.outcome import Outcome, told, why
from deployments.receiver.slack.proving import require_listed, under_its_policy
from deployments.receiver.slack.requests import SlackDoor
from deployments.receiver.slack.roles import act_in_slack
from deployments.receiver.slack.settings import slack_target
from deployments.receiver.slack.telling import open_dialog
from deployments.services.finding import SEARCHED, find_own
from deployments.services.refusals import ActRefused, Refusal
from deployments.services.speaker import Speaker
from deployments.settings.settings import Settings
from runbook.incidents.incident import Incident
from runbook.interactions.payloads import Account, Shortcut, Submission
from runbook.interactions.quotes import (
    INCIDENT_FIELD,
    Quote,
    carried,
    choice,
    incident_of_thread,
    quote_of,
)
from runbook.interactions.submissions import shown

RECENT = 50
"""How many of the newest incidents are looked through for a thread, beside the open ones."""


async def add_message(door: SlackDoor, shortcut: Shortcut, speaker: Speaker, settings: Settings) -> Outcome:
    """Note a message, or ask for the incident where it is in the thread of none."""
    try:
        still_open = await _own(door, settings, only_open=True, limit=SEARCHED)
        found = incident_of_thread(shortcut, still_open)
        if found is None and shortcut.message.thread_ts:
            found = incident_of_thread(shortcut, await _own(door, settings, only_open=False, limit=RECENT))
        if found is not None:
            quote = quote_of(shortcut, settings.policy.people)
            return await _noted(door, quote, found, shortcut.user, settings)
        require_listed(speaker)
        if not still_open:
            raise ActRefused(Refusal.NOTHING, "no incident is open", "add it from the thread of an incident")
        view = choice(carried(shortcut, settings.policy.people), still_open)
        await open_dialog(slack_target(settings.origin), shortcut.trigger_id, view)
    except (ActRefused, OutsideError) as error:
        return Outcome(said=why(error, speaker), refused=True)
    return Outcome()


async def add_chosen(
    door: SlackDoor, submission: Submission, quote: Quote, speaker: Speaker, settings: Settings
) -> Outcome:
    """Note the message that a dialog carries in the incident that was chosen."""
    try:
        chosen = submission.view.field(INCIDENT_FIELD)
        incident = await find_own(door.people.store, chosen, environments(settings))
        return await _noted(door, quote, incident, submission.user, settings)
    except (ActRefused, OutsideError) as error:
        said = why(error, speaker)
        return Outcome(said=said, errors={INCIDENT_FIELD: shown(said)}, refused=True)


async def _noted(
    door: SlackDoor, quote: Quote, incident: Incident, account: Account, settings: Settings
) -> Outcome:
    speaker, settings = await under_its_policy(incident, account, settings)
    done = await act_in_slack(door, incident, quote.act, quote.key, speaker, settings)
    door.people.acted.set()
    log_event(
        log,
        "message added to the timeline",
        incident=incident.id,
        by=speaker.name,
        how=speaker.identity.how.value,
        recorded=done.recorded,
    )
    return Outcome(said=f"in {incident.id}: {told(done)}")


async def _own(door: SlackDoor, settings: Settings, *, only_open: bool, limit: int) -> list[Incident]:
    async with door.people.reading:
        found = await door.people.store.incidents(only_open=only_open, limit=limit)
    here = await asyncio.to_thread(environments, settings)
    return [incident for incident in found if incident.environment in here]
