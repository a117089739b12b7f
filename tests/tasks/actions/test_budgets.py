"""Whoever approves the deletion of a pod reads that it goes past a disruption budget."""

from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.blocks.cluster_world import LABELS
from tests.tasks.changes import CHANGES, DELETE_POD
from tests.tasks.mitigation_bench import mitigation_bench

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]


@pytest.mark.parametrize(
    ("change", "least", "said"),
    [
        (
            DELETE_POD,
            2,
            "disruption budget app: 0 disruptions allowed now: a deletion ignores it; an eviction might "
            "be refused",
        ),
        (DELETE_POD, 0, "disruption budget app: 1 disruptions allowed now"),
        (CHANGES[0], 2, "disruption budget app: 0 disruptions allowed now"),
    ],
    ids=["a deletion past it", "a deletion within it", "a rolling update"],
)
async def test_a_budget_of_none_is_told_at_the_gate(
    tmp_path: Path, httpserver: HTTPServer, change: Any, least: int, said: str
) -> None:
    """`kubectl delete pod` ignores it, too; only a person can weigh that."""
    async with mitigation_bench(tmp_path, httpserver) as bench:
        spec = {"minAvailable": least, "selector": {"matchLabels": LABELS}}
        budget = {"kind": "PodDisruptionBudget", "metadata": {"name": "app"}, "spec": spec}
        bench.world.imitation.apply(budget)
        action = await change.planned(bench.world)
        await bench.quiet()
        plan = await bench.preview(action)

        assert plan.blocked is None
        assert said in plan.affects
