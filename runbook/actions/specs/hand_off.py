"""What only a person can do."""

from runbook.actions.spec import ActionKind, ActionName, ActionSpec

HAND_OFF = ActionSpec(
    name=ActionName("hand_off"),
    title="Hand over to a person",
    kind=ActionKind.HAND_OFF,
    success="the person has the text and acts outside of this runbook",
)
