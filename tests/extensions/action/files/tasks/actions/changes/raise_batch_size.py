"""`kubectl set env POSTHOG_BATCH_SIZE=…`: more events in a request."""

from runbook.actions.specs.raise_batch_size import RAISE_BATCH_SIZE, VARIABLE
from runbook.kubernetes.fields import EnvironmentVariable
from tasks.actions.changes.base import Change, Mitigations
from tasks.actions.changes.set_field import SetField
from tasks.actions.changes.workload import container_of


def _objection(change: Change, present: str | None) -> str | None:
    wanted = change.action.parameters["events"]
    if present is not None and present.isdecimal() and int(wanted) <= int(present):
        return f"{wanted} is no more than the present {present}"
    return None


MITIGATIONS: Mitigations = {
    RAISE_BATCH_SIZE: SetField(
        field=lambda change, workload: EnvironmentVariable(
            container=container_of(change, workload), variable=VARIABLE
        ),
        wanted=lambda change: change.action.parameters["events"],
        objection=_objection,
    )
}
