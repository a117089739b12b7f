"""Effects, the actions that they belong to, and how both ended."""

from typing import Literal

from runbook.actions.catalogue import ActionResult
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import Effect
from runbook.incidents.events.base import JournalEvent
from runbook.kubernetes.ownership import Writing
from runbook.kubernetes.reversals import Reversal
from runbook.outside_text import OutsideLine, OutsideText


class EffectIntended(JournalEvent):
    """An effect is about to happen. Without an outcome after it, it may or may not have."""

    type: Literal["EffectIntended"] = "EffectIntended"
    effect: Effect


class EffectSettled(JournalEvent):
    """What became of an effect."""

    type: Literal["EffectSettled"] = "EffectSettled"
    effect: Effect


class ActionFinished(JournalEvent):
    """An action ended, in whichever way."""

    type: Literal["ActionFinished"] = "ActionFinished"
    result: ActionResult

    @property
    def journal_key(self) -> str:
        """Once for each action: the first end stands."""
        return f"finished:{self.result.action.id}"


class OutageNoted(JournalEvent):
    """The cluster did not answer when an approved action was to be taken; the action waits for it."""

    type: Literal["OutageNoted"] = "OutageNoted"
    action_id: str
    because: OutsideText


class OutageEnded(JournalEvent):
    """The cluster answers again, and the action that has waited for it continues."""

    type: Literal["OutageEnded"] = "OutageEnded"
    action_id: str


class ChangeReverted(JournalEvent):
    """Somebody else has changed what an action had set, after the action had ended."""

    type: Literal["ChangeReverted"] = "ChangeReverted"
    action_id: str
    reversal: Reversal

    @property
    def journal_key(self) -> str:
        """Once for each action."""
        return f"reverted:{self.action_id}"


class SwitchChecked(JournalEvent):
    """A temporary switch was checked after the incident's end, to notify people unless it is off.

    `switch` is `VARIABLE=value`. `on` is `None` if it is not known; `detail` says why. `told` is false
    where there is no channel to tell people in.
    """

    type: Literal["SwitchChecked"] = "SwitchChecked"
    action_id: str
    switch: OutsideLine
    on: bool | None
    detail: OutsideText = ""
    told: bool = True

    def key_of(self, number: int) -> str:
        """The key of the check of this switch with that number, counted from 1."""
        return f"switch-checked:{MessageName.switch_left_on(self.action_id, number)}"


class ManualChangeSeen(JournalEvent):
    """Somebody else has changed the workload while the incident was open: who, and when (aware UTC)."""

    type: Literal["ManualChangeSeen"] = "ManualChangeSeen"
    target: OutsideLine
    writing: Writing

    @property
    def journal_key(self) -> str:
        """Once for each time that somebody wrote it."""
        return f"manual:{self.writing.by}:{self.writing.at.isoformat() if self.writing.at else ''}"[:255]
