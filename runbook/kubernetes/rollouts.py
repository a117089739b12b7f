"""How far a rollout is, as the rules see it; `blocks.kubernetes.rollout` reads it from the objects."""

from typing import Literal

from runbook.value import Value

REFUSED_PODS = "FailedCreate"
"""The reason of a rollout whose pods the API server refuses to create."""


class RolloutStatus(Value):
    """`complete`, `progressing` or `failed`; `reason` is Kubernetes' word where it has one.

    A workload that is scaled to zero is complete with the reason `ScaledToZero`: nothing runs there.
    `waits_for` is the pod of an older revision that is not ready, and without whose deletion the rollout
    never goes on.
    """

    state: Literal["complete", "progressing", "failed"]
    reason: str = ""
    detail: str = ""
    waits_for: str = ""
