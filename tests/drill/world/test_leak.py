"""The memory leak, looked at late."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from deployments.drill.world.faults import IntegrationFaults, Leak
from deployments.drill.world.integration.integration import Integration
from deployments.drill.world.integration.leak import Memory
from deployments.drill.world.integration.pods import Pod


@dataclass
class OldPod:
    """A pod whose container has run for a minute, and is ready."""

    name: str = "old"
    ready: bool = True
    env: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(minutes=1))
    restarts: int = 0


@dataclass
class Node:
    """One pod, and what is done to it."""

    pod: OldPod = field(default_factory=OldPod)
    done: list[str] = field(default_factory=list)
    killed: asyncio.Event = field(default_factory=asyncio.Event)

    def pods(self, _labels: Mapping[str, str], /) -> Sequence[Pod]:
        """The pod."""
        return [self.pod]

    def write_log(self, _pod: str, _line: str, /) -> None:
        """It writes nothing."""

    def terminate(self, _pod: str, /, *, reason: str, exit_code: int) -> None:
        """The kernel kills it."""
        self.done.append(f"{reason} {exit_code}")
        self.killed.set()

    def set_ready(self, _pod: str, ready: bool, /) -> None:
        """Its readiness changes."""
        self.pod.ready = ready
        self.done.append(f"ready {ready}")


async def test_a_pod_that_is_full_at_the_first_look_is_unready_before_it_is_killed() -> None:
    """Else its next container would be ready until it is looked at, however full it is."""
    node = Node()
    integration = Integration(node)
    integration.faults = IntegrationFaults(leak=Leak(fill_seconds=0.2))
    running = asyncio.create_task(Memory(node, integration).run())
    try:
        async with asyncio.timeout(20):
            await node.killed.wait()
    finally:
        running.cancel()

    assert node.done[:2] == ["ready False", "OOMKilled 137"]
