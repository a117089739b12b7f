"""The real kubectl against StatefulSets, disruption budgets and the rights of one's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deployments.drill.cluster import Rule
from tests.drill.cluster_bench import ADMIN_TOKEN, LABELS, Bench, bench, budget, stateful_set
from tests.drill.kubectl import Kubectl, kubectl_for

pytestmark = pytest.mark.real
TARGET = "sts/queue"


@pytest.fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    async with bench(None, stateful_set(), budget(minAvailable=2)) as made:
        await made.until(made.ordered)
        yield made


@pytest.fixture(name="kubectl")
async def _kubectl(bench: Bench, tmp_path: Path) -> Kubectl:
    return kubectl_for(bench, tmp_path)


async def test_get_shows_stateful_sets_and_their_revisions(kubectl: Kubectl) -> None:
    """Tables as people know them, with pods named by their ordinals."""
    answer = await kubectl("kubectl get sts,controllerrevisions,pods")
    rows = [line.split() for line in answer.out.splitlines() if line]
    assert rows[0] == ["NAME", "READY", "AGE"], answer.err
    assert rows[1][:2] == ["statefulset.apps/queue", "3/3"]
    assert rows[3][1:3] == ["statefulset.apps/queue", "1"]
    assert [row[0] for row in rows[5:]] == ["pod/queue-0", "pod/queue-1", "pod/queue-2"]


async def test_a_change_is_rolled_out_and_undone(bench: Bench, kubectl: Kubectl) -> None:
    """set env, status, history and undo: the pods have the value and then lose it again."""
    await kubectl(f"kubectl set env {TARGET} RATE_LIMIT_MODE=queue")
    waited = await kubectl(f"kubectl rollout status {TARGET} --timeout=30s")
    assert waited.out.endswith("partitioned roll out complete: 3 new pods have been updated...\n"), waited.err
    assert [pod.env.get("RATE_LIMIT_MODE") for pod in bench.cluster.pods(LABELS)] == ["queue"] * 3

    undone = await kubectl(f"kubectl rollout undo {TARGET}")
    assert undone.out == "statefulset.apps/queue rolled back\n", undone.err
    await kubectl(f"kubectl rollout status {TARGET} --timeout=30s")
    assert [pod.env.get("RATE_LIMIT_MODE") for pod in bench.cluster.pods(LABELS)] == [None] * 3
    history = await kubectl(f"kubectl rollout history {TARGET}")
    assert [line.split()[0] for line in history.out.splitlines()[2:] if line] == ["2", "3"]


async def test_restart_and_scale(bench: Bench, kubectl: Kubectl) -> None:
    """A restart replaces every pod; scaling removes the highest ordinals."""
    before = {pod["metadata"]["uid"] for pod in bench.cluster.objects("Pod")}
    restarted = await kubectl(f"kubectl rollout restart {TARGET}")
    assert restarted.out == "statefulset.apps/queue restarted\n", restarted.err
    await kubectl(f"kubectl rollout status {TARGET} --timeout=30s")
    assert before.isdisjoint(pod["metadata"]["uid"] for pod in bench.cluster.objects("Pod"))

    scaled = await kubectl(f"kubectl scale {TARGET} --replicas=1")
    assert scaled.out == "statefulset.apps/queue scaled\n", scaled.err
    await bench.until(lambda: [pod.name for pod in bench.cluster.pods(LABELS)] == ["queue-0"])


async def test_budgets_say_how_many_pods_may_go(kubectl: Kubectl) -> None:
    """`kubectl get pdb` has the numbers that decide about an eviction."""
    answer = await kubectl("kubectl get pdb")
    assert [line.split()[:4] for line in answer.out.splitlines()[1:]] == [["queue", "2", "N/A", "1"]]


async def test_a_dry_run_of_a_deletion_deletes_nothing(bench: Bench, kubectl: Kubectl) -> None:
    """kubectl asks for it in the body, which is what counts."""
    answer = await kubectl("kubectl delete pod queue-0 --dry-run=server")
    assert answer.out == 'pod "queue-0" deleted (server dry run)\n', answer.err
    assert "deletionTimestamp" not in bench.cluster.get("Pod", "queue-0")["metadata"]


async def test_can_i_asks_about_names_and_subresources(bench: Bench, kubectl: Kubectl) -> None:
    """A role for one object and one subresource is shown for what it is."""
    rules = [
        Rule(verbs=("patch",), groups=("apps",), resources=("statefulsets",), names=("queue",)),
        Rule(verbs=("get",), resources=("pods/log",)),
    ]
    bench.cluster.grant("admin", ADMIN_TOKEN, rules)
    questions = {
        "patch sts/queue": "yes",
        "patch sts/other": "no",
        "patch sts": "no",
        "get pods --subresource=log": "yes",
        "get pods": "no",
        "list pdb": "no",
    }
    answers = {asked: (await kubectl(f"kubectl auth can-i {asked}")).out.strip() for asked in questions}
    assert answers == questions
    listed = (await kubectl("kubectl auth can-i --list")).out
    assert [line.split() for line in listed.splitlines() if line.startswith("statefulsets.apps")] == [
        ["statefulsets.apps", "[]", "[queue]", "[patch]"]
    ]
