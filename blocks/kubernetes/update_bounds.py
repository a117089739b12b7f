"""How far a Deployment's update may leave the wanted number of pods."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor

from blocks.kubernetes.revisions import Object


@dataclass(frozen=True)
class UpdateBounds:
    """How many pods a rolling update makes beyond the wanted number, and how many may be missing from it."""

    surge: int
    unavailable: int


def bounds_of(deployment: Object) -> UpdateBounds:
    """The bounds of a Deployment's update: shares are rounded up and down, and both are never zero.

    Source: ResolveFenceposts in k8s.io/kubernetes/pkg/controller/deployment/util.
    """
    spec, strategy = deployment["spec"], deployment["spec"].get("strategy") or {}
    desired = int(spec.get("replicas", 1))
    if strategy.get("type") == "Recreate":
        return UpdateBounds(0, desired)
    rolling = strategy.get("rollingUpdate") or {}
    surge = _resolved(rolling.get("maxSurge", "25%"), desired, ceil)
    unavailable = _resolved(rolling.get("maxUnavailable", "25%"), desired, floor)
    return UpdateBounds(surge, unavailable) if surge or unavailable else UpdateBounds(0, 1)


def _resolved(value: int | str, desired: int, rounded: Callable[[float], int]) -> int:
    if isinstance(value, str) and value.endswith("%"):
        return rounded(int(value[:-1]) * desired / 100)
    return int(value)
