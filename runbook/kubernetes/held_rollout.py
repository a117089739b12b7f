"""A change that is in place while its rollout waits for a broken pod of an older revision.

A StatefulSet that updates in order replaces no pod before all others are ready, so a good template alone
cures nothing: the pod must be deleted. The template stays, and the deletion is asked for.
"""

from runbook.actions.catalogue import ActionResult, PlannedAction
from runbook.actions.spec import ActionSpec
from runbook.actions.specs.delete_pod import DELETE_POD
from runbook.incidents.incident import Incident

CONTINUES = "continues"
"""The parameter of a deletion that lets a rollout go on: the id of the action that began it."""

SOMEBODYS = "somebody's rollout"
"""Its value where none of ours began it."""


def deletion_for(held: ActionResult, pod: str, number: int) -> PlannedAction:
    """The deletion of the pod that a change's rollout waits for, the `number`-th of them."""
    return PlannedAction(
        id=f"{held.action.id}-delete-pod-{number}",
        name=DELETE_POD.name,
        target=held.action.target,
        because=f"{held.action.spec.title}: it is in place, and its rollout waits until {pod} is deleted, "
        "a pod of an older revision that is not ready",
        parameters={"pod": pod, CONTINUES: held.action.id},
    )


def proved_as(incident: Incident, action: PlannedAction) -> ActionSpec:
    """The change whose success proves an action: for a deletion that lets another one go on, that one's."""
    held = incident.previews.get(action.parameters.get(CONTINUES, ""))
    return held.action.spec if held else action.spec
