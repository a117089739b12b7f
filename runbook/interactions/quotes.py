"""A message of the chat that somebody adds to an incident's timeline: whose it is, when, and what it says.

Source: Slack's reference of message shortcuts (`message_action`). The link is the one that "Copy link" gives.
"""

import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, ValidationError

from runbook.approvals.acts import Act, ActKind
from runbook.approvals.people import People, known_as
from runbook.channels.wording import count
from runbook.incidents.incident import Incident
from runbook.interactions.payloads import Shortcut
from runbook.outside_text import let_in, let_in_line
from runbook.value import Value

ADD_TO_TIMELINE = "runbook.add-to-timeline"
"""The callback id of the shortcut, and of the dialog that it opens."""

INCIDENT_FIELD = "incident"
MOST_QUOTED = 3_000
"""Characters of a message; a note has room for a little more."""

MOST_CARRIED = 3_000
MOST_OFFERED = 100
_LEAST = 100
_MENTION = re.compile(r"<@([UW][A-Z0-9]{1,40})(?:\|[^<>]*)?>")

_ENTITY = re.compile(r"&(?:amp|lt|gt);")
"""All that Slack writes so."""


class InvalidQuote(ValueError):
    """A dialog that carries no message of ours."""


class Quote(Value):
    """A message: what the note says, where it is (`channel`, `ts`), and where to tell what became of it."""

    text: str = Field(max_length=MOST_CARRIED + 500)
    channel: str = Field(pattern=r"^[CDG][A-Z0-9]{1,40}$")
    ts: str = Field(pattern=r"^[0-9]{1,10}\.[0-9]{1,6}$")
    response_url: str = Field(default="", max_length=1_000)

    @property
    def key(self) -> str:
        """What the journal takes it under: the same message is one note, whoever adds it."""
        return f"slack:message:{self.channel}:{self.ts}"

    @property
    def act(self) -> Act:
        """The note, at the time of the message."""
        at = datetime.fromtimestamp(float(self.ts), UTC)
        return Act(kind=ActKind.NOTE, text=self.text, at=at.isoformat())


def quote_of(shortcut: Shortcut, people: People, most: int = MOST_QUOTED) -> Quote:
    """The message of a shortcut, masked and then cut; its author by the name in the settings."""
    told = shortcut.message
    author = known_as(told.user, people) if told.user else told.username or "an app"
    text = let_in(as_written(told.text, people), most).strip() or "(no text)"
    return Quote(
        text=f"{let_in_line(author, 100)} wrote in Slack: {text}{_link(shortcut)}",
        channel=shortcut.channel.id,
        ts=told.ts,
        response_url=shortcut.response_url,
    )


def as_written(text: str, people: People) -> str:
    """A text of Slack's as its author sees it: people by their names in the settings, no entities."""
    named = _MENTION.sub(lambda found: f"@{known_as(found[1], people)}", text)
    return _ENTITY.sub(lambda found: html.unescape(found.group()), named)


def carried(shortcut: Shortcut, people: People) -> str:
    """The message as a dialog carries it: cut to the room that there is."""
    most = MOST_QUOTED
    while True:
        metadata = quote_of(shortcut, people, most).model_dump_json()
        over = len(metadata) - MOST_CARRIED
        if over <= 0 or most <= _LEAST:
            return metadata
        most = max(_LEAST, min(most, len(shortcut.message.text)) - over)


def carried_quote(metadata: str) -> Quote:
    """What a dialog has carried.

    Raises:
        InvalidQuote: it is none of ours.
    """
    try:
        return Quote.model_validate_json(metadata)
    except ValidationError:
        raise InvalidQuote("the dialog does not carry a message") from None


def incident_of_thread(shortcut: Shortcut, incidents: Sequence[Incident]) -> Incident | None:
    """The incident whose thread a message is in: one that has sent what the thread hangs on."""
    thread = shortcut.message.thread_ts or shortcut.message.ts
    place = (shortcut.channel.id, thread)
    for incident in incidents:
        for effect in incident.effects.values():
            if (effect.receipt.get("channel"), effect.receipt.get("ts")) == place:
                return incident
    return None


def choice(metadata: str, incidents: Sequence[Incident]) -> dict[str, Any]:
    """The dialog that asks for the incident: of the open ones, the newest a hundred."""
    offered = incidents[:MOST_OFFERED]
    options = [
        {
            "text": _plain(f"{each.id}: {let_in_line(each.alert.name, 200)} ({each.service})"),
            "value": each.id,
        }
        for each in offered
    ]
    about = f"{count(len(incidents), 'incident')} open. The message is in no incident's thread."
    return {
        "type": "modal",
        "callback_id": ADD_TO_TIMELINE,
        "private_metadata": metadata,
        "title": _plain("Add to timeline"),
        "submit": _plain("Add it"),
        "close": _plain("Cancel"),
        "blocks": [
            {"type": "section", "text": _plain(about)},
            {
                "type": "input",
                "block_id": INCIDENT_FIELD,
                "label": _plain("Incident"),
                "element": {"type": "static_select", "action_id": "value", "options": options},
            },
        ],
    }


def _link(shortcut: Shortcut) -> str:
    """Where the message is; empty where the workspace's address is not told."""
    told, domain = shortcut.message, shortcut.team.domain if shortcut.team else ""
    if not domain:
        return ""
    thread = f"?thread_ts={told.thread_ts}&cid={shortcut.channel.id}" if told.thread_ts else ""
    return f"\nhttps://{domain}.slack.com/archives/{shortcut.channel.id}/p{told.ts.replace('.', '')}{thread}"


def _plain(text: str, limit: int = 75) -> dict[str, str]:
    return {"type": "plain_text", "text": text if len(text) <= limit else f"{text[: limit - 1]}…"}
