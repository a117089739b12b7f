"""A memory leak in the integration's pods, and the kernel that ends it."""

import asyncio
from collections.abc import Sequence

from deployments.drill.world.clock import Clock, utc_now
from deployments.drill.world.faults import Leak
from deployments.drill.world.integration.integration import Integration
from deployments.drill.world.integration.pods import LABELS, Pod, PodHost

LIMIT_BYTES = 256 * 1024 * 1024
"""Memory limit of a pod, as in its manifest."""

_BASE_BYTES = 96 * 1024 * 1024
_TICK_SECONDS = 0.1
_KILLED = 137  # 128 + SIGKILL


class Memory:
    """Sets the pods' memory in the metrics and kills those over their limit.

    A leak shows only in pods past its incubation. Pods of the world's start count as old, so a restart
    cures for the length of a drill, while a container that the kubelet restarts in an old pod is not cured.
    """

    def __init__(self, cluster: PodHost, integration: Integration, *, clock: Clock = utc_now) -> None:
        """Watch the integration's pods."""
        self._cluster = cluster
        self._integration = integration
        self._clock = clock
        self._aged: frozenset[str] | None = None
        self._thrashing: set[str] = set()

    async def run(self) -> None:
        """Let memory grow until cancelled."""
        while True:
            leak = self._integration.faults.leak
            pods = self._cluster.pods(LABELS)
            if leak is None:
                self._aged = None
                self._relieve(pods)
            elif self._aged is None:
                self._aged = frozenset(pod.name for pod in pods)
            self._integration.exporter.show_memory({pod.name: self._used(pod, leak) for pod in pods})
            if leak is not None:
                for pod in pods:
                    self._press(pod, leak)
            await asyncio.sleep(_TICK_SECONDS)

    def _press(self, pod: Pod, leak: Leak) -> None:
        used = self._used(pod, leak)
        # It thrashes, so its readiness probe times out; first, as a late look may find it full already.
        if used > _BASE_BYTES and pod.ready:
            self._cluster.set_ready(pod.name, False)
            self._thrashing.add(pod.name)
        if used >= LIMIT_BYTES:
            self._cluster.terminate(pod.name, reason="OOMKilled", exit_code=_KILLED)

    def _relieve(self, pods: Sequence[Pod]) -> None:
        for pod in pods:  # one that waits to be restarted is relieved when it runs again
            if pod.name in self._thrashing:
                self._cluster.set_ready(pod.name, True)
                self._thrashing.discard(pod.name)

    def _used(self, pod: Pod, leak: Leak | None) -> int:
        if leak is None:
            return _BASE_BYTES
        leaking = (self._clock() - pod.started_at).total_seconds()
        if pod.name not in (self._aged or ()):
            leaking -= leak.incubation_seconds
        grown = max(0.0, leaking) / leak.fill_seconds * (LIMIT_BYTES - _BASE_BYTES)
        return min(LIMIT_BYTES, _BASE_BYTES + int(grown))
