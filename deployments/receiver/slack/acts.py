"""What a click or a dialog in Slack does, and what its person is told of it."""

from blocks.transport.errors import OutsideError
from blocks.transport.prefect_api import prefect_client
from deployments.receiver.people.requests import environments
from deployments.receiver.slack.outcome import Outcome, told, why
from deployments.receiver.slack.proving import require_listed, under_its_policy
from deployments.receiver.slack.requests import SlackDoor
from deployments.receiver.slack.roles import act_and_note, act_in_slack, hand_over_packet
from deployments.receiver.slack.settings import slack_target
from deployments.receiver.slack.telling import open_dialog
from deployments.services.clicking import AlreadyAnswered, answer_question, asked_by, wake_for
from deployments.services.finding import find_own
from deployments.services.refusals import ActRefused, Refusal
from deployments.services.runs import PrefectRuns
from deployments.services.severity import set_severity
from deployments.services.speaker import Speaker
from deployments.settings.settings import Settings
from runbook.actions.catalogue import ChangePlan
from runbook.approvals.gates import SNOOZE_MINUTES, Answer, Choice
from runbook.channels.buttons import ANSWERS, PUBLIC_TEXT, Button, ButtonKind
from runbook.incidents.incident import Incident
from runbook.interactions.modals import DIALOGS, Context, carried, dialog
from runbook.interactions.payloads import Click, Submission, View
from runbook.interactions.questions import Standing, standing_answer, was_asked_again
from runbook.interactions.submissions import (
    InvalidSubmission,
    act_of,
    act_of_click,
    edit_of,
    field_of,
    note_with,
    rejection_of,
    severity_of,
    shown,
)
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy

WAKING_SECONDS = 30.0
"""How long Prefect may take to wake a run that is answered. The answer is in the journal by then."""


async def press(
    door: SlackDoor, click: Click, button: Button, speaker: Speaker, settings: Settings
) -> Outcome:
    """Do what a button says, or open its dialog."""
    try:
        incident = await _incident(door, button, settings)
        speaker, settings = await under_its_policy(incident, click.user, settings)
    except (ActRefused, OutsideError) as error:
        return Outcome(said=why(error, speaker), refused=True)
    try:
        if button.kind in DIALOGS:
            return await _open(door, click, button, incident, settings)
        return await _do(door, click, button, incident, speaker, settings)
    except AlreadyAnswered as error:
        return Outcome(said=why(error, speaker), standing=error.standing, refused=True)
    except (ActRefused, OutsideError) as error:
        standing = standing_answer(incident, button.gate)
        return Outcome(said=why(error, speaker), standing=standing, refused=True)


async def submit(
    door: SlackDoor, submission: Submission, context: Context, speaker: Speaker, settings: Settings
) -> Outcome:
    """Do what a dialog says; what is wrong with it is told at its fields."""
    view, button = submission.view, context.button
    try:
        incident = await _incident(door, button, settings)
        speaker, settings = await under_its_policy(incident, submission.user, settings)
        return await _submit(door, view, context, incident, speaker, settings)
    except InvalidSubmission as error:
        return Outcome(errors=error.errors, said=str(error), refused=True)
    except (ActRefused, OutsideError) as error:
        said = why(error, speaker)
        problem = error.problem if isinstance(error, ActRefused) else error.detail
        errors = {field_of(button.kind, view, problem): shown(said)}
        return Outcome(errors=errors, said=said, refused=True)


async def wake(door: SlackDoor, incident: str, standing: Standing) -> str:
    """Wake the run that waits for an answer; why it does not wake yet, in words."""
    try:
        async with prefect_client(within=WAKING_SECONDS) as client:
            await wake_for(door.people.store, incident, standing, PrefectRuns(client))
    except ActRefused as error:
        return f"{error.problem}; {error.next_step}"
    except OutsideError as error:
        away = f"{error.system}: {error.detail}"
        return f"your answer is recorded, and its run goes on once Prefect answers ({away})"
    return ""


async def may_show(door: SlackDoor, incident: str, standing: Standing) -> bool:
    """Whether the message of a question may show this answer.

    Its run changes that message once it asks again: with an older answer its new buttons would be gone.
    """
    try:
        return not was_asked_again(await door.people.store.read(incident), standing.event)
    except OutsideError:  # the run shows it, too
        return False


async def _incident(door: SlackDoor, button: Button, settings: Settings) -> Incident:
    found = await find_own(door.people.store, button.incident, environments(settings))
    if found.id != button.incident:
        raise ActRefused(Refusal.NOT_FOUND, "there is no such incident", "`runbook incidents` lists them")
    return found


async def _open(
    door: SlackDoor, click: Click, button: Button, incident: Incident, settings: Settings
) -> Outcome:
    """Open the dialog of a button, of a question or a public text only while that is open."""
    plan = asked_by(incident, button, settings.policy) if button.kind in ANSWERS | PUBLIC_TEXT else None
    if button.kind is ButtonKind.EDIT and plan is not None and not plan.action.spec.editable:
        raise ActRefused(Refusal.INVALID, "nothing of this change can be edited", "approve or reject it")
    if button.kind not in (*ANSWERS, *PUBLIC_TEXT, ButtonKind.NOTE) and incident.closed:
        raise ActRefused(Refusal.NOTHING, f"{incident.id} is closed", "a note is still taken")
    context = carried(
        button, response_url=click.response_url, ts=click.message.ts, reopened=incident.reopened
    )
    policy = policy_in_force(incident, settings.policy)
    view = dialog(context, incident, policy, plan)
    if button.kind in ANSWERS:
        door.under_way.remember(click.message.ts, click.message.blocks)
    await open_dialog(slack_target(settings.origin), click.trigger_id, view)
    return Outcome()


async def _do(
    door: SlackDoor,
    click: Click,
    button: Button,
    incident: Incident,
    speaker: Speaker,
    settings: Settings,
) -> Outcome:
    match button.kind:
        case ButtonKind.APPROVE:
            approval = Answer(choice=Choice.APPROVE, approver=speaker.name, channel="slack")
            return await _answer(door, button, incident, approval, speaker, settings)
        case ButtonKind.SNOOZE:
            later = Answer(
                choice=Choice.SNOOZE,
                approver=speaker.name,
                channel="slack",
                snooze_minutes=SNOOZE_MINUTES,
            )
            return await _answer(door, button, incident, later, speaker, settings)
        case ButtonKind.PACKET:
            require_listed(speaker)
            return await hand_over_packet(incident, settings)
        case _:
            act, key = act_of_click(button), f"slack:{click.user.id}:{click.pressed.action_ts}"
            return Outcome(said=told(await act_in_slack(door, incident, act, key, speaker, settings)))


async def _submit(
    door: SlackDoor,
    view: View,
    context: Context,
    incident: Incident,
    speaker: Speaker,
    settings: Settings,
) -> Outcome:
    button, key = context.button, f"slack:{view.id}"
    match button.kind:
        case ButtonKind.REJECT:
            return await _answer(door, button, incident, rejection_of(view, speaker.name), speaker, settings)
        case ButtonKind.EDIT:

            def edit(plan: ChangePlan, policy: Policy) -> Answer:
                return edit_of(view, speaker.name, plan, policy)

            standing = await answer_question(
                door.people.store,
                incident,
                button,
                Choice.EDIT,
                edit,
                policy=settings.policy,
                speaker=speaker,
            )
            return Outcome(standing=standing, taken=True)
        case ButtonKind.SEVERITY:
            severity, reason = severity_of(view)
            done = await set_severity(
                door.people.store,
                incident,
                severity,
                reason=reason,
                speaker=speaker,
                policy=settings.policy,
                key=key,
            )
            return Outcome(said=done.said)
        case ButtonKind.FALSE_ALARM | ButtonKind.STATE if context.reopened != incident.reopened:
            raise ActRefused(
                Refusal.NOTHING,
                "the incident was reopened after this was opened",
                "look at it, then click again",
            )
        case _:
            act = act_of(button, view)
            note = note_with(view, act.name) if button.kind is ButtonKind.HAND_OVER else None
            return await act_and_note(door, incident, act, note, key, speaker, settings)


async def _answer(
    door: SlackDoor,
    button: Button,
    incident: Incident,
    answer: Answer,
    speaker: Speaker,
    settings: Settings,
) -> Outcome:
    standing = await answer_question(
        door.people.store,
        incident,
        button,
        answer.choice,
        lambda _plan, _policy: answer,
        policy=settings.policy,
        speaker=speaker,
    )
    return Outcome(standing=standing, taken=True)
