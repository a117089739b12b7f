"""What a person types where the runbook cannot go on."""

from blocks.kubernetes.cluster import Cluster
from runbook.actions.by_hand import Target, deletion_commands, switch_off_command, undo_commands
from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.actions.switch import Switch
from tasks.incident import OpenIncident


async def commands_to_undo(incident: OpenIncident, action: PlannedAction) -> tuple[str, ...]:
    """The commands that take an action back, with this environment's names; none if it never was planned."""
    done = (await incident.read()).previews.get(action.id)
    if done is None:
        return ()
    return undo_commands(done, target_of(incident.environment.cluster))


def commands_to_delete(incident: OpenIncident, pod: str) -> tuple[str, ...]:
    """The commands that delete a pod which holds a rollout up, with this environment's names."""
    return deletion_commands(pod, target_of(incident.environment.cluster))


def command_to_switch_off(incident: OpenIncident, switch: Switch, done: ChangePlan | None) -> str:
    """The command that takes a temporary switch off, with this environment's names; `done` turned it on."""
    return switch_off_command(switch.variable, target_of(incident.environment.cluster), done)


def target_of(cluster: Cluster) -> Target:
    """The workload in this cluster, for commands."""
    return Target(
        namespace=cluster.namespace,
        kind=cluster.workload_kind.lower(),
        name=cluster.workload_name,
        container=cluster.container or "",
        secret_name=cluster.secret_name,
        secret_key=cluster.secret_key,
    )
