"""Which disruption budgets count the workload's pods."""

from typing import Any

import pytest

from blocks.kubernetes.budgets import selects
from blocks.transport.errors import NotFound
from deployments.drill.cluster import Fault
from tests.blocks.cluster_world import LABELS, cluster_world


def budget(name: str, selector: dict[str, Any] | None) -> dict[str, Any]:
    """A budget of one pod that must stay."""
    spec: dict[str, Any] = {"minAvailable": 1} | ({} if selector is None else {"selector": selector})
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": spec,
    }


async def test_the_budgets_of_the_workloads_pods_are_listed() -> None:
    """Those for other pods are left out; the status says how many pods may go."""
    async with cluster_world() as world:
        for each in (
            budget("ours", {"matchLabels": LABELS}),
            budget("everyones", {}),
            budget("nobodys", None),
            budget("others", {"matchLabels": {"app": "another"}}),
        ):
            world.imitation.apply(each)
        while not world.imitation.get("PodDisruptionBudget", "ours").get("status"):
            await world.block.workload.pods()

        found = await world.block.workload.disruption_budgets()

    assert [each["metadata"]["name"] for each in found] == ["everyones", "ours"]
    assert found[1]["status"]["disruptionsAllowed"] == 1


async def test_a_cluster_without_the_api_is_told_by_its_age() -> None:
    """Before Kubernetes 1.21 there is no policy/v1; that is not the same as no budget."""
    async with cluster_world() as world:
        world.imitation.faults.append(Fault(path="^/apis/policy", status=404, message="page not found"))

        with pytest.raises(NotFound, match=r"policy/v1 came with Kubernetes 1\.21"):
            await world.block.workload.disruption_budgets()


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "a"}}, True),
        ({"matchLabels": {"app": "a", "tier": "web"}}, True),
        ({"matchLabels": {"app": "b"}}, False),
        ({"matchLabels": {"app": "a", "zone": "x"}}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["web", "api"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["api"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["api"]}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["x"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "Resembles"}]}, True),
        ({"matchLabels": {"app": "b"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
    ],
)
def test_a_selector_selects(selector: dict[str, Any] | None, selected: bool) -> None:
    """Every operator; one that is not known here selects, so that no budget is overlooked."""
    assert selects(selector, {"app": "a", "tier": "web"}) is selected
