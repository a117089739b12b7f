"""What the Cluster block refuses by itself, and how it deletes a pod and scales."""

import string
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr

from blocks.kubernetes.access.errors import Request
from blocks.kubernetes.access.permissions import WorkloadKind
from blocks.kubernetes.cluster import Cluster
from blocks.transport.errors import Conflict, Forbidden, NotFound, Refused
from deployments.drill.cluster import ADMIN
from runbook.kubernetes.patches import spec_patch
from runbook.redaction import redact
from tests.blocks.cluster_world import RULES, ClusterWorld, cluster_world, rules, stateful_set

NAMES = st.text(string.ascii_lowercase + "-", min_size=1, max_size=12).filter(
    lambda name: (
        redact(f"{name}: access") == f"{name}: access"
    )  # else what follows it in a message is masked as its value
)
OURS = {("patch", "deployments", "posthog-integration"), ("patch", "secrets", "posthog-secrets")}


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """The integration, rolled out, and a runbook that the cluster would let do anything."""
    async with cluster_world(rules=[ADMIN]) as running:
        yield running


def unreachable(_: object) -> Any:
    """What no refused request may come to."""
    raise AssertionError("the request was sent")


@given(
    verb=st.sampled_from(["create", "update", "patch", "delete", "deletecollection"]),
    resource=st.sampled_from(
        ["deployments", "statefulsets", "secrets", "configmaps", "pods", "pods/eviction", "namespaces"]
    ),
    name=NAMES | st.sampled_from(["posthog-integration", "posthog-secrets"]),
)
async def test_nothing_else_is_ever_written(verb: str, resource: str, name: str) -> None:
    """Whatever the cluster would allow: only the workload, its Secret and its pods are asked to change."""
    assume((verb, resource, name) not in OURS and (verb, resource) != ("delete", "pods"))
    with pytest.raises(
        Refused, match=(f"cannot {verb} {resource}/{name}: access 'full' to .* does not allow it")
    ):
        await Cluster().changes._write(Request(verb, resource, name), unreachable)


ANOTHER = "00000000-0000-4000-8000-000000000000"

Write = Callable[[Cluster], Awaitable[Any]]
WRITES: dict[str, Write] = {
    "workload": lambda block: block.changes.patch_workload({"spec": {"paused": True}}),
    "template": lambda block: block.changes.replace_pod_template({}, resource_version="1"),
    "pod": lambda block: block.changes.delete_pod("posthog-integration-x", uid="u"),
    "secret": lambda block: block.changes.patch_secret({"api-key": SecretStr("k")}, resource_version="1"),
}


@pytest.mark.parametrize(
    ("access", "name"), [*(("triage", name) for name in WRITES), ("mitigation", "secret")]
)
async def test_access_limits_what_is_asked_for(world: ClusterWorld, access: str, name: str) -> None:
    """A runbook for triage changes nothing, one for mitigation leaves the Secret alone, allowed or not."""
    before = len(world.imitation.requests)

    with pytest.raises(Refused, match="does not allow it"):
        await WRITES[name](world.block_with(access=access))

    assert len(world.imitation.requests) == before


async def test_access_limits_reading_the_key_too(world: ClusterWorld) -> None:
    """The key is read with full access only; the workload is always."""
    block = world.block_with(access="mitigation")

    assert (await block.read_workload()).ready == 2
    with pytest.raises(
        Refused, match=r"cannot get secrets/posthog-secrets: access 'mitigation' .* does not allow it"
    ):
        await block.secret.read_api_key()


@pytest.mark.parametrize("name", WRITES)
async def test_no_write_leaves_the_allowed_namespaces(world: ClusterWorld, name: str) -> None:
    """A block for another namespace than the allowed ones sends nothing at all."""
    before = len(world.imitation.requests)

    with pytest.raises(Refused, match="not among the allowed ones"):
        await WRITES[name](world.block_with(allowed_namespaces=["staging"]))

    assert len(world.imitation.requests) == before


def uid_of(world: ClusterWorld, pod: str) -> str:
    """The pod's uid."""
    return str(world.imitation.get("Pod", pod)["metadata"]["uid"])


async def test_one_of_its_pods_is_deleted(world: ClusterWorld) -> None:
    """The pod goes and its controller makes another one."""
    name, other = world.pod_names()

    deleted = await world.block.changes.delete_pod(name, uid=uid_of(world, name))

    assert deleted["metadata"]["deletionTimestamp"]
    while world.pod_names() in ([name, other], [other]):
        await world.until("complete", "progressing")
    assert other in world.pod_names()
    assert name not in world.pod_names()


async def test_a_dry_run_deletes_no_pod(world: ClusterWorld) -> None:
    """The permission and the uid are tried, and the pod stays."""
    name = world.pod_names()[0]

    await world.block.changes.delete_pod(name, uid=uid_of(world, name), dry_run=True)

    assert "deletionTimestamp" not in world.imitation.get("Pod", name)["metadata"]
    assert len(world.asked("DELETE")) == 1


async def test_a_pod_that_was_replaced_is_left_alone() -> None:
    """The new pod has the old one's name in a StatefulSet; the uid tells them apart."""
    async with cluster_world(stateful_set(), rules=[ADMIN]) as world:
        with pytest.raises(Conflict, match="UID in precondition"):
            await world.block.changes.delete_pod(
                "posthog-integration-0", uid="00000000-0000-4000-8000-000000000000"
            )

        assert "deletionTimestamp" not in world.imitation.get("Pod", "posthog-integration-0")["metadata"]


async def test_a_pod_that_is_gone_is_told(world: ClusterWorld) -> None:
    """Pods come and go between a look and a deletion."""
    with pytest.raises(NotFound, match="there is no pod posthog-integration-gone"):
        await world.block.changes.delete_pod("posthog-integration-gone", uid="u")

    assert world.asked("DELETE") == []


async def test_a_foreign_pod_is_never_deleted(world: ClusterWorld) -> None:
    """Neither the label nor the name makes a pod ours, but who made it."""
    ours = world.imitation.get("Pod", world.pod_names()[0])
    pod = {
        "kind": "Pod",
        "metadata": {"name": "posthog-integration-debug", "labels": ours["metadata"]["labels"]},
        "spec": {"containers": [{"name": "app", "image": "debug:1"}]},
    }
    world.imitation.apply(pod)

    with pytest.raises(Refused, match="pod posthog-integration-debug does not belong to default/deployment/"):
        await world.block.changes.delete_pod(
            "posthog-integration-debug", uid=uid_of(world, "posthog-integration-debug")
        )

    assert world.asked("DELETE") == []


async def test_deleting_without_the_right_says_which() -> None:
    """The rule is for all pods: none can name one."""
    async with cluster_world() as world:
        world.restrict(*(rule for rule in RULES if "delete" not in rule.verbs))
        name = world.pod_names()[0]

        with pytest.raises(Forbidden) as caught:
            await world.block.changes.delete_pod(name, uid=uid_of(world, name))

    assert caught.value.next_step.endswith("lacks {apiGroups: [''], resources: [pods], verbs: [delete]}")


def scaling(replicas: int, version: str) -> dict[str, Any]:
    """The request that sets the number of pods, bound to the version."""
    return spec_patch({"replicas": replicas}, effect_id="inc-1/2-scale", resource_version=version)


@pytest.mark.parametrize("workload", [None, stateful_set()], ids=["Deployment", "StatefulSet"])
async def test_scaling_changes_the_number_of_pods(workload: dict[str, Any] | None) -> None:
    """With the right to patch the workload only, and with the effect noted on it."""
    kind: WorkloadKind = "StatefulSet" if workload else "Deployment"
    async with cluster_world(workload, rules=rules(kind, "mitigation")) as world:
        before = await world.block.workload.read()

        version = before["metadata"]["resourceVersion"]
        scaled = await world.block.changes.patch_workload(scaling(4, version))
        status = await world.until("complete")

        assert scaled["metadata"]["annotations"]["incident-runbook/effect"] == "inc-1/2-scale"
        assert status.detail == "4 of 4 pods available"
        assert len(world.pod_names()) == 4


async def test_a_dry_run_scales_nothing(world: ClusterWorld) -> None:
    """The answer has the new number, the cluster the old one."""
    version = (await world.block.workload.read())["metadata"]["resourceVersion"]

    preview = await world.block.changes.patch_workload(scaling(5, version), dry_run=True)

    assert preview["spec"]["replicas"] == 5
    assert (await world.block.workload.read())["spec"]["replicas"] == 2


async def test_scaling_is_bound_to_what_was_read(world: ClusterWorld) -> None:
    """Whoever scaled in the meantime wins."""
    version = (await world.block.workload.read())["metadata"]["resourceVersion"]
    await world.block.changes.patch_workload(scaling(3, version))

    with pytest.raises(Conflict):
        await world.block.changes.patch_workload(scaling(1, version))

    assert (await world.block.workload.read())["spec"]["replicas"] == 3


async def test_scaled_to_zero_is_complete_and_says_so(world: ClusterWorld) -> None:
    """The rollout is over, and yet nothing runs: whoever waits for it must be able to tell."""
    version = (await world.block.workload.read())["metadata"]["resourceVersion"]
    await world.block.changes.patch_workload(scaling(0, version))

    status = await world.until("complete")

    assert status.reason == "ScaledToZero"
    assert world.pod_names() == []
