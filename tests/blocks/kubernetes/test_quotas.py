"""What a namespace does not let new pods have is seen in the rollout at once."""

from typing import Any

import pytest

from tests.blocks.cluster_world import ClusterWorld, cluster_world, deployment

IMAGE = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "i:2"}]}}}}
MEMORY = {"resources": {"limits": {"memory": "512Mi"}}}
RAISED = {"spec": {"template": {"spec": {"containers": [{"name": "app", **MEMORY}]}}}}
ONE_FIRST: dict[str, Any] = {
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
}


def limit_pods(world: ClusterWorld, number: int) -> None:
    """A quota lets the namespace have so many pods."""
    spec = {"hard": {"pods": str(number)}}
    world.imitation.apply({"kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": spec})


def limit_memory(world: ClusterWorld, most: str) -> None:
    """A LimitRange lets a container have so much memory."""
    spec = {"limits": [{"type": "Container", "max": {"memory": most}}]}
    world.imitation.apply({"kind": "LimitRange", "metadata": {"name": "range"}, "spec": spec})


async def test_a_quota_that_lets_no_pod_more_ends_a_rollout_at_once() -> None:
    """The update may end no pod before a new one is there, and the quota has no room for one more."""
    async with cluster_world() as world:
        limit_pods(world, 2)
        await world.block.changes.patch_workload(IMAGE)
        status = await world.until("failed")

        assert status.reason == "FailedCreate"
        assert "exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2" in status.detail
        quota = world.imitation.get("ResourceQuota", "few")
        assert quota["status"] == {"hard": {"pods": "2"}, "used": {"pods": "2"}}


async def test_a_rollout_goes_on_where_a_pod_that_ends_makes_room() -> None:
    """The quota refuses new pods while old ones are ending, and that is no failure that stays."""
    async with cluster_world(deployment(**ONE_FIRST), pod_stop_seconds=0.3) as world:
        limit_pods(world, 2)
        await world.block.changes.patch_workload(IMAGE)
        status = await world.until("complete")

        assert status.state == "complete", status


@pytest.mark.parametrize("strategy", [{}, ONE_FIRST], ids=["surge first", "one down first"])
async def test_a_limit_range_refuses_for_good(strategy: dict[str, Any]) -> None:
    """No pod that ends makes a difference to what one container may have."""
    async with cluster_world(deployment(**strategy)) as world:
        limit_memory(world, "256Mi")
        containers = [{"name": "proxy", "resources": {"limits": {"memory": "64Mi"}}}]
        proxy = {"spec": {"template": {"spec": {"containers": containers}}}}
        await world.block.changes.patch_workload(proxy)
        await world.until("complete")
        await world.block.changes.patch_workload(RAISED)
        status = await world.until("failed")

        assert "maximum memory usage per Container is 256Mi, but limit is 512Mi" in status.detail


async def test_a_quota_of_limits_refuses_a_container_without_one() -> None:
    """In the words of the server, which name the container."""
    async with cluster_world() as world:
        spec = {"hard": {"limits.memory": "4Gi"}}
        world.imitation.apply({"kind": "ResourceQuota", "metadata": {"name": "all"}, "spec": spec})
        await world.block.changes.patch_workload(RAISED)
        status = await world.until("failed")

        assert "failed quota: all: must specify limits.memory for: proxy" in status.detail
