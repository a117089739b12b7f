"""Block Kit: a text in Slack's markup as sections with buttons below, within Slack's limits by construction.

An empty line of the text begins another section, except in code. What is too long is cut with a mark; the
plain text of the same message stays whole. Limits: Slack's Block Kit reference (blocks 50, a section's text
3,000, a button's text 75, its value 2,000) and `msg_blocks_too_long` of `chat.postMessage`, about 13,000.
"""

import json
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from runbook.channels.buttons import MAX_VALUE, Button, ButtonKind
from runbook.outside_text.slack import SlackText, cut_message

MOST_BLOCKS = 50
MOST_SECTION = 3_000
MOST_IN_SUM = 12_000
"""Characters of all blocks as JSON, with room below the 13,000 or so that Slack takes."""

MOST_BUTTON_TEXT = 75
MOST_IN_A_ROW = 5
"""Buttons beside each other: more of them Slack hides under "show more" on a phone."""

_LEAST_SECTION = 200
"""A section that would have less room than this is left out, and the cut marked in the one before."""

SlackBlock = dict[str, JsonValue]

LABELS: Mapping[ButtonKind, str] = {
    ButtonKind.APPROVE: "Approve",
    ButtonKind.REJECT: "Reject",
    ButtonKind.EDIT: "Edit",
    ButtonKind.SNOOZE: "Not yet",
    ButtonKind.TAKE: "Take the lead",
    ButtonKind.SEVERITY: "Change severity",
    ButtonKind.NOTE: "Add a note",
    ButtonKind.FALSE_ALARM: "False alarm",
    ButtonKind.UPDATE: "Update now",
    ButtonKind.PUBLISH: "Publish",
    ButtonKind.EDIT_TEXT: "Edit the text",
    ButtonKind.WITHHOLD: "Don't publish",
    ButtonKind.COMMS: "Take the communications lead",
    ButtonKind.SUPPORT: "Take support",
    ButtonKind.HAND_OVER: "Hand over",
    ButtonKind.PACKET: "Show the hand-over packet",
    ButtonKind.ACK: "Acknowledge",
    ButtonKind.LATER: "Snooze",
    ButtonKind.STATE: "Say the state",
}
_STYLES = {
    ButtonKind.APPROVE: "primary",
    ButtonKind.REJECT: "danger",
    ButtonKind.PUBLISH: "primary",
    ButtonKind.WITHHOLD: "danger",
}
_FENCE = "```"
_LEFT_OUT = SlackText("… (cut: the rest is where the link leads)")


def blocks_of(text: SlackText, buttons: Sequence[Button] = ()) -> list[SlackBlock]:
    """The blocks of a message. No buttons, no block of buttons: Slack takes none that is empty."""
    rows = _rows(buttons)
    room = MOST_IN_SUM - _size([*rows, _section(_LEFT_OUT)])
    most = MOST_BLOCKS - len(rows) - 1
    shown: list[SlackBlock] = []
    paragraphs = _paragraphs(text)
    for number, paragraph in enumerate(paragraphs):
        section = _fitting(paragraph, room) if number < most else None
        if section is None:
            shown.append(_section(_LEFT_OUT))
            break
        shown.append(section)
        room -= _size([section])
    return [*shown, *rows]


def _paragraphs(text: SlackText) -> list[SlackText]:
    """The text at its empty lines, without taking code apart."""
    found: list[list[str]] = [[]]
    in_code = False
    for line in str(text).split("\n"):
        if line.strip() or in_code:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
        in_code ^= line.count(_FENCE) % 2 == 1
    return [SlackText("\n".join(lines)) for lines in found if lines]


def _fitting(paragraph: SlackText, room: int) -> SlackBlock | None:
    """The paragraph as a section, cut to the room that there is; `None` where that would be next to none."""
    limit = MOST_SECTION
    while limit >= _LEAST_SECTION:
        section = _section(cut_message(paragraph, limit))
        over = _size([section]) - room
        if over <= 0:
            return section
        limit = min(limit, len(paragraph)) - max(over, 1)
    return None


def _section(text: SlackText) -> SlackBlock:
    """A section. `verbatim`: Slack looks for no addresses and names in it, only at its markup."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": str(text), "verbatim": True}}


def _rows(buttons: Sequence[Button]) -> list[SlackBlock]:
    elements: list[JsonValue] = [_button(button) for button in buttons if len(button.value) <= MAX_VALUE]
    rows = (elements[start : start + MOST_IN_A_ROW] for start in range(0, len(elements), MOST_IN_A_ROW))
    return [{"type": "actions", "elements": row} for row in rows]


def _button(button: Button) -> JsonValue:
    label: JsonValue = {"type": "plain_text", "text": LABELS[button.kind][:MOST_BUTTON_TEXT], "emoji": False}
    made: SlackBlock = {
        "type": "button",
        "action_id": button.action_id,
        "text": label,
        "value": button.value,
    }
    return made | ({"style": _STYLES[button.kind]} if button.kind in _STYLES else {})


def _size(blocks: Sequence[SlackBlock]) -> int:
    return len(json.dumps(list(blocks), ensure_ascii=False))
