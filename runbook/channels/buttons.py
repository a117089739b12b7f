"""The buttons under a message in a chat: what each one does, and the exact question that it belongs to.

A channel carries a button as two short texts, `action_id` and `value`, and gives both back with the click. So
the button of an old question says which question that was, and is never taken for the present one.
"""

from enum import StrEnum

from pydantic import Field, ValidationError

from runbook.value import Value

_PREFIX = "runbook."
MAX_VALUE = 2_000
"""Characters of a button's value that Slack takes (Block Kit reference, button element)."""


class ButtonKind(StrEnum):
    """What a click asks for: the first four answer a question, and three say what becomes of a text
    for the public. The others belong to the incident; `later` puts a clock's reminder off.
    """

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    SNOOZE = "snooze"
    TAKE = "take"
    SEVERITY = "severity"
    NOTE = "note"
    FALSE_ALARM = "false-alarm"
    UPDATE = "update"
    PUBLISH = "publish"
    EDIT_TEXT = "edit-text"
    WITHHOLD = "withhold"
    COMMS = "comms"
    SUPPORT = "support"
    HAND_OVER = "hand-over"
    PACKET = "packet"
    ACK = "ack"
    LATER = "later"
    STATE = "state"


ANSWERS = frozenset({ButtonKind.APPROVE, ButtonKind.REJECT, ButtonKind.EDIT, ButtonKind.SNOOZE})
"""What answers a question, and so carries its gate and the digest of its plan."""


PUBLIC_TEXT = frozenset({ButtonKind.PUBLISH, ButtonKind.EDIT_TEXT, ButtonKind.WITHHOLD})
"""What is about a text for the public, and so carries its digest as `plan`."""


class InvalidButton(ValueError):
    """What came back with a click is no button of the runbook."""


class Button(Value):
    """A button. `gate` and `plan` (its digest) are the question's; empty where it belongs to the incident.

    Of a public text, `plan` is the digest; of a clock's reminder, `gate` is the key.
    """

    kind: ButtonKind
    incident: str = Field(min_length=1, max_length=200)
    gate: str = Field(default="", max_length=400)
    plan: str = Field(default="", max_length=128)

    @property
    def action_id(self) -> str:
        """What the channel names the button by."""
        return f"{_PREFIX}{self.kind.value}"

    @property
    def value(self) -> str:
        """What the channel gives back with a click."""
        return self.model_dump_json(include={"incident", "gate", "plan"})


def button_of(action_id: str, value: str) -> Button:
    """The button that was clicked.

    Raises:
        InvalidButton: it is none of ours, or an answer that does not say to which question.
    """
    name = action_id.removeprefix(_PREFIX)
    if name == action_id or name not in {kind.value for kind in ButtonKind}:
        raise InvalidButton("the action is not one of the runbook's")
    try:
        places = _Places.model_validate_json(value)
    except ValidationError:
        raise InvalidButton("the value does not name an incident") from None
    button = Button(kind=ButtonKind(name), incident=places.incident, gate=places.gate, plan=places.plan)
    if button.kind in ANSWERS and not (button.gate and button.plan):
        raise InvalidButton("the answer does not name its question")
    if button.kind in PUBLIC_TEXT and not button.plan:
        raise InvalidButton("the button does not name its text")
    if button.kind is ButtonKind.LATER and not button.gate:
        raise InvalidButton("the button does not name its reminder")
    return button


class _Places(Value):
    incident: str = Field(min_length=1, max_length=200)
    gate: str = Field(default="", max_length=400)
    plan: str = Field(default="", max_length=128)
