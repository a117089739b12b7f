"""What the integration needs of the cluster that runs its pods: a narrow view of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

POD_COUNT = 2
"""Replicas of the deployment, in order."""

LABELS: Mapping[str, str] = {"app": "posthog-integration"}
"""Selects the integration's pods."""


class Pod(Protocol):
    """A pod whose container runs."""

    @property
    def name(self) -> str:
        """The pod's name."""

    @property
    def env(self) -> Mapping[str, str]:
        """The environment, as it was resolved when the container started."""

    @property
    def ready(self) -> bool:
        """Whether the pod receives traffic."""

    @property
    def started_at(self) -> datetime:
        """When its container started, UTC."""

    @property
    def restarts(self) -> int:
        """How often its container was restarted."""


class PodHost(Protocol):
    """The cluster, as far as the programs in its pods notice it."""

    def pods(self, labels: Mapping[str, str], /) -> Sequence[Pod]:
        """Return the running pods with these labels."""

    def write_log(self, pod: str, line: str, /) -> None:
        """Add a line to a pod's log."""

    def terminate(self, pod: str, /, *, reason: str, exit_code: int) -> None:
        """End a pod's container."""

    def set_ready(self, pod: str, ready: bool, /) -> None:
        """Give the result of a pod's readiness probe."""
