"""What is answered to what people click and fill in, whichever way it came.

Slack waits three seconds for an answer. What takes longer is answered and goes on; its person is told then.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from deployments.processes.json_log import log_event
from deployments.receiver.connections.body import Rejected
from deployments.receiver.slack.acts import may_show, press, submit, wake
from deployments.receiver.slack.outcome import Outcome
from deployments.receiver.slack.quoting import add_chosen, add_message
from deployments.receiver.slack.requests import SlackDoor
from deployments.receiver.slack.settings import slack_target
from deployments.receiver.slack.telling import show_answer, tell_privately
from deployments.services.speaker import Speaker
from deployments.settings.settings import Settings
from runbook.channels.answered import Block
from runbook.channels.buttons import Button, InvalidButton, button_of
from runbook.interactions.modals import DIALOGS, Context, context_of
from runbook.interactions.payloads import Click, Interaction, Shortcut, Submission
from runbook.interactions.questions import Standing
from runbook.interactions.quotes import ADD_TO_TIMELINE, InvalidQuote, carried_quote
from runbook.outside_text.slack import SlackText, slack, slack_lines

ANSWER_SECONDS = 2.0
"""How long Slack is kept waiting for what a click does: it gives up after three."""

OURS = "runbook."
"""How the actions of our buttons begin. A button that is a link reports its clicks as well."""

log = logging.getLogger("runbook.receiver")

Answer = dict[str, Any] | None
"""What Slack is answered; `None` for that it has arrived."""


async def answer_interaction(
    door: SlackDoor, interaction: Interaction, speaker: Speaker, settings: Settings
) -> Answer:
    """Do it, and say what Slack is answered.

    Raises:
        Rejected: it cannot be read, or too much is under way.
    """
    if isinstance(interaction, Click):
        await _clicked(door, interaction, speaker, settings)
        return None
    if isinstance(interaction, Shortcut):
        await _shortcut(door, interaction, speaker, settings)
        return None
    if interaction.view.callback_id == ADD_TO_TIMELINE:
        return await _chosen(door, interaction, speaker, settings)
    return await _submitted(door, interaction, speaker, settings)


async def _clicked(door: SlackDoor, click: Click, speaker: Speaker, settings: Settings) -> None:
    if not click.pressed.action_id.startswith(OURS):
        return
    button = _button(click.pressed.action_id, click.pressed.value)
    work = door.under_way.begin(_click(door, click, button, speaker, settings))
    await asyncio.wait({work}, timeout=ANSWER_SECONDS)
    if work.done():
        work.result()


async def _click(door: SlackDoor, click: Click, button: Button, speaker: Speaker, settings: Settings) -> None:
    outcome = await press(door, click, button, speaker, settings)
    _note(door, button, outcome, speaker)
    blocks = click.message.blocks
    door.under_way.follow(_tell(door, button, outcome, click.response_url, blocks, settings))


async def _submitted(door: SlackDoor, submission: Submission, speaker: Speaker, settings: Settings) -> Answer:
    try:
        context = context_of(submission.view.private_metadata)
    except InvalidButton as error:
        raise Rejected(422, "unreadable", str(error)) from None
    button = _button(context.action_id, context.value)
    if button.kind not in DIALOGS:
        raise Rejected(422, "unreadable", "the button has no dialog")
    work = door.under_way.begin(submit(door, submission, context, speaker, settings))
    await asyncio.wait({work}, timeout=ANSWER_SECONDS)
    if not work.done():
        door.under_way.follow(_after(door, work, button, context, speaker, settings))
        return None
    outcome = work.result()
    _note(door, button, outcome, speaker)
    if outcome.errors:
        return {"response_action": "errors", "errors": outcome.errors}
    door.under_way.follow(_tell_where(door, button, outcome, context, settings))
    return None


async def _shortcut(door: SlackDoor, shortcut: Shortcut, speaker: Speaker, settings: Settings) -> None:
    if shortcut.callback_id != ADD_TO_TIMELINE:
        raise Rejected(422, "unreadable", "the shortcut is not one of the runbook's")
    work = door.under_way.begin(add_message(door, shortcut, speaker, settings))
    await asyncio.wait({work}, timeout=ANSWER_SECONDS)
    if work.done():
        work.result()
    door.under_way.follow(_tell_alone(work, shortcut.response_url, settings))


async def _chosen(door: SlackDoor, submission: Submission, speaker: Speaker, settings: Settings) -> Answer:
    try:
        quote = carried_quote(submission.view.private_metadata)
    except InvalidQuote as error:
        raise Rejected(422, "unreadable", str(error)) from None
    work = door.under_way.begin(add_chosen(door, submission, quote, speaker, settings))
    await asyncio.wait({work}, timeout=ANSWER_SECONDS)
    if work.done() and (errors := work.result().errors):
        return {"response_action": "errors", "errors": errors}
    door.under_way.follow(_tell_alone(work, quote.response_url, settings))
    return None


async def _tell_alone(work: asyncio.Task[Outcome], url: str, settings: Settings) -> None:
    outcome = await work
    if outcome.said:
        target = await asyncio.to_thread(slack_target, settings.origin)
        await tell_privately(target, url, slack_lines(f"{outcome.said[:1].upper()}{outcome.said[1:]}"))


async def _after(
    door: SlackDoor,
    work: asyncio.Task[Outcome],
    button: Button,
    context: Context,
    speaker: Speaker,
    settings: Settings,
) -> None:
    """Tell what became of a dialog that took so long that it was closed."""
    outcome = await work
    _note(door, button, outcome, speaker)
    await _tell_where(door, button, outcome, context, settings)


async def _tell_where(
    door: SlackDoor, button: Button, outcome: Outcome, context: Context, settings: Settings
) -> None:
    """Tell what became of a dialog where its button was clicked."""
    blocks = door.under_way.remembered(context.ts)
    await _tell(door, button, outcome, context.response_url, blocks, settings)


async def _tell(
    door: SlackDoor,
    button: Button,
    outcome: Outcome,
    url: str,
    blocks: Sequence[Block],
    settings: Settings,
) -> None:
    """Show the answer to everybody, wake its run, and tell the person what is for them alone."""
    target = await asyncio.to_thread(slack_target, settings.origin)
    standing, said = outcome.standing, outcome.said
    if standing is not None:
        if await may_show(door, button.incident, standing):
            await show_answer(target, url, blocks or [_asked(standing)], standing)
        if outcome.taken:  # not before: what the run shows then must not be replaced
            said = said or await wake(door, button.incident, standing)
    if said:
        text = SlackText(said) if outcome.blocks else slack_lines(f"{said[:1].upper()}{said[1:]}")
        await tell_privately(target, url, text, outcome.blocks)


def _asked(standing: Standing) -> Block:
    """What was asked, where the message is not known any more."""
    text = slack(standing.event.action_id)
    return {"type": "section", "text": {"type": "mrkdwn", "text": str(text), "verbatim": True}}


def _button(action_id: str, value: str) -> Button:
    try:
        return button_of(action_id, value)
    except InvalidButton as error:
        raise Rejected(422, "unreadable", str(error)) from None


def _note(door: SlackDoor, button: Button, outcome: Outcome, speaker: Speaker) -> None:
    if not outcome.refused and outcome.standing is None:  # the run of an answer is woken, and shows it
        door.people.acted.set()
    log_event(
        log,
        "clicked in Slack",
        act=button.kind.value,
        incident=button.incident,
        by=speaker.name,
        how=speaker.identity.how.value,
        refused=outcome.refused,
    )
