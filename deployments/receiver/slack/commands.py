"""`/incident`: the open incidents, and what the buttons do, for whoever the settings know.

Being in the workspace is not enough: nobody else learns whether there is an incident.
"""

import asyncio
import logging

from blocks.transport.errors import OutsideError
from deployments.processes.json_log import log_event
from deployments.receiver.people.requests import environments
from deployments.receiver.slack.acts import wake
from deployments.receiver.slack.interacting import Answer
from deployments.receiver.slack.outcome import Outcome, why
from deployments.receiver.slack.proving import under_its_policy
from deployments.receiver.slack.requests import SlackDoor
from deployments.receiver.slack.roles import act_and_note, hand_over_packet
from deployments.receiver.slack.settings import slack_target
from deployments.receiver.slack.telling import alone, tell_privately
from deployments.receiver.slack.typed_answers import answer_typed
from deployments.services.finding import SEARCHED, find_own
from deployments.services.refusals import ActRefused
from deployments.services.severity import set_severity
from deployments.services.speaker import Speaker
from deployments.settings.settings import Settings
from runbook.approvals.identity import Proof
from runbook.incidents.incident import Incident
from runbook.interactions.commands import ANSWERS, InvalidCommand, Typed, Verb, help_lines, typed
from runbook.interactions.listing import open_incidents_lines
from runbook.interactions.payloads import Command
from runbook.interactions.questions import Standing
from runbook.interactions.quotes import as_written
from runbook.interactions.submissions import handover_note
from runbook.outside_text.slack import SlackText, slack, slack_lines

ANSWER_SECONDS = 2.0
"""How long the store may take: Slack gives up after three seconds."""

log = logging.getLogger("runbook.receiver")


async def answer_command(door: SlackDoor, command: Command, speaker: Speaker, settings: Settings) -> Answer:
    """Do what was typed, and say what its person is answered.

    Raises:
        Rejected: too much is under way.
        Unavailable: the store cannot be reached.
    """
    if speaker.identity.how is not Proof.SLACK:
        return alone(
            slack(f"Your account {command.user_id} is not among the logins of [policy.people]: have it added")
        )
    try:
        asked = typed(command.text)
    except InvalidCommand as error:
        return alone(slack_lines("\n".join(help_lines(str(error)))))
    if asked.verb is Verb.HELP:
        return alone(slack_lines("\n".join(help_lines())))
    if asked.verb is Verb.LIST:
        return await _listed(door, settings)
    work = door.under_way.begin(_done(door, command, asked, speaker, settings))
    await asyncio.wait({work}, timeout=ANSWER_SECONDS)
    if not work.done():
        door.under_way.follow(_tell_later(work, command, settings))
        return None
    outcome = work.result()
    return alone(_text(outcome), outcome.blocks)


async def _listed(door: SlackDoor, settings: Settings) -> Answer:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            lines = await _open_incidents(door, settings)
    except TimeoutError:
        return alone(slack("The store does not answer in time. Try again"))
    return alone(slack_lines("\n".join(lines)))


async def _open_incidents(door: SlackDoor, settings: Settings) -> list[str]:
    async with door.people.reading:
        found = await door.people.store.incidents(only_open=True, limit=SEARCHED)
    here = environments(settings)
    mine = [item for item in found if item.environment in here]
    return await asyncio.to_thread(open_incidents_lines, mine)


async def _done(
    door: SlackDoor, command: Command, asked: Typed, speaker: Speaker, settings: Settings
) -> Outcome:
    """Do it in the incident that is meant; `trigger_id` is the command's own, also where it comes again."""
    try:
        incident = await find_own(door.people.store, asked.incident, environments(settings))
        speaker, settings = await under_its_policy(incident, command.user, settings)
        asked = asked.model_copy(update={"text": as_written(asked.text, settings.policy.people)})
        outcome, act = Outcome(), asked.act
        if asked.verb in ANSWERS and act is None:
            standing = await answer_typed(door, incident, asked, speaker, settings)
            door.under_way.follow(_wake(door, incident, standing, command, settings))
            outcome = Outcome(said=standing.words, standing=standing, taken=True)
        elif asked.severity is not None:
            done = await set_severity(
                door.people.store,
                incident,
                asked.severity,
                reason=asked.text,
                speaker=speaker,
                policy=settings.policy,
                key=f"slack:{command.trigger_id}",
            )
            outcome = Outcome(said=done.said)
            door.people.acted.set()
        elif act is not None:
            note = handover_note(asked.name, asked.text) if asked.verb is Verb.HANDOVER else None
            key = f"slack:{command.trigger_id}"
            outcome = await act_and_note(door, incident, act, note, key, speaker, settings)
            door.people.acted.set()
        if asked.verb is Verb.HANDOVER:
            incident = await door.people.store.read(incident.id)
            outcome = await hand_over_packet(incident, settings, after=outcome.said)
    except (ActRefused, OutsideError) as error:
        outcome = Outcome(said=why(error, speaker), refused=True)
    log_event(
        log,
        "typed in Slack",
        verb=asked.verb.value,
        incident=asked.incident[:100],
        by=speaker.name,
        how=speaker.identity.how.value,
        refused=outcome.refused,
    )
    return outcome


async def _tell_later(work: asyncio.Task[Outcome], command: Command, settings: Settings) -> None:
    outcome = await work
    target = await asyncio.to_thread(slack_target, settings.origin)
    await tell_privately(target, command.response_url, _text(outcome), outcome.blocks)


async def _wake(
    door: SlackDoor, incident: Incident, standing: Standing, command: Command, settings: Settings
) -> None:
    """Wake the run of an answer, which shows it; where it does not wake, its person is told why."""
    if said := await wake(door, incident.id, standing):
        target = await asyncio.to_thread(slack_target, settings.origin)
        await tell_privately(target, command.response_url, slack_lines(said))


def _text(outcome: Outcome) -> SlackText:
    if outcome.blocks:
        return SlackText(outcome.said)
    return slack_lines(f"{outcome.said[:1].upper()}{outcome.said[1:]}")
