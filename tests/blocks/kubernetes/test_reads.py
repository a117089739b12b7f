"""What the Cluster block reads: the workload, its rollout, the Secret, and what it may do."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from blocks.kubernetes.cluster import Cluster
from blocks.transport.errors import Forbidden, NotFound, Refused, Unauthenticated, Unavailable
from deployments.drill.cluster import Fault, kubeconfig
from runbook.checks.readings import ContainerRole
from tests.blocks.cluster_world import KEY, RULES, TOKEN, USER, ClusterWorld, cluster_world, deployment

RESTARTED = {"spec": {"template": {"metadata": {"annotations": {"restarted": "1"}}}}}


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """The integration, rolled out."""
    async with cluster_world() as running:
        yield running


async def test_the_workload_is_read_whole(world: ClusterWorld) -> None:
    """Replicas, pods, switches, memory limit and revisions are in one reading."""
    reading = await world.block.read_workload()

    assert reading.target == "default/deployment/posthog-integration"
    assert (reading.desired, reading.ready, reading.updated, reading.paused) == (2, 2, 2, False)
    assert sorted(pod.name for pod in reading.pods) == world.pod_names()
    assert all(pod.ready and pod.phase == "Running" and pod.revision == "1" for pod in reading.pods)
    assert reading.switches == {"POSTHOG_FALLBACK": "false"}
    assert (reading.container, reading.memory_limits) == ("app", {"app": "256Mi"})
    assert [(item.revision, item.image) for item in reading.rollouts] == [
        ("1", "registry.example/integration:1")
    ]


async def test_a_killed_container_shows_in_its_pod(world: ClusterWorld) -> None:
    """A container that was killed for memory is told with its restart, its time and its event."""
    name = world.pod_names()[0]

    world.imitation.terminate(name, reason="OOMKilled", exit_code=137)

    await world.restarted(name)
    reading = await world.block.read_workload()
    (pod,) = [pod for pod in reading.pods if pod.name == name]
    (app,) = [item for item in pod.containers if item.role is ContainerRole.MAIN]
    assert (app.name, app.restarts, app.last_termination) == ("app", 1, "OOMKilled")
    assert app.changed_at is not None


async def test_pods_on_their_way_out_are_marked() -> None:
    """During a rollout the old pods are still listed, as terminating ones."""
    async with cluster_world(pod_stop_seconds=2) as world:  # longer than a busy machine takes to look twice
        world.imitation.apply(deployment(template=_labelled("b")))
        reading = await world.block.read_workload()
        while not any(pod.terminating for pod in reading.pods):
            reading = await world.block.read_workload()

        await world.until("complete")
        reading = await world.block.read_workload()

        assert [item.revision for item in reading.rollouts] == ["1", "2"]
        assert {pod.revision for pod in reading.pods if not pod.terminating} == {"2"}


async def test_sixty_pods_are_one_workload(world: ClusterWorld) -> None:
    """A large workload is read and watched like a small one, and a revision that breaks it is still named."""
    broken = "registry.example/integration:bad"
    world.imitation.image_faults[broken] = "ImagePullBackOff"
    world.imitation.apply(deployment(replicas=60))
    assert (await world.until("complete")).detail == "60 of 60 pods available"
    assert len((await world.block.read_workload()).pods) == 60

    world.imitation.apply(deployment(broken, replicas=60))

    status = await world.until("failed")
    assert status.reason == "ImagePullBackOff"
    assert (await world.block.read_workload()).ready >= 45  # a quarter may be missing during an update


def _labelled(value: str) -> dict[str, object]:
    template: dict[str, object] = deployment()["spec"]["template"]
    return {**template, "metadata": {"labels": {"app": "posthog-integration", "v": value}}}


async def test_a_crashing_revision_fails_its_rollout(world: ClusterWorld) -> None:
    """A pod that crash-loops fails the rollout before any deadline, and is named."""
    world.imitation.image_faults["registry.example/integration:bad"] = "CrashLoopBackOff"
    world.imitation.apply(deployment("registry.example/integration:bad"))

    status = await world.until("failed")

    assert status.reason == "CrashLoopBackOff"
    assert "posthog-integration-" in status.detail
    reading = await world.block.read_workload()
    crashing = [pod for pod in reading.pods for item in pod.containers if item.waiting == "CrashLoopBackOff"]
    assert [pod.revision for pod in crashing] == ["2"]
    assert any("BackOff" in event for event in reading.events)


async def test_a_missing_secret_key_fails_its_rollout(world: ClusterWorld) -> None:
    """A pod that cannot be configured fails the rollout."""
    version = (await world.block.secret.read_keys()).version
    await world.block.changes.patch_secret({"api-key": None}, resource_version=version)
    await world.block.changes.patch_workload(RESTARTED)

    assert (await world.until("failed")).reason == "CreateContainerConfigError"


async def test_a_paused_deployment_rolls_nothing_out(world: ClusterWorld) -> None:
    """A change of a paused deployment is not waited for."""
    await world.block.changes.patch_workload({"spec": {"paused": True}})
    await world.block.changes.patch_workload(RESTARTED)

    status = await world.until("failed")

    assert status.reason == "Paused"
    assert (await world.block.read_workload()).paused


async def test_the_api_key_is_read_as_it_is(world: ClusterWorld) -> None:
    """The key's value comes decoded, other keys by name, and what is not there is None."""
    key = await world.block.secret.read_api_key()

    assert key is not None
    assert key.get_secret_value() == KEY
    assert await world.block.secret.read_api_key("another-key") is None


async def test_a_missing_secret_is_no_key() -> None:
    """Without the Secret there is no key; its version cannot be read."""
    rules = [rule for rule in RULES if "secrets" not in rule.resources]
    any_secret = type(RULES[0])(verbs=("get",), groups=("",), resources=("secrets",))
    async with cluster_world(rules=[*rules, any_secret]) as world:
        block = world.block_with(secret_name="nowhere")

        assert await block.secret.read_api_key() is None
        with pytest.raises(NotFound):
            await block.secret.read_keys()


async def test_a_missing_permission_is_named(world: ClusterWorld) -> None:
    """A 403 says which verb on which resource is missing, and who can help."""
    world.restrict(*RULES[:2])

    with pytest.raises(Forbidden) as caught:
        await world.block.secret.read_keys()

    error = caught.value
    assert (error.verb, error.resource, error.name) == ("get", "secrets", "posthog-secrets")
    assert error.next_step == (
        "Escalate to an admin: the runbook's Role lacks "
        "{apiGroups: [''], resources: [secrets], resourceNames: [posthog-secrets], verbs: [get]}"
    )


async def test_events_that_may_not_be_read_are_left_out() -> None:
    """Events are decoration: the workload is read without them, and says so."""
    async with cluster_world(rules=[rule for rule in RULES if "events" not in rule.resources]) as world:
        reading = await world.block.read_workload()

    assert reading.ready == 2
    assert len(reading.events) == 1
    assert "events were not read" in reading.events[0]


@pytest.mark.parametrize(("verb", "allowed"), [("patch", True), ("delete", False)])
async def test_permissions_can_be_asked_before_they_are_needed(
    world: ClusterWorld, verb: str, allowed: bool
) -> None:
    """`can_i` answers as `kubectl auth can-i` does."""
    assert (
        await world.block.client.can_i(verb, "deployments", group="apps", name=world.block.workload_name)
        is allowed
    )
    assert await world.block.client.can_i("get", "pods", subresource="log")


async def test_an_expired_token_says_how_to_renew_it(world: ClusterWorld) -> None:
    """After a 401 that a second look at the credentials does not cure, the error says what to do."""
    world.imitation.expire(TOKEN)

    with pytest.raises(Unauthenticated, match="kubeconfig"):
        await world.block.workload.read()


async def test_a_renewed_kubeconfig_is_picked_up(world: ClusterWorld, tmp_path: Path) -> None:
    """A 401 makes the block read the kubeconfig once more, and go on with the new token."""
    file = tmp_path / "config"
    file.write_text(kubeconfig(world.url, world.ca_pem, TOKEN, "default"))
    block = world.block_of(kubeconfig=str(file))
    await block.workload.read()
    world.imitation.expire(TOKEN)
    world.imitation.grant(USER, "another-token", RULES)

    file.write_text(kubeconfig(world.url, world.ca_pem, "another-token", "default"))

    assert (await block.workload.read())["kind"] == "Deployment"


async def test_several_kubeconfigs_are_merged(world: ClusterWorld, tmp_path: Path) -> None:
    """Paths joined by a colon are one configuration, as with kubectl, and a context can be chosen."""
    first, second = tmp_path / "first", tmp_path / "second"
    other = yaml.safe_load(kubeconfig("https://127.0.0.1:1", world.ca_pem, "x", "default"))
    first.write_text(yaml.safe_dump(other).replace("drill", "other"))
    second.write_text(kubeconfig(world.url, world.ca_pem, TOKEN, "default"))

    block = world.block_of(kubeconfig=f"{first}:{second}", context="drill")

    assert (await block.workload.read())["kind"] == "Deployment"


async def test_a_failing_plugin_is_told(world: ClusterWorld) -> None:
    """A credentials plug-in that fails is named with its words; no anonymous request is sent."""
    config = yaml.safe_load(kubeconfig(world.url, world.ca_pem, TOKEN, "default"))
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", "echo please log in >&2; exit 3"],
        "interactiveMode": "Never",
    }
    config["users"][0]["user"] = {"exec": plugin}
    before = len(world.imitation.requests)

    with pytest.raises(Unauthenticated, match="please log in"):
        await world.block_of(kubeconfig_yaml=SecretStr(yaml.safe_dump(config))).workload.read()

    assert len(world.imitation.requests) == before


async def test_no_credentials_are_an_authentication_error(world: ClusterWorld) -> None:
    """A request that arrives as anonymous is told as missing credentials, not as a missing permission."""
    config = yaml.safe_load(kubeconfig(world.url, world.ca_pem, TOKEN, "default"))
    config["users"][0]["user"] = {}

    with pytest.raises(Unauthenticated, match="anonymous"):
        await world.block_of(kubeconfig_yaml=SecretStr(yaml.safe_dump(config))).workload.read()


@pytest.mark.parametrize("settings", [{"kubeconfig": "/nowhere/config"}, {"kubeconfig_yaml": "{}"}])
async def test_a_kubeconfig_that_cannot_be_used_is_told(settings: dict[str, Any]) -> None:
    """A missing file and an empty configuration are errors of the credentials."""
    with pytest.raises(Unauthenticated):
        await Cluster(**settings).workload.read()


async def test_other_namespaces_are_out_of_bounds(world: ClusterWorld) -> None:
    """A namespace outside of the allowed ones is never asked for."""
    before = len(world.imitation.requests)

    with pytest.raises(Refused, match="allowed"):
        await world.block_with(namespace="default", allowed_namespaces=["staging"]).read_workload()

    assert len(world.imitation.requests) == before


async def test_a_container_that_is_not_there_is_told(world: ClusterWorld) -> None:
    """A wrong container name is an error of the configuration."""
    with pytest.raises(NotFound, match="no container"):
        await world.block_with(container="apps").read_workload()


@pytest.mark.parametrize(
    ("fault", "may_have_landed"),
    [
        (Fault(path="/deployments/", status=503, times=None), True),
        (Fault(path="/deployments/", status=429, times=None), False),
        (Fault(path="/deployments/", status=500, times=None), True),
        (Fault(path="/deployments/", close="before_effect", times=None), True),
        (Fault(path="/deployments/", delay_before=3, times=None), True),
    ],
)
async def test_a_cluster_in_trouble_may_heal(
    world: ClusterWorld, fault: Fault, may_have_landed: bool
) -> None:
    """Server errors, a broken connection and silence are transient errors."""
    world.imitation.faults.append(fault)

    with pytest.raises(Unavailable) as caught:
        await world.block_with(timeout_seconds=0.3).workload.read()

    assert caught.value.may_have_landed is may_have_landed


async def test_a_cluster_that_is_not_there_may_heal(world: ClusterWorld) -> None:
    """A refused connection is transient, and nothing can have landed."""
    text = kubeconfig("https://127.0.0.1:1", world.ca_pem, TOKEN, "default")

    with pytest.raises(Unavailable) as caught:
        await Cluster(kubeconfig_yaml=SecretStr(text), timeout_seconds=2).workload.read()

    assert not caught.value.may_have_landed
