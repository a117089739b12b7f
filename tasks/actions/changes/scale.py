"""`kubectl scale`: another number of pods."""

from runbook.actions.specs.scale import SCALE, replicas_flaw
from runbook.kubernetes.fields import Replicas
from tasks.actions.changes.base import Mitigations
from tasks.actions.changes.set_field import SetField

MITIGATIONS: Mitigations = {
    SCALE: SetField(
        field=lambda _change, _workload: Replicas(),
        wanted=lambda change: change.action.parameters["replicas"],
        objection=lambda change, _present: replicas_flaw(change.action.parameters["replicas"], change.policy),
        restarts=False,
    )
}
