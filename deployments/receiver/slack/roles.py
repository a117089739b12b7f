"""What people do in Slack beside answering: roles, notes, an update; and the packet that is handed over."""

import asyncio
from datetime import UTC, datetime

from blocks.transport.prefect_api import prefect_client
from deployments.receiver.slack.outcome import Outcome, told
from deployments.receiver.slack.requests import SlackDoor
from deployments.services.acting import act_on_incident
from deployments.services.speaker import Speaker
from deployments.settings.settings import Settings
from runbook.approvals.acts import Act
from runbook.channels.cards.slack_blocks import blocks_of
from runbook.handover.in_slack import packet_in_slack
from runbook.handover.packet import packet_of
from runbook.incidents.incident import Incident
from runbook.outside_text.slack import SlackText, slack_lines
from tasks.acts import Acted


async def act_in_slack(
    door: SlackDoor, incident: Incident, act: Act, key: str, speaker: Speaker, settings: Settings
) -> Acted:
    """Journal an act once for each key, as at every other door.

    Raises:
        ActRefused: it is not complete, or this person may not.
        Unavailable: the store cannot be reached.
    """
    return await act_on_incident(
        door.people.store,
        incident,
        act,
        speaker=speaker,
        policy=settings.policy,
        prefect=prefect_client,
        key=key,
    )


async def act_and_note(
    door: SlackDoor,
    incident: Incident,
    act: Act,
    note: Act | None,
    key: str,
    speaker: Speaker,
    settings: Settings,
) -> Outcome:
    """Journal an act, and a note that goes with it under a key of its own.

    Raises:
        ActRefused: one of them is not complete, or this person may not.
        Unavailable: the store cannot be reached.
    """
    said = told(await act_in_slack(door, incident, act, key, speaker, settings))
    if note is not None:
        noted = await act_in_slack(door, incident, note, f"{key}:note", speaker, settings)
        said = f"{said}\n{told(noted)}"
    return Outcome(said=said)


async def hand_over_packet(incident: Incident, settings: Settings, *, after: str = "") -> Outcome:
    """The packet as it is true now, for whoever asks alone, after what was done for it."""
    text = await asyncio.to_thread(_packet, incident, settings)
    shown = SlackText(f"{slack_lines(after)}\n\n{text}") if after else text
    return Outcome(said=str(shown), blocks=blocks_of(shown))


def _packet(incident: Incident, settings: Settings) -> SlackText:
    return packet_in_slack(packet_of(incident, settings.policy, now=datetime.now(UTC)))
