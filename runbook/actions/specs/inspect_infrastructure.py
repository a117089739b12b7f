"""The runbook's "check pods, memory, network"."""

from runbook.actions.spec import ActionKind, ActionName, ActionSpec

INSPECT_INFRASTRUCTURE = ActionSpec(
    name=ActionName("inspect_infrastructure"),
    title="Inspect pods, memory and network",
    kind=ActionKind.INSPECTION,
    success="the state of pods, memory and network is on record",
)
