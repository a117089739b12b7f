"""Deletions with preconditions, and budgets that say how many pods may go, in the simulated cluster."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deployments.drill.cluster.cluster import Cluster
from tests.drill.cluster_bench import BUDGETS, LABELS, PODS, Bench, bench, budget, stateful_set

POD = f"{PODS}/queue-2"


@pytest.fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    async with bench(None, stateful_set()) as made:
        await made.until(made.ordered)
        yield made


def counts(bench: Bench) -> tuple[int, int, int, int]:
    """Expected, desired and healthy pods, and how many may go."""
    status = bench.cluster.get("PodDisruptionBudget", "queue").get("status") or {}
    fields = ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed")
    return tuple(status.get(field, -1) for field in fields)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 2}, (3, 2, 3, 1)),
        ({"minAvailable": 3}, (3, 3, 3, 0)),
        ({"minAvailable": 9}, (3, 9, 3, 0)),
        ({"minAvailable": "50%"}, (3, 2, 3, 1)),
        ({"maxUnavailable": 1}, (3, 2, 3, 1)),
        ({"maxUnavailable": "34%"}, (3, 1, 3, 2)),
        ({"maxUnavailable": "100%"}, (3, 0, 3, 3)),
        ({"maxUnavailable": 9}, (3, 0, 3, 3)),
        ({"minAvailable": 1, "selector": {}}, (3, 1, 3, 2)),
        ({"minAvailable": 1, "selector": None}, (0, 1, 0, 0)),
        ({"minAvailable": 1, "selector": {"matchLabels": {"app": "other"}}}, (0, 1, 0, 0)),
        ({}, (0, 0, 3, 0)),
    ],
)
async def test_a_budget_counts_its_pods(
    bench: Bench, spec: dict[str, Any], expected: tuple[int, int, int, int]
) -> None:
    """Numbers and percentages, of the pods that its selector selects."""
    bench.cluster.apply(budget(**spec))
    await bench.until(lambda: counts(bench) == expected)


async def test_an_unhealthy_pod_uses_up_the_budget(bench: Bench) -> None:
    """A pod that is not ready counts as gone already."""
    bench.cluster.apply(budget(maxUnavailable=1))
    await bench.until(lambda: counts(bench) == (3, 2, 3, 1))
    bench.cluster.set_ready("queue-0", False)
    await bench.until(lambda: counts(bench) == (3, 2, 2, 0))
    condition = bench.cluster.get("PodDisruptionBudget", "queue")["status"]["conditions"][0]
    assert (condition["status"], condition["reason"]) == ("False", "InsufficientPods")


async def test_a_deployments_pods_are_counted_by_its_replicas() -> None:
    """Whatever its ReplicaSets ask for in the middle of a rollout."""
    async with bench() as made:
        made.cluster.apply(budget(maxUnavailable="50%"))
        await made.until(lambda: counts(made) == (2, 1, 2, 1))


async def test_a_budget_says_one_thing_only(bench: Bench) -> None:
    """Both limits at once are refused, and so is a nonsensical percentage."""
    both = await bench.http.post(BUDGETS, json=budget(minAvailable=1, maxUnavailable=1))
    odd = await bench.http.post(BUDGETS, json=budget(minAvailable="200%"))
    assert [both.status_code, odd.status_code] == [422, 422]
    assert "minAvailable and maxUnavailable cannot be both set" in both.json()["message"]


async def test_a_deletion_is_bound_to_the_pods_uid(bench: Bench) -> None:
    """The uid of a pod of the same name that is gone is a conflict; the right one deletes."""
    uid = bench.cluster.get("Pod", "queue-2")["metadata"]["uid"]
    stale = await bench.http.request("DELETE", POD, json={"preconditions": {"uid": "gone"}})
    assert stale.status_code == 409
    assert stale.json()["message"] == (
        'Operation cannot be fulfilled on pods "queue-2": Precondition failed: UID in precondition: gone, '
        f"UID in object meta: {uid}"
    )
    assert len(bench.cluster.pods(LABELS)) == 3
    right = await bench.http.request("DELETE", POD, json={"preconditions": {"uid": uid}})
    assert right.status_code == 200
    assert right.json()["metadata"]["deletionTimestamp"]


@pytest.mark.parametrize(
    ("query", "body", "deleted"),
    [
        ({"dryRun": "All"}, None, False),
        ({}, {"dryRun": ["All"]}, False),
        ({"dryRun": "All"}, {}, True),
        ({}, {}, True),
    ],
)
async def test_beside_a_body_a_deletions_query_is_not_read(
    query: dict[str, str], body: dict[str, Any] | None, deleted: bool
) -> None:
    """The trap of the real server: a dry run in the query of a request with a body really deletes."""
    pods_that_stop_slowly = Cluster(pod_start_seconds=0.05, pod_stop_seconds=5)
    async with bench(pods_that_stop_slowly, stateful_set()) as made:
        await made.until(made.ordered)
        answer = await made.http.request("DELETE", POD, params=query, json=body)
        assert answer.status_code == 200
        assert ("deletionTimestamp" in made.cluster.get("Pod", "queue-2")["metadata"]) is deleted


async def test_an_unknown_dry_run_is_refused(bench: Bench) -> None:
    """In the body as in the query."""
    answer = await bench.http.request("DELETE", POD, json={"dryRun": ["Some"]})
    assert answer.status_code == 400
