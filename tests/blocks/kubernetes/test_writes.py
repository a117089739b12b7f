"""What the Cluster block changes: bound to what was read, and by dry run first."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from blocks.kubernetes.revisions import revisions
from blocks.transport.errors import Conflict, Forbidden, Refused, Unavailable
from deployments.drill.cluster import Fault
from runbook.kubernetes.patches import container_named
from tests.blocks.cluster_world import KEY, LABELS, RULES, ClusterWorld, cluster_world, deployment

NEW_KEY = "phc_" + "n" * 43


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """The integration, rolled out."""
    async with cluster_world() as running:
        yield running


def fallback(value: str, resource_version: str | None = None) -> dict[str, Any]:
    """The patch of `kubectl set env … POSTHOG_FALLBACK=…`."""
    containers = [{"name": "app", "env": [{"name": "POSTHOG_FALLBACK", "value": value}]}]
    patch: dict[str, Any] = {"spec": {"template": {"spec": {"containers": containers}}}}
    if resource_version:
        patch["metadata"] = {"resourceVersion": resource_version}
    return patch


def switch(item: dict[str, Any]) -> str:
    """The value of POSTHOG_FALLBACK in a Deployment."""
    env = container_named(item, "app")["env"]
    return next(str(entry["value"]) for entry in env if entry["name"] == "POSTHOG_FALLBACK")


async def test_a_dry_run_shows_the_change_and_makes_none(world: ClusterWorld) -> None:
    """The server's own preview has the new value; the Deployment keeps the old one."""
    preview = await world.block.changes.patch_workload(fallback("true"), dry_run=True)

    assert switch(preview) == "true"
    assert switch(await world.block.workload.read()) == "false"


async def test_a_patch_changes_one_variable_and_reaches_the_pods(world: ClusterWorld) -> None:
    """A strategic merge keeps the other variables and containers, and rolls the pods."""
    await world.block.changes.patch_workload(fallback("true"))
    await world.until("complete")

    changed = await world.block.workload.read()
    assert switch(changed) == "true"
    template = changed["spec"]["template"]["spec"]
    assert [container["name"] for container in template["containers"]] == ["app", "proxy"]
    assert [entry["name"] for entry in template["containers"][0]["env"]] == [
        "POSTHOG_FALLBACK",
        "LOG_LEVEL",
        "POSTHOG_API_KEY",
    ]
    assert {pod.env["POSTHOG_FALLBACK"] for pod in world.imitation.pods(LABELS)} == {"true"}


async def test_a_bound_patch_is_refused_after_a_change(world: ClusterWorld) -> None:
    """A patch with a resourceVersion that is no longer the Deployment's is a conflict."""
    version = (await world.block.workload.read())["metadata"]["resourceVersion"]
    await world.block.changes.patch_workload(fallback("true"))

    with pytest.raises(Conflict):
        await world.block.changes.patch_workload(fallback("false", version))

    assert switch(await world.block.workload.read()) == "true"


async def test_a_roll_back_puts_the_old_template_in_place(world: ClusterWorld) -> None:
    """The template of an older ReplicaSet makes the pods run the old image again."""
    world.imitation.apply(deployment("registry.example/integration:2"))
    await world.until("complete")
    current = await world.block.workload.read()
    previous, _ = revisions(current, await world.block.workload.revisions())

    await world.block.changes.replace_pod_template(
        previous.template, resource_version=current["metadata"]["resourceVersion"]
    )
    await world.until("complete")

    rolled_back = await world.block.workload.read()
    assert container_named(rolled_back, "app")["image"].endswith(":1")
    assert "pod-template-hash" not in rolled_back["spec"]["template"]["metadata"]["labels"]
    reading = await world.block.read_workload()
    assert [(item.revision, item.image[-2:]) for item in reading.rollouts] == [("2", ":2"), ("3", ":1")]
    assert reading.rollouts[1].created_at >= reading.rollouts[0].created_at


async def test_a_roll_back_is_refused_after_a_change(world: ClusterWorld) -> None:
    """A roll back is bound to the Deployment that was previewed."""
    current = await world.block.workload.read()
    await world.block.changes.patch_workload(fallback("true"))

    with pytest.raises(Conflict):
        await world.block.changes.replace_pod_template(
            current["spec"]["template"], resource_version=current["metadata"]["resourceVersion"]
        )


async def test_a_roll_back_can_be_previewed(world: ClusterWorld) -> None:
    """A dry run of a roll back persists nothing."""
    current = await world.block.workload.read()
    template = {**current["spec"]["template"], "metadata": {"labels": {**LABELS, "v": "2"}}}

    preview = await world.block.changes.replace_pod_template(
        template, resource_version=current["metadata"]["resourceVersion"], dry_run=True
    )

    assert preview["spec"]["template"]["metadata"]["labels"]["v"] == "2"
    assert "v" not in (await world.block.workload.read())["spec"]["template"]["metadata"]["labels"]


async def test_a_secret_is_replaced_and_the_old_key_kept(world: ClusterWorld) -> None:
    """New values are written next to the others, with the id of the effect as an annotation."""
    version = (await world.block.secret.read_keys()).version

    written = await world.block.changes.patch_secret(
        {"api-key": SecretStr(NEW_KEY), "previous-api-key": SecretStr(KEY)},
        resource_version=version,
        annotations={"runbook/effect": "inc-1-replace"},
    )

    assert written == (await world.block.secret.read_keys()).version != version
    assert await world.block.secret.read_api_key() == SecretStr(NEW_KEY)
    assert await world.block.secret.read_api_key("previous-api-key") == SecretStr(KEY)
    secret = world.imitation.get("Secret", "posthog-secrets")
    assert secret["metadata"]["annotations"]["runbook/effect"] == "inc-1-replace"


async def test_a_secret_that_was_written_meanwhile_is_left_alone(world: ClusterWorld) -> None:
    """Someone else's write wins; ours is a conflict."""
    version = (await world.block.secret.read_keys()).version
    await world.block.changes.patch_secret({"other": SecretStr("x")}, resource_version=version)

    with pytest.raises(Conflict):
        await world.block.changes.patch_secret({"api-key": SecretStr(NEW_KEY)}, resource_version=version)

    assert await world.block.secret.read_api_key() == SecretStr(KEY)


async def test_a_dry_run_of_a_secret_writes_nothing(world: ClusterWorld) -> None:
    """The permission and the conflict can be tried without writing."""
    version = (await world.block.secret.read_keys()).version

    await world.block.changes.patch_secret(
        {"api-key": SecretStr(NEW_KEY)}, resource_version=version, dry_run=True
    )

    assert await world.block.secret.read_api_key() == SecretStr(KEY)


async def test_a_forbidden_rotation_is_an_administrators(world: ClusterWorld) -> None:
    """Without the permission the error names it, and never the key."""
    version = (await world.block.secret.read_keys()).version
    world.restrict(*(rule for rule in RULES if "secrets" not in rule.resources))

    with pytest.raises(Forbidden) as caught:
        await world.block.changes.patch_secret({"api-key": SecretStr(NEW_KEY)}, resource_version=version)

    assert (caught.value.verb, caught.value.resource) == ("patch", "secrets")
    assert NEW_KEY not in str(caught.value)


async def test_an_invalid_patch_is_refused(world: ClusterWorld) -> None:
    """What the server calls invalid will not heal."""
    with pytest.raises(Refused) as caught:
        await world.block.changes.patch_workload({"spec": {"replicas": -1}})

    assert type(caught.value) is Refused


async def test_a_lost_answer_leaves_open_whether_it_landed(world: ClusterWorld) -> None:
    """The write took effect and its answer was lost: it is sent once, and may have landed."""
    world.imitation.faults.append(Fault(path="/deployments/", method="PATCH", close="after_effect"))

    with pytest.raises(Unavailable) as caught:
        await world.block.changes.patch_workload(fallback("true"))

    assert caught.value.may_have_landed
    assert switch(await world.block.workload.read()) == "true"
    assert sum(request.method == "PATCH" for request in world.imitation.requests) == 1
