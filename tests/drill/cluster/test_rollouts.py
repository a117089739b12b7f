"""How the simulated cluster rolls a deployment out, back, and not at all."""

from typing import Any

from deployments.drill.cluster import Cluster
from tests.drill.cluster_bench import (
    APP,
    DEPLOYMENT,
    JSON_PATCH,
    LABELS,
    MERGE,
    PODS,
    Bench,
    bench,
    container,
    deployment,
    env_patch,
)

RESTART = {
    "spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-22"}}}}
}
BROKEN = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "integration:broken"}]}}}}


def _revisions(made: Bench) -> dict[str, int]:
    """The wanted number of pods by revision."""
    annotation = "deployment.kubernetes.io/revision"
    sets = made.cluster.objects("ReplicaSet")
    return {each["metadata"]["annotations"][annotation]: each["spec"]["replicas"] for each in sets}


def _condition(made: Bench, kind: str) -> dict[str, Any]:
    conditions = made.cluster.get("Deployment", APP)["status"]["conditions"]
    return next(each for each in conditions if each["type"] == kind)


async def test_a_new_template_replaces_every_pod() -> None:
    """A changed variable makes a new revision whose pods all have it, and the old revision keeps none."""
    async with bench() as made:
        old = {pod.name for pod in made.cluster.pods(LABELS)}
        await made.patch(DEPLOYMENT, env_patch("POSTHOG_FALLBACK", "true"))
        await made.until(made.complete)
        await made.until(lambda: len(made.cluster.objects("Pod")) == 2)
        pods = made.cluster.pods(LABELS)
        assert {pod.env["POSTHOG_FALLBACK"] for pod in pods} == {"true"}
        assert {pod.revision for pod in pods} == {2}
        assert not old & {pod.name for pod in pods}
        assert _revisions(made) == {"1": 0, "2": 2}
        assert made.reason() == "NewReplicaSetAvailable"
        assert made.events("ScalingReplicaSet")


async def test_enough_pods_stay_ready_during_a_rollout() -> None:
    """With two replicas at most one pod is added at a time and none may be missing."""
    async with bench() as made:
        counts: list[int] = []
        await made.patch(DEPLOYMENT, RESTART)

        def done() -> bool:
            counts.append(sum(pod.ready for pod in made.cluster.pods(LABELS)))
            return made.complete()

        await made.until(done)
        assert min(counts) >= 2
        assert max(len(made.cluster.pods(LABELS)), *counts) <= 3


async def test_terminating_pods_of_the_old_revision_are_still_listed() -> None:
    """Whoever lists pods during a rollout also finds the old ones, marked for deletion."""
    async with bench(Cluster(pod_start_seconds=0.02, pod_stop_seconds=5)) as made:
        await made.patch(DEPLOYMENT, RESTART)
        await made.until(made.complete)
        items = (await made.http.get(PODS, params={"labelSelector": f"app={APP}"})).json()["items"]
        assert any("deletionTimestamp" in item["metadata"] for item in items)
        assert len(made.cluster.pods(LABELS)) == 2
        assert made.events("Killing")


async def test_undo_makes_the_old_template_the_newest_revision() -> None:
    """The ReplicaSet of the old template is used again, under a new number."""
    async with bench() as made:
        original = made.cluster.get("Deployment", APP)["spec"]["template"]
        hashes = {pod.template_hash for pod in made.cluster.pods(LABELS)}
        await made.patch(DEPLOYMENT, RESTART)
        await made.until(made.complete)
        await made.patch(
            DEPLOYMENT, [{"op": "replace", "path": "/spec/template", "value": original}], JSON_PATCH
        )
        await made.until(lambda: made.complete() and _revisions(made) == {"2": 0, "3": 2})
        assert {pod.template_hash for pod in made.cluster.pods(LABELS)} == hashes
        annotations = made.cluster.get("Deployment", APP)["metadata"]["annotations"]
        assert annotations["deployment.kubernetes.io/revision"] == "3"


async def test_a_rollout_without_progress_exceeds_its_deadline() -> None:
    """New pods that never get ready leave the old ones serving; after the deadline the condition says so."""
    async with bench() as made:
        made.cluster.image_faults["integration:broken"] = "ImagePullBackOff"
        await made.patch(DEPLOYMENT, {"spec": {"progressDeadlineSeconds": 1}})
        await made.patch(DEPLOYMENT, BROKEN)
        await made.until(lambda: made.reason() == "ProgressDeadlineExceeded")
        condition = _condition(made, "Progressing")
        assert condition["status"] == "False"
        assert "has timed out progressing" in condition["message"]
        assert _condition(made, "Available")["status"] == "True"
        assert sum(pod.ready for pod in made.cluster.pods(LABELS)) == 2


async def test_a_rollout_that_was_stuck_can_be_rolled_back() -> None:
    """After the deadline an undo completes, and the condition recovers."""
    async with bench() as made:
        made.cluster.image_faults["integration:broken"] = "CrashLoopBackOff"
        original = made.cluster.get("Deployment", APP)["spec"]["template"]
        await made.patch(DEPLOYMENT, {"spec": {"progressDeadlineSeconds": 1}})
        await made.patch(DEPLOYMENT, BROKEN)
        await made.until(lambda: made.reason() == "ProgressDeadlineExceeded")
        await made.patch(
            DEPLOYMENT, [{"op": "replace", "path": "/spec/template", "value": original}], JSON_PATCH
        )
        await made.until(lambda: made.complete() and made.reason() == "NewReplicaSetAvailable")


async def test_pods_that_fail_after_a_rollout_do_not_undo_its_success() -> None:
    """Progressing stays true when a pod becomes unready later; Available tells the loss."""
    async with bench() as made:
        for pod in made.cluster.pods(LABELS):
            made.cluster.set_ready(pod.name, False)
        await made.until(lambda: _condition(made, "Available")["status"] == "False")
        status = made.cluster.get("Deployment", APP)["status"]
        assert "availableReplicas" not in status
        assert status["unavailableReplicas"] == 2
        made.cluster.set_ready(made.cluster.pods(LABELS)[0].name, True)
        await made.until(lambda: made.cluster.get("Deployment", APP)["status"].get("availableReplicas") == 1)
        assert made.reason() == "NewReplicaSetAvailable"


async def test_a_paused_deployment_takes_changes_without_rolling_them_out() -> None:
    """Its template may change and nothing happens until it is resumed; its size still follows."""
    async with bench() as made:
        await made.patch(DEPLOYMENT, {"spec": {"paused": True}}, MERGE)
        await made.patch(DEPLOYMENT, RESTART)
        await made.patch(DEPLOYMENT, {"spec": {"replicas": 3}}, MERGE)
        await made.until(lambda: len(made.cluster.pods(LABELS)) == 3)
        assert made.reason() == "DeploymentPaused"
        assert _revisions(made) == {"1": 3}
        await made.patch(DEPLOYMENT, {"spec": {"paused": None}}, MERGE)
        await made.until(lambda: made.complete() and _revisions(made) == {"1": 0, "2": 3})


async def test_recreate_stops_every_old_pod_before_it_starts_a_new_one() -> None:
    """Old and new pods never run side by side."""
    manifest = deployment(strategy={"type": "Recreate"})
    async with bench(None, manifest) as made:
        await made.until(made.complete)
        mixed: list[bool] = []

        def done() -> bool:
            pods = made.cluster.objects("Pod")  # those that are still terminating included
            mixed.append(len({pod["metadata"]["labels"]["pod-template-hash"] for pod in pods}) > 1)
            return made.complete() and _revisions(made) == {"1": 0, "2": 2}

        await made.patch(DEPLOYMENT, RESTART)
        await made.until(done)
        assert not any(mixed)


async def test_scaling_changes_the_number_of_pods_and_no_template() -> None:
    """The scale subresource adds and removes pods of the same revision."""
    async with bench() as made:
        answer = await made.patch(f"{DEPLOYMENT}/scale", {"spec": {"replicas": 4}}, MERGE)
        assert answer.json()["kind"] == "Scale"
        await made.until(lambda: made.complete() and len(made.cluster.pods(LABELS)) == 4)
        await made.patch(f"{DEPLOYMENT}/scale", {"spec": {"replicas": 1}}, MERGE)
        await made.until(lambda: made.complete() and len(made.cluster.pods(LABELS)) == 1)
        assert _revisions(made) == {"1": 1}


async def test_a_deleted_pod_is_replaced() -> None:
    """Deleting a pod terminates it, and its ReplicaSet starts another."""
    async with bench() as made:
        victim = made.cluster.pods(LABELS)[0].name
        body = (await made.http.delete(f"{PODS}/{victim}")).json()
        assert "deletionTimestamp" in body["metadata"]
        await made.until(
            lambda: victim not in {pod["metadata"]["name"] for pod in made.cluster.objects("Pod")}
        )
        await made.until(made.complete)
        assert len(made.cluster.pods(LABELS)) == 2


async def test_deleting_a_deployment_takes_its_pods_along() -> None:
    """What belonged to it is collected, as with kubectl's default."""
    async with bench() as made:
        await made.http.delete(DEPLOYMENT)
        await made.until(lambda: not made.cluster.objects("Pod") and not made.cluster.objects("ReplicaSet"))


async def test_orphaned_pods_stay() -> None:
    """With propagationPolicy=Orphan the ReplicaSet and its pods live on without an owner."""
    async with bench() as made:
        await made.http.delete(DEPLOYMENT, params={"propagationPolicy": "Orphan"})
        body = (await made.http.get(PODS)).json()
        assert len(body["items"]) == 2
        assert [each["metadata"].get("ownerReferences") for each in made.cluster.objects("ReplicaSet")] == [
            []
        ]


async def test_old_revisions_are_forgotten_beyond_the_history_limit() -> None:
    """revisionHistoryLimit keeps only so many empty ReplicaSets, so an undo cannot go back for ever."""
    async with bench(None, deployment(revisionHistoryLimit=1)) as made:
        for number in range(3):
            await made.until(made.complete)
            await made.patch(DEPLOYMENT, env_patch("NUMBER", str(number)))
        await made.until(lambda: made.complete() and _revisions(made) == {"3": 0, "4": 2})


async def test_a_rollout_of_one_container_keeps_the_other_as_it_is() -> None:
    """Only the container that the patch names changes."""
    async with bench(None, deployment(container(), container("sidecar", image="proxy:1"))) as made:
        await made.until(made.complete)
        await made.patch(DEPLOYMENT, env_patch("RATE_LIMIT_MODE", "queue"))
        await made.until(lambda: made.complete() and _revisions(made).get("2") == 2)
        containers = made.cluster.get("Deployment", APP)["spec"]["template"]["spec"]["containers"]
        assert [each["image"] for each in containers] == ["integration:1", "proxy:1"]
        assert [len(each["env"]) for each in containers] == [2, 1]
