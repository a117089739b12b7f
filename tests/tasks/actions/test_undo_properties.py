"""Whatever the workload looks like: a change and its undo leave it as others have left it."""

import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from blocks.environment import Environment
from blocks.kubernetes.revisions import DEPLOYMENT_REVISION
from blocks.transport.errors import Conflict, Unavailable
from deployments.drill.cluster import ADMIN
from deployments.drill.cluster.writes.strategic_merge import strategically_merged
from runbook.actions.catalogue import ChangePlan, PlannedAction, undo_of
from runbook.actions.spec import ActionName
from runbook.actions.specs.fallback import DISABLE_FALLBACK, ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.request_queue import DISABLE_REQUEST_QUEUE, ENABLE_REQUEST_QUEUE
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.actions.specs.scale import SCALE
from tasks.actions.changes import MITIGATIONS
from tasks.actions.changes.base import Change
from tests.blocks.cluster_world import ClusterWorld, cluster_world
from tests.conftest import EXAMPLES
from tests.tasks.environments import AT, environment
from tests.tasks.mitigation_bench import in_time, until

SWITCHES = {"POSTHOG_FALLBACK": ("true", "false", "shadow", ""), "RATE_LIMIT_MODE": ("queue", "drop")}
LIMITS = ("64Mi", "100M", "256Mi", "0.5Gi", "1e9", "1536Mi")

names = st.sampled_from(("LOG_LEVEL", "REGION", "BATCH", "TEAM", "URL"))
literals = st.builds(
    lambda name, value: {"name": name, "value": value}, names, st.text("ab ${}()=,'\"", max_size=6)
)
references = st.builds(
    lambda name: {"name": name, "valueFrom": {"secretKeyRef": {"name": "posthog-secrets", "key": "api-key"}}},
    names,
)
switches = st.sampled_from(sorted(SWITCHES)).flatmap(
    lambda name: st.builds(lambda value: {"name": name, "value": value}, st.sampled_from(SWITCHES[name]))
)
variables = st.lists(literals | references | switches, max_size=6, unique_by=lambda item: str(item["name"]))


@st.composite
def containers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """The integration's container, `app`, among others."""
    app: dict[str, Any] = {
        "name": "app",
        "image": draw(st.sampled_from(("registry.example/integration:1", "registry.example/integration:2"))),
        "env": draw(variables),
        "resources": {"limits": {"memory": draw(st.sampled_from(LIMITS))}},
    }
    if draw(st.booleans()):
        app["resources"]["limits"]["cpu"] = "500m"
        app["resources"]["requests"] = {"memory": "32Mi"}
    others = [{"name": "proxy", "image": "registry.example/proxy:1", "env": draw(variables)}]
    return draw(st.permutations([app, *others[: draw(st.integers(0, 1))]]))


@st.composite
def workloads(draw: st.DrawFn) -> dict[str, Any]:
    """A Deployment without a name."""
    noted = st.sampled_from(("team", "kubectl.kubernetes.io/restartedAt"))
    pod_spec: dict[str, Any] = {"containers": draw(containers())}
    if draw(st.booleans()):
        pod_spec["volumes"] = [{"name": "scratch", "emptyDir": {}}]
        pod_spec["tolerations"] = [{"key": "spot", "operator": "Exists"}]
    metadata = {"annotations": draw(st.dictionaries(noted, st.just("x")))}
    return {"replicas": draw(st.integers(0, 1)), "template": {"metadata": metadata, "spec": pod_spec}}


OTHERS: Mapping[str, dict[str, Any]] = {
    "nothing": {},
    "a label": {"metadata": {"labels": {"owner": "jun"}}},
    "the strategy": {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 2}}}},
    "replicas": {"spec": {"replicas": 4}},
    "a variable": {"containers": [{"name": "app", "env": [{"name": "ADDED", "value": "by jun"}]}]},
    "a processor limit": {"containers": [{"name": "app", "resources": {"limits": {"cpu": "750m"}}}]},
    "another image": {"containers": [{"name": "app", "image": "registry.example/integration:9"}]},
}
"""What somebody else changes between the change and its undo; containers stand for those of the template."""


def others_patch(what: str) -> dict[str, Any]:
    """The patch of somebody else's change."""
    change = OTHERS[what]
    return {"spec": {"template": {"spec": change}}} if "containers" in change else change


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """A cluster in which the runbook may change any Deployment."""
    async with cluster_world(rules=(ADMIN,)) as running:
        yield running


numbers = count()
examples = settings(
    max_examples=max(3, EXAMPLES // 33),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example takes a second: too long to shrink one
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class Workload:
    """A Deployment of its own, and what the runbook does with it."""

    def __init__(self, world: ClusterWorld, folder: Path, spec: dict[str, Any]) -> None:
        self.world, self.name = world, f"example-{next(numbers)}"
        labels = {"app": self.name}
        own = copy.deepcopy(spec)
        own["selector"] = {"matchLabels": labels}
        own["template"]["metadata"]["labels"] = labels
        self.patch({"spec": own})
        block = world.block_with(container="app", workload_name=self.name, selector=f"app={self.name}")
        self.environment: Environment = replace(environment(folder), cluster=block)

    @property
    def live(self) -> dict[str, Any]:
        """The Deployment as it is now."""
        return self.world.imitation.get("Deployment", self.name)

    def patch(self, patch: dict[str, Any]) -> None:
        """Somebody else changes it."""
        metadata = {"name": self.name, **patch.get("metadata", {})}
        self.world.imitation.apply({"kind": "Deployment", **patch, "metadata": metadata})

    async def take(self, action: PlannedAction, done: ChangePlan | None = None) -> ChangePlan:
        """Preview the action and, if it is possible and needed, make it."""
        change = Change(
            action=action,
            environment=self.environment,
            effect_id=f"inc-1/{action.id}",
            since=AT,
            policy=self.environment.runbook_policy.policy,
            done=done,
        )
        mitigation = MITIGATIONS[action.name]
        plan = await self._previewed(change)
        if plan.diff:
            for step in mitigation.steps(change, plan):
                await step.act()
                assert await step.observe() is not None
        return plan

    async def _previewed(self, change: Change) -> ChangePlan:
        """A controller's write of a status comes in between now and then, or is still to come."""
        async with in_time(f"a preview of {change.action.name} on {self.name}"):
            while True:
                with suppress(Conflict, Unavailable):
                    return await MITIGATIONS[change.action.name].preview(change)

    async def at_revision(self, number: int) -> None:
        """Wait until the controller has rolled this revision out."""
        await until(lambda: self.revision == str(number), f"revision {number} of {self.name}")

    @property
    def revision(self) -> str | None:
        """The number of the newest revision, as the controller has noted it."""
        return (self.live["metadata"].get("annotations") or {}).get(DEPLOYMENT_REVISION)


def planned(name: ActionName, **parameters: str) -> PlannedAction:
    """The action, planned."""
    return PlannedAction(
        id=f"1-{name}", name=name, target="a workload", because="a test", parameters=parameters
    )


def merged(template: dict[str, Any]) -> dict[str, Any]:
    """The template with its variables in no order: one that was taken away comes back at another place.

    A list without variables is none: the real API server leaves it out.
    """
    found = copy.deepcopy(template)
    for container in found["spec"]["containers"]:
        container["env"] = sorted(container.get("env", []), key=lambda item: str(item["name"]))
    return found


def in_order(template: dict[str, Any]) -> list[list[str]]:
    """The names of each container's variables."""
    return [
        [item["name"] for item in container.get("env", [])] for container in template["spec"]["containers"]
    ]


@pytest.mark.parametrize(
    "name",
    [
        ENABLE_FALLBACK.name,
        DISABLE_FALLBACK.name,
        ENABLE_REQUEST_QUEUE.name,
        DISABLE_REQUEST_QUEUE.name,
        RAISE_MEMORY_LIMIT.name,
        SCALE.name,
    ],
)
@examples
@given(
    spec=workloads(),
    other=st.sampled_from(sorted(OTHERS)),
    memory=st.sampled_from((*LIMITS, "2Gi")),
    replicas=st.integers(1, 5),
)
async def test_the_undo_of_a_field_restores_it_and_nothing_else(
    tmp_path: Path,
    world: ClusterWorld,
    name: ActionName,
    spec: dict[str, Any],
    other: str,
    memory: str,
    replicas: int,
) -> None:
    """The specification is what it was, but for what somebody else has changed meanwhile, which is kept."""
    assume((name, other) != (SCALE.name, "replicas"))
    workload = Workload(world, tmp_path, spec)
    before = workload.live["spec"]
    action = planned(name, memory=memory, replicas=str(replicas))
    done = await workload.take(action)
    assume(done.diff)
    assert merged(workload.live["spec"]["template"]) != merged(before["template"]) or name == SCALE.name
    workload.patch(others_patch(other))
    undone = await workload.take(undo_of(action), done)

    assert undone.diff
    expected = strategically_merged({"metadata": {}, "spec": before}, others_patch(other))["spec"]
    after = workload.live["spec"]
    if name not in (DISABLE_FALLBACK.name, DISABLE_REQUEST_QUEUE.name):
        assert in_order(after["template"]) == in_order(expected["template"])
    assert {**after, "template": merged(after["template"])} == {
        **expected,
        "template": merged(expected["template"]),
    }


@examples
@given(
    spec=workloads(),
    newer=containers(),
    other=st.sampled_from(sorted(OTHERS)),
)
async def test_the_undo_of_a_roll_back_rolls_forward_unless_somebody_has_rolled_out_anew(
    tmp_path: Path, world: ClusterWorld, spec: dict[str, Any], newer: list[dict[str, Any]], other: str
) -> None:
    """The replaced template is back to the letter; another one that somebody has put in place is kept.

    The roll back has made it worse: more pods were available before.
    """
    workload = Workload(world, tmp_path, spec)
    await workload.at_revision(1)
    first = workload.live["spec"]["template"]
    workload.patch({"spec": {"template": {"spec": {"containers": [{"$patch": "replace"}, *newer]}}}})
    second = workload.live["spec"]["template"]
    assume(first != second)
    await workload.at_revision(2)
    action = planned(ROLL_BACK.name)

    done = await workload.take(action)
    assert workload.live["spec"]["template"] == first
    await workload.at_revision(3)
    workload.patch(others_patch(other))
    theirs = workload.live["spec"]
    if theirs["template"] != first:
        await workload.at_revision(4)
    undone = await workload.take(undo_of(action), done.model_copy(update={"available": 99}))

    kept = theirs["template"] != first
    assert bool(undone.blocked) == kept
    assert workload.live["spec"] == {**theirs, "template": theirs["template"] if kept else second}
