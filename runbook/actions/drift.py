"""What has changed on a target since a plan was made, so that people see why their approval is void."""

import difflib

from runbook.actions.catalogue import FINGERPRINT, ChangePlan, PlannedAction
from runbook.approvals.gates import Choice
from runbook.incidents.events import PlanDrifted
from runbook.incidents.incident import Incident

LINES_SHOWN = 20


def drift(old: ChangePlan, new: ChangePlan) -> tuple[str, ...]:
    """The reasons why `new` is another plan than `old`; empty where it is the same.

    Status-only changes are none: they are no part of what a plan is made on.
    """
    if new.known_as(old.digest) and (old.blocked, old.in_place) == (new.blocked, new.in_place):
        return ()
    return tuple(_ended(new) or _edited(old, new) or _changed_lines(old, new) or _hidden(old, new))


def voided_plans(journal: Incident, action: PlannedAction) -> list[PlanDrifted]:
    """The approvals of the action that became void because the target had changed, oldest first.

    A plan that a person has edited does not count.
    """
    edits = {
        event.plan_digest
        for event in journal.answers
        if event.action_id == action.id and event.answer.choice is Choice.EDIT
    }
    drifted = (event for event in journal.events(PlanDrifted) if event.action_id == action.id)
    return [event for event in drifted if event.voided and event.old_digest not in edits]


def _ended(new: ChangePlan) -> list[str]:
    if new.blocked:
        return [f"it is no longer possible: {new.blocked}"]
    return [f"it is no longer needed: {new.in_place}"] if new.in_place else []


def _edited(old: ChangePlan, new: ChangePlan) -> list[str]:
    before, after = old.action.parameters, new.action.parameters
    return [
        f"{name}: {before.get(name, 'not set')} → {after[name]}"
        for name in sorted(after)
        if before.get(name) != after[name]
    ]


def _changed_lines(old: ChangePlan, new: ChangePlan) -> list[str]:
    compared = difflib.unified_diff(old.live.splitlines(), new.live.splitlines(), n=0, lineterm="")
    lines = [line for line in list(compared)[2:] if not line.startswith("@@")]
    if len(lines) > LINES_SHOWN:
        return [*lines[:LINES_SHOWN], f"… and {len(lines) - LINES_SHOWN} more lines"]
    return lines


def _hidden(old: ChangePlan, new: ChangePlan) -> list[str]:
    """A change that masking hides, or a change of the request only."""
    before, after = old.basis | old.bound, new.basis | new.bound
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return [
        f"{name}: {old.bound[name]} → {new.bound[name]}"
        if _readable(old.bound.get(name)) and _readable(new.bound.get(name))
        else f"{name} has changed (its values are masked)"
        for name in names
    ] or ["the request itself has changed"]


def _readable(bound: str | None) -> bool:
    return bound is not None and not bound.startswith(FINGERPRINT)
