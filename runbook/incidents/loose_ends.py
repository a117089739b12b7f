"""What an incident leaves behind for people to take care of."""

from runbook.actions.catalogue import TEMPORARY_SWITCHES, ActionOutcome, ChangePlan, PlannedAction, undo_of
from runbook.actions.spec import ActionKind, ActionName
from runbook.actions.specs.undo import UNDO
from runbook.alerts.alert import Alert
from runbook.checks.findings import Finding
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.incidents.events import (
    AlertJoined,
    AlertsResolved,
    ChangeReverted,
    IncidentMerged,
    SwitchChecked,
)
from runbook.incidents.incident import Incident

IN_FORCE = frozenset(
    {
        ActionOutcome.DONE,
        ActionOutcome.RECOVERED,
        ActionOutcome.NOT_RECOVERED,
        ActionOutcome.ALREADY_IN_PLACE,
        ActionOutcome.UNKNOWN,
        ActionOutcome.BY_HAND,
    }
)
"""Outcomes after which a change is, or may be, in force: also one that did not help."""


def switches_left_on(incident: Incident) -> tuple[PlannedAction, ...]:
    """Temporary switches that were turned on and not off again, in the order in which they were.

    One that was found off after the incident's end, or reverted before, was taken off by somebody else.
    """
    on: dict[ActionName, PlannedAction] = {}
    for result in incident.results.values():
        name = result.action.name
        if name == UNDO.name and result.outcome in IN_FORCE:
            undone = result.action.parameters["undoes"]
            on = {name: action for name, action in on.items() if action.id != undone}
            continue
        if result.outcome not in IN_FORCE:
            continue
        if name in TEMPORARY_SWITCHES:
            on[name] = result.action
        for switched_on, off in TEMPORARY_SWITCHES.items():
            if name == off:
                on.pop(switched_on, None)
    reverted = {event.action_id for event in incident.events(ChangeReverted)}
    found_off = {event.action_id for event in incident.events(SwitchChecked) if event.on is False}
    return tuple(action for action in on.values() if action.id not in found_off | reverted)


def switches_to_take_off(incident: Incident) -> tuple[PlannedAction, ...]:
    """The switches left on that this incident has turned on, or saw being turned on.

    One that was on before the incident looked is its owner's: what it was before that is not known.
    """
    previews = incident.previews
    return tuple(
        action
        for action in switches_left_on(incident)
        if action.id not in previews or not previews[action.id].in_place
    )


def removal_of(switched_on: PlannedAction) -> PlannedAction:
    """The action that takes a temporary switch off again, at the end of the incident.

    Raises:
        KeyError: the action turns no temporary switch on.
    """
    return PlannedAction(
        id=removal_id(switched_on),
        name=TEMPORARY_SWITCHES[switched_on.name],
        target=switched_on.target,
        because="the incident is over: the temporary switch is no longer needed",
    )


def removal_id(switched_on: PlannedAction) -> str:
    """The id of the action that takes the switch of this one off again."""
    return f"{switched_on.id}-off"


def switched_on_by(incident: Incident, removal: PlannedAction) -> str:
    """The id of the action whose switch a removal takes off; empty where this incident turned none on."""
    switched_on = [
        action.id
        for action in switches_left_on(incident)
        if (TEMPORARY_SWITCHES[action.name], action.target) == (removal.name, removal.target)
    ]
    return switched_on[-1] if switched_on else ""


def changes_in_force(incident: Incident) -> tuple[ChangePlan, ...]:
    """The changes that the runbook made for sure and has not begun to take back, and nobody has reverted."""
    reverted = {event.action_id for event in incident.events(ChangeReverted)}
    made = _actions_with(incident, frozenset({EffectOutcome.APPLIED}))
    begun = _actions_with(incident, frozenset({None, EffectOutcome.APPLIED, EffectOutcome.UNSETTLED}))
    return tuple(
        incident.previews[action_id]
        for action_id, result in incident.results.items()
        if result.outcome in _MADE and action_id in incident.previews
        if action_id in made and action_id not in reverted
        if not begun & {undo_of(result.action).id, removal_id(result.action)}
    )


def _actions_with(incident: Incident, outcomes: frozenset[EffectOutcome | None]) -> set[str]:
    """The ids of the actions of which a change of the cluster ended in one of these ways."""
    return {
        effect.owner
        for effect in incident.effects.values()
        if effect.is_change and effect.outcome in outcomes
    }


_MADE = frozenset({ActionOutcome.RECOVERED, ActionOutcome.NOT_RECOVERED, ActionOutcome.UNKNOWN})
"""Outcomes after which what the runbook itself has set should be there."""


def hand_offs(incident: Incident) -> tuple[PlannedAction, ...]:
    """What only a person can do, whether or not the run came as far as handing it over."""
    decided = incident.decision.plan if incident.decision else ()
    handed = [result.action for result in incident.results.values()]
    actions = {action.id: action for action in (*decided, *handed) if action.spec.kind is ActionKind.HAND_OFF}
    return tuple(actions.values())


def unknown_checks(incident: Incident) -> tuple[Finding, ...]:
    """Checks of the newest triage that could not tell."""
    return incident.findings.unknowns if incident.findings else ()


def effects_in_doubt(incident: Incident) -> tuple[Effect, ...]:
    """Effects in doubt: it is not known whether they happened."""
    return tuple(effect for effect in incident.effects.values() if effect.in_doubt)


def alert_since_end(incident: Incident) -> Alert | None:
    """The newest alert that has begun since the response ended and still fires; `None` where none has.

    Those of a merged incident belong to the other one.
    """
    if incident.end is None or isinstance(incident.end.event, IncidentMerged):
        return None
    later = [item.event for item in incident.journal if item.seq > incident.end.seq]
    joined_or_resolved = [event for event in later if isinstance(event, AlertJoined | AlertsResolved)]
    newest = joined_or_resolved[-1] if joined_or_resolved else None
    return newest.alert if isinstance(newest, AlertJoined) else None
