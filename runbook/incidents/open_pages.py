"""Which pages the end of an incident resolves: those about something that the recovery has resolved."""

from datetime import datetime

from runbook.actions.catalogue import TEMPORARY_SWITCHES, ActionOutcome, ActionResult
from runbook.caretaking.watchdog import changes_in_doubt
from runbook.checks.watching import watching_since
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import ActionFinished, IncidentEscalated
from runbook.incidents.incident import Incident
from runbook.incidents.loose_ends import switches_left_on

PUT_BACK = (
    ActionOutcome.DONE,
    ActionOutcome.ALREADY_IN_PLACE,
    ActionOutcome.NOT_RECOVERED,
    ActionOutcome.BY_HAND,
)
"""Ends of an undo after which nothing of the change is left, whether or not its pods were well."""


def open_pages(incident: Incident) -> frozenset[int]:
    """The numbers (from 1, in the order of sending) of the pages that stay open after a recovery.

    A change may be half made, not undone, or in doubt; and what went wrong after the recovery, such as the
    removal of a switch, is not resolved by an earlier recovery. Some pages are resolved by no recovery.
    """
    pages = enumerate(incident.events(IncidentEscalated), 1)
    return frozenset(number for number, page in pages if page.outlasts or _is_open(incident, page.about))


def _is_open(incident: Incident, action_id: str) -> bool:
    in_doubt = {effect.owner for effect in changes_in_doubt(incident)}
    if not action_id:
        return bool(in_doubt)
    undo = _undo_of(incident, action_id)
    if in_doubt & {action_id, undo.action.id if undo else action_id}:
        return True
    result = incident.results.get(action_id)
    if result is None:
        return False
    if undo is not None and undo.outcome not in PUT_BACK:
        return result.action.name not in TEMPORARY_SWITCHES or _left_on(incident, action_id)
    if result.outcome is ActionOutcome.FAILED and _made_in_part(incident, action_id):
        return True
    if result.outcome in (ActionOutcome.FAILED, ActionOutcome.BLOCKED) and _removes_a_switch(result):
        return _left_on(incident, action_id)
    return _ended_at(incident, action_id) > watching_since(incident)


def _undo_of(incident: Incident, action_id: str) -> ActionResult | None:
    undos = (it for it in incident.results.values() if it.action.parameters.get("undoes") == action_id)
    return next(undos, None)


def _made_in_part(incident: Incident, action_id: str) -> bool:
    return any(effect.outcome is EffectOutcome.APPLIED for effect in incident.steps_of(action_id))


def _removes_a_switch(result: ActionResult) -> bool:
    return result.action.name in TEMPORARY_SWITCHES.values()


def _left_on(incident: Incident, action_id: str) -> bool:
    """Whether the switch is left on that the action turned on, or was to take off."""
    action = incident.results[action_id].action
    return any(
        left.target == action.target and action.name in (left.name, TEMPORARY_SWITCHES[left.name])
        for left in switches_left_on(incident)
    )


def _ended_at(incident: Incident, action_id: str) -> datetime:
    ends = (
        item.at
        for item in reversed(incident.journal)
        if isinstance(item.event, ActionFinished) and item.event.result.action.id == action_id
    )
    return next(ends, incident.opened_at)
