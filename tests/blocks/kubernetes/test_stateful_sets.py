"""A StatefulSet as the Cluster block's target: read, changed, rolled back, and its traps told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from blocks.kubernetes.revisions import revisions
from blocks.transport.errors import Conflict, Refused
from tests.blocks.cluster_world import LABELS, ClusterWorld, cluster_world, rules, stateful_set

BROKEN = "registry.example/integration:bad"
NAMES = [f"posthog-integration-{ordinal}" for ordinal in range(3)]


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """The integration as a StatefulSet, with exactly the rights that the runbook needs for one."""
    async with cluster_world(stateful_set(), rules=rules("StatefulSet")) as running:
        yield running


def image(name: str) -> dict[str, Any]:
    """The patch of `kubectl set image`."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": name}]}}}}


async def test_it_is_read_whole(world: ClusterWorld) -> None:
    """Replicas, pods with their revision, switches and revisions, under its own name."""
    reading = await world.block.read_workload()

    assert reading.target == "default/statefulset/posthog-integration"
    assert (reading.desired, reading.ready, reading.updated, reading.paused) == (3, 3, 3, False)
    assert [(pod.name, pod.revision) for pod in reading.pods] == [(name, "1") for name in NAMES]
    assert reading.switches == {"POSTHOG_FALLBACK": "false"}
    assert [(item.revision, item.image) for item in reading.rollouts] == [
        ("1", "registry.example/integration:1")
    ]


async def test_a_switch_reaches_every_pod(world: ClusterWorld) -> None:
    """The strategic merge patch is the same as a Deployment's."""
    env = [{"name": "POSTHOG_FALLBACK", "value": "true"}]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "app", "env": env}]}}}}
    preview = await world.block.changes.patch_workload(patch, dry_run=True)
    assert preview["spec"]["template"]["spec"]["containers"][0]["env"][0] == env[0]

    await world.block.changes.patch_workload(patch)
    await world.until("complete")

    assert {pod.env["POSTHOG_FALLBACK"] for pod in world.imitation.pods(LABELS)} == {"true"}
    reading = await world.block.read_workload()
    assert [item.revision for item in reading.rollouts] == ["1", "2"]
    assert {pod.revision for pod in reading.pods} == {"2"}


async def test_it_is_rolled_back(world: ClusterWorld) -> None:
    """The revision before comes from a ControllerRevision; the effect is noted on an object without notes."""
    await world.block.changes.patch_workload(image("registry.example/integration:2"))
    await world.until("complete")
    current = await world.block.workload.read()
    previous, _ = revisions(current, await world.block.workload.revisions())
    assert "annotations" not in current["metadata"]

    await world.block.changes.replace_pod_template(
        previous.template,
        resource_version=current["metadata"]["resourceVersion"],
        annotations={"incident-runbook/effect": "inc-1/1-roll-back"},
    )
    await world.until("complete")

    assert previous.name == "1"
    reading = await world.block.read_workload()
    assert [(item.revision, item.image[-2:]) for item in reading.rollouts] == [("2", ":2"), ("3", ":1")]
    assert reading.rollouts[1].created_at >= reading.rollouts[0].created_at
    assert {pod.image for pod in world.imitation.pods(LABELS)} == {"registry.example/integration:1"}
    noted = (await world.block.workload.read())["metadata"]["annotations"]
    assert noted == {"incident-runbook/effect": "inc-1/1-roll-back"}


async def test_a_roll_back_is_refused_after_a_change(world: ClusterWorld) -> None:
    """It is bound to the StatefulSet that was previewed."""
    current = await world.block.workload.read()
    await world.block.changes.patch_workload(image("registry.example/integration:2"))

    with pytest.raises(Conflict):
        await world.block.changes.replace_pod_template(
            current["spec"]["template"], resource_version=current["metadata"]["resourceVersion"]
        )


async def test_it_has_no_replica_sets(world: ClusterWorld) -> None:
    """They are not asked for, so that no right for them is needed."""
    assert await world.block.workload.replica_sets() == []
    assert not any("replicasets" in path for path in world.asked("GET"))


async def test_a_broken_revision_is_recognised_and_deleting_its_pod_ends_it(world: ClusterWorld) -> None:
    """After the roll back the broken pod holds everything up, until it is deleted: both are told."""
    world.imitation.image_faults[BROKEN] = "CrashLoopBackOff"
    await world.block.changes.patch_workload(image(BROKEN))
    failed = await world.until("failed")
    assert (failed.reason, failed.detail) == ("CrashLoopBackOff", f"{NAMES[2]}: CrashLoopBackOff")

    await world.block.changes.patch_workload(image("registry.example/integration:1"))
    while "older revision" not in failed.detail:
        failed = await world.until("failed")
    assert failed.detail.startswith(f"{NAMES[2]}: CrashLoopBackOff, of an older revision")

    uid = world.imitation.get("Pod", NAMES[2])["metadata"]["uid"]
    await world.block.changes.delete_pod(NAMES[2], uid=uid)
    assert (await world.until("complete")).detail == "3 of 3 pods available"


async def test_a_pod_of_another_stateful_set_is_never_deleted(world: ClusterWorld) -> None:
    """Its name and labels may look like ours."""
    other = stateful_set(replicas=1)
    other["metadata"] = {"name": "posthog-integration-2nd", "labels": LABELS}
    world.imitation.apply(other)
    while "posthog-integration-2nd-0" not in world.pod_names():
        await world.block.workload.rollout_status()

    uid = world.imitation.get("Pod", "posthog-integration-2nd-0")["metadata"]["uid"]
    with pytest.raises(Refused, match="does not belong to default/statefulset/posthog-integration"):
        await world.block.changes.delete_pod("posthog-integration-2nd-0", uid=uid)

    assert world.asked("DELETE") == []


async def test_the_pod_that_a_fix_waits_for_is_told(world: ClusterWorld) -> None:
    """Somebody has put a good template in place, which is not enough: the reading names the pod."""
    world.imitation.image_faults[BROKEN] = "CrashLoopBackOff"
    await world.block.changes.patch_workload(image(BROKEN))
    await world.until("failed")
    assert (await world.block.read_workload()).waits_for == ""

    await world.block.changes.patch_workload(image("registry.example/integration:3"))
    await world.until("failed")
    assert (await world.block.read_workload()).waits_for == NAMES[-1]
