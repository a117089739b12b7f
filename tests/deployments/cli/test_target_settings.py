"""What `runbook doctor` says of settings that do not fit the cluster."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deployments.cli.doctor.target_settings import misfits
from deployments.drill.cluster import Rule
from tests.blocks.cluster_world import RULES, ClusterWorld, cluster_world

pytestmark = pytest.mark.real


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """The integration, running."""
    async with cluster_world() as running:
        yield running


WRONG = {
    "workload_name": ({"workload_name": "posthog"}, "default/deployment/posthog does not exist"),
    "container": ({"container": "main"}, "no container 'main', only app, proxy. Correct `container`"),
    "selector": (
        {"selector": "app=posthog"},
        "finds no pod of default/deployment/posthog-integration, which has app=",
    ),
    "Secret": ({"secret_name": "posthog"}, "Secret posthog does not exist. Correct `secret_name`"),
    "key": (
        {"secret_key": "apikey"},
        "reads key apikey of Secret posthog-secrets; they read api-key. Correct",
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_name_is_told_with_its_setting(world: ClusterWorld, name: str) -> None:
    """All rights are there, whatever the names, and a change would reach nothing."""
    world.restrict(*(Rule(each.verbs, each.groups, each.resources) for each in RULES))
    settings: dict[str, Any]
    settings, said = WRONG[name]
    cluster = world.block_with(**{"container": "app", **settings})
    [told] = await misfits(cluster, cluster.permitted())
    assert said in told
    assert told.endswith("in [cluster].")


async def test_settings_that_fit_need_no_word(world: ClusterWorld) -> None:
    """Also where no container is named."""
    for settings in ({"container": "app"}, {}):
        cluster = world.block_with(**settings)
        assert await misfits(cluster, cluster.permitted()) == []


async def test_what_may_not_be_read_is_not_asked_for(world: ClusterWorld) -> None:
    """A missing right is told by itself; the Secret is left alone without the access for it."""
    cluster = world.block_with(secret_name="posthog", access="mitigation")
    assert await misfits(cluster, cluster.permitted()) == []
    assert not [path for path in world.asked("GET") if "/secrets" in path]
    before = len(world.asked("GET"))
    assert await misfits(cluster, ()) == []
    assert len(world.asked("GET")) == before
