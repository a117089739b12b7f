"""Read the target of effects in doubt, where no run continues that would do it."""

from runbook.caretaking.watchdog import changes_in_doubt
from runbook.incidents.effect_ids import EffectId
from tasks.actions.changes import steps_of
from tasks.actions.planned_change import change_of
from tasks.effects import read_outcome
from tasks.incident import OpenIncident
from tasks.lease import fence_off


async def read_changes_in_doubt(incident: OpenIncident) -> None:
    """Journal of each change in doubt whether its target shows it. Nothing is changed.

    Whoever might still be at it is fenced off first. What cannot be read stays in doubt.

    Raises:
        Unavailable: the incident store cannot be reached.
    """
    journal = await incident.read()
    in_doubt = {effect.id: effect for effect in changes_in_doubt(journal)}
    if not in_doubt:
        return
    await fence_off(incident)
    for plan in journal.previews.values():
        change = change_of(incident, journal, plan.action)
        if not any(effect.owner == plan.action.id for effect in in_doubt.values()):
            continue
        for step in steps_of(change, plan):
            effect = in_doubt.get(EffectId.of_step(change.effect_id, step.name))
            if effect is not None:
                await read_outcome(incident, effect, observe=step.observe, traces=step.traces)
