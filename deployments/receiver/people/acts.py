"""What people do about an incident beside answering, as the API takes it: bodies, and what they ask for."""

from typing import Literal

from pydantic import Field

from blocks.transport.prefect_api import prefect_client
from deployments.receiver.people.requests import Body, PeoplesDoor, environments, under_its_policy
from deployments.services.acting import act_on_incident
from deployments.services.finding import find_own
from deployments.services.speaker import Speaker
from deployments.settings.settings import Settings
from runbook.approvals.acts import Act, ActKind
from runbook.approvals.names import MAX_NAME
from runbook.clocks.snoozing import MOST_MINUTES, SNOOZE_MINUTES
from runbook.outside_text import MAX_TEXT
from runbook.public.answers import MOST_TITLE
from tasks.acts import Acted


class LeadBody(Body):
    """Who leads: the incident, the communication with customers, or support."""

    name: str = Field(
        default="", max_length=MAX_NAME, description="A name or login of the settings, or any; empty: you."
    )


class NoteBody(Body):
    """What happened."""

    text: str = Field(min_length=1, max_length=MAX_TEXT)
    at: str = Field(
        default="",
        max_length=40,
        description="ISO 8601 with a zone, or HH:MM in the policy's time zone; empty: it happened now.",
    )


async def set_lead(
    door: PeoplesDoor, reference: str, body: LeadBody, speaker: Speaker, settings: Settings
) -> Acted:
    """Take the lead, or hand it to somebody."""
    kind = ActKind.ASSIGN if body.name else ActKind.TAKE
    return await _act(door, reference, Act(kind=kind, name=body.name), speaker, settings)


async def set_comms_lead(
    door: PeoplesDoor, reference: str, body: LeadBody, speaker: Speaker, settings: Settings
) -> Acted:
    """Say who leads the communication with customers."""
    return await _act(door, reference, Act(kind=ActKind.COMMS, name=body.name), speaker, settings)


async def set_support(
    door: PeoplesDoor, reference: str, body: LeadBody, speaker: Speaker, settings: Settings
) -> Acted:
    """Say who follows it for support."""
    return await _act(door, reference, Act(kind=ActKind.SUPPORT, name=body.name), speaker, settings)


async def add_note(
    door: PeoplesDoor, reference: str, body: NoteBody, speaker: Speaker, settings: Settings
) -> Acted:
    """Write a note."""
    act = Act(kind=ActKind.NOTE, text=body.text, at=body.at)
    return await _act(door, reference, act, speaker, settings)


async def acknowledge(
    door: PeoplesDoor, reference: str, _: Body, speaker: Speaker, settings: Settings
) -> Acted:
    """Acknowledge the incident."""
    return await _act(door, reference, Act(kind=ActKind.ACK), speaker, settings)


async def ask_for_update(
    door: PeoplesDoor, reference: str, _: Body, speaker: Speaker, settings: Settings
) -> Acted:
    """Have the team told now where things stand."""
    return await _act(door, reference, Act(kind=ActKind.UPDATE), speaker, settings)


class SnoozeBody(Body):
    """That a clock's reminder comes again later."""

    minutes: int = Field(
        default=SNOOZE_MINUTES,
        ge=1,
        le=MOST_MINUTES,
        description="Until then; never later than the moment at which the clock runs out.",
    )
    reminder: str = Field(
        default="", max_length=200, description="The reminder, by its key; empty: the newest."
    )


async def snooze(
    door: PeoplesDoor, reference: str, body: SnoozeBody, speaker: Speaker, settings: Settings
) -> Acted:
    """Put the reminder of a clock off."""
    act = Act(kind=ActKind.SNOOZE, reminder=body.reminder, minutes=body.minutes)
    return await _act(door, reference, act, speaker, settings)


class ResolutionBody(Body):
    """That the incident is over."""

    outcome: Literal["recovered", "not-ours", "false-positive"]
    reason: str = Field(min_length=1, max_length=MAX_TEXT, description="Why it is over.")
    done: str = Field(default="", max_length=MAX_TEXT, description="What was done by hand; empty: nothing.")


class StateBody(Body):
    """The state, before the runbook has proved it."""

    state: Literal["identified", "monitoring"]
    reason: str = Field(min_length=1, max_length=MAX_TEXT, description="How you know.")


async def say_state(
    door: PeoplesDoor, reference: str, body: StateBody, speaker: Speaker, settings: Settings
) -> Acted:
    """Say the state on a person's word."""
    act = Act(kind=ActKind.STATE, state=body.state, text=body.reason)
    return await _act(door, reference, act, speaker, settings)


class ReopeningBody(Body):
    """That the incident is not over."""

    reason: str = Field(min_length=1, max_length=MAX_TEXT, description="What is wrong again.")


class MergerBody(Body):
    """That the incident is part of another one."""

    into: str = Field(min_length=1, max_length=100, description="The other incident, as in the path.")
    reason: str = Field(default="", max_length=MAX_TEXT)


async def resolve(
    door: PeoplesDoor, reference: str, body: ResolutionBody, speaker: Speaker, settings: Settings
) -> Acted:
    """End the incident on a person's word."""
    act = Act(kind=ActKind.RESOLVE, outcome=body.outcome, text=body.reason, done=body.done)
    return await _act(door, reference, act, speaker, settings)


async def reopen(
    door: PeoplesDoor, reference: str, body: ReopeningBody, speaker: Speaker, settings: Settings
) -> Acted:
    """Go on with an incident that was closed."""
    return await _act(door, reference, Act(kind=ActKind.REOPEN, text=body.reason), speaker, settings)


async def merge(
    door: PeoplesDoor, reference: str, body: MergerBody, speaker: Speaker, settings: Settings
) -> Acted:
    """Go on with it in another incident."""
    into = await find_own(door.store, body.into, environments(settings))
    act = Act(kind=ActKind.MERGE, into=into.id, text=body.reason)
    return await _act(door, reference, act, speaker, settings)


class PublicationBody(Body):
    """That a text for the public goes out."""

    proposal: str = Field(
        max_length=64, description="The digest of the text that you have read, or its beginning."
    )
    text: str = Field(
        default="", max_length=MAX_TEXT, description="The words to publish instead; empty: its own."
    )
    title: str = Field(
        default="",
        max_length=MOST_TITLE,
        description="The title to publish instead; empty: its own. incident.io keeps that of an open entry.",
    )


class WithholdingBody(Body):
    """That a text for the public does not go out."""

    proposal: str = Field(
        max_length=64, description="The digest of the text that you have read, or its beginning."
    )
    reason: str = Field(min_length=1, max_length=MAX_TEXT, description="Why the public is not told.")


async def publish(
    door: PeoplesDoor, reference: str, body: PublicationBody, speaker: Speaker, settings: Settings
) -> Acted:
    """Let a text be published."""
    act = Act(kind=ActKind.PUBLISH, proposal=body.proposal, text=body.text, title=body.title)
    return await _act(door, reference, act, speaker, settings)


async def withhold(
    door: PeoplesDoor, reference: str, body: WithholdingBody, speaker: Speaker, settings: Settings
) -> Acted:
    """Keep a text from the page."""
    act = Act(kind=ActKind.WITHHOLD, proposal=body.proposal, text=body.reason)
    return await _act(door, reference, act, speaker, settings)


async def _act(door: PeoplesDoor, reference: str, act: Act, speaker: Speaker, settings: Settings) -> Acted:
    found = await find_own(door.store, reference, environments(settings))
    speaker, policy = await under_its_policy(found, speaker, settings)
    return await act_on_incident(
        door.store, found, act, speaker=speaker, policy=policy, prefect=prefect_client
    )
