"""StatefulSets in the simulated cluster: ordered pods, revisions, and the traps of ordered updates."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deployments.drill.cluster import Cluster
from tests.drill.cluster_bench import (
    LABELS,
    MERGE,
    PODS,
    STATEFUL_SET,
    Bench,
    bench,
    container,
    stateful_set,
)

BROKEN = container(image="integration:broken")


@pytest.fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    async with bench(None, stateful_set()) as made:
        await made.until(made.ordered)
        yield made


def template(*containers: dict[str, Any]) -> dict[str, Any]:
    """The patch that puts these containers into the template."""
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


def images(bench: Bench) -> dict[str, str]:
    """Each pod's image, by the pod's name."""
    pods = bench.cluster.objects("Pod")
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in pods}


def uids(bench: Bench) -> set[str]:
    """The uids of all pods."""
    return {pod["metadata"]["uid"] for pod in bench.cluster.objects("Pod")}


def status(bench: Bench) -> dict[str, Any]:
    """The StatefulSet's status."""
    found: dict[str, Any] = bench.cluster.get("StatefulSet", "queue")["status"]
    return found


def revision_numbers(bench: Bench) -> list[int]:
    """The numbers of the ControllerRevisions."""
    return sorted(each["revision"] for each in bench.cluster.objects("ControllerRevision"))


async def test_pods_are_made_one_after_the_other() -> None:
    """queue-1 is not made before queue-0 is ready."""
    seen: list[tuple[str, ...]] = []
    cluster = Cluster(pod_start_seconds=0.05, pod_stop_seconds=0.05)
    async with bench(cluster, stateful_set()) as made:
        await made.until(lambda: bool(made.cluster.objects("Pod")))
        while not made.ordered():
            pods = made.cluster.objects("Pod")
            ready = {pod.name for pod in cluster.pods(LABELS) if pod.ready}
            seen.append(
                tuple(pod["metadata"]["name"] for pod in pods if pod["metadata"]["name"] not in ready)
            )
            await made.http.get("/version")  # lets the cluster work
    assert max(len(unready) for unready in seen) == 1
    assert {name for unready in seen for name in unready} == {"queue-0", "queue-1", "queue-2"}


async def test_the_status_at_rest(bench: Bench) -> None:
    """All counts, one revision, and the generation that they are about."""
    name = bench.cluster.objects("ControllerRevision")[0]["metadata"]["name"]
    counts = dict.fromkeys(
        ("replicas", "readyReplicas", "availableReplicas", "currentReplicas", "updatedReplicas"), 3
    )
    assert status(bench) == {
        **counts,
        "observedGeneration": 1,
        "currentRevision": name,
        "updateRevision": name,
        "collisionCount": 0,
    }
    assert [(pod.name, pod.revision) for pod in bench.cluster.pods(LABELS)] == [
        ("queue-0", 1),
        ("queue-1", 1),
        ("queue-2", 1),
    ]


async def test_an_update_goes_down_from_the_highest_ordinal(bench: Bench) -> None:
    """At every moment at most one pod is missing, and the new ones are the highest."""
    seen = []
    await bench.patch(STATEFUL_SET, template(container(image="integration:2")), MERGE)
    await bench.until(lambda: status(bench)["observedGeneration"] == 2)
    while not bench.ordered():
        seen.append((status(bench).get("updatedReplicas", 0), status(bench).get("readyReplicas", 0)))
        new = {name for name, image in images(bench).items() if image == "integration:2"}
        assert new in ({*()}, {"queue-2"}, {"queue-2", "queue-1"}, {"queue-2", "queue-1", "queue-0"})
        await bench.http.get("/version")  # lets the cluster work
    assert seen == sorted(seen, key=lambda counts: counts[0])
    assert min(ready for _, ready in seen) >= 2
    assert revision_numbers(bench) == [1, 2]
    assert status(bench)["currentRevision"] == status(bench)["updateRevision"]


async def test_a_broken_revision_stops_at_its_first_pod(bench: Bench) -> None:
    """The update goes no further, and current and update revision stay apart."""
    bench.cluster.image_faults["integration:broken"] = "CrashLoopBackOff"
    await bench.patch(STATEFUL_SET, template(BROKEN), MERGE)
    await bench.until(lambda: "CrashLoopBackOff" in bench.waiting_reasons())
    assert images(bench) == {
        "queue-0": "integration:1",
        "queue-1": "integration:1",
        "queue-2": "integration:broken",
    }
    assert (status(bench)["updatedReplicas"], status(bench)["currentReplicas"]) == (1, 2)
    assert status(bench)["currentRevision"] != status(bench)["updateRevision"]


async def test_putting_the_template_back_does_not_free_a_broken_pod(bench: Bench) -> None:
    """The documented trap of ordered updates: the broken pod must be deleted by hand."""
    bench.cluster.image_faults["integration:broken"] = "CrashLoopBackOff"
    await bench.patch(STATEFUL_SET, template(BROKEN), MERGE)
    await bench.until(lambda: "CrashLoopBackOff" in bench.waiting_reasons())

    await bench.patch(STATEFUL_SET, template(container()), MERGE)
    await bench.until(lambda: status(bench)["observedGeneration"] == 3)
    await bench.until(lambda: bool(bench.events("BackOff")))
    assert images(bench)["queue-2"] == "integration:broken"
    assert revision_numbers(bench) == [2, 3]  # the first one, wanted again, is the newest

    await bench.http.delete(f"{PODS}/queue-2")
    await bench.until(bench.ordered)
    assert set(images(bench).values()) == {"integration:1"}


async def test_a_deleted_pod_comes_back_under_its_name(bench: Bench) -> None:
    """With another uid, which is how a caller tells the two apart."""
    before = uids(bench)
    await bench.http.delete(f"{PODS}/queue-1")
    await bench.until(lambda: len(uids(bench) - before) == 1 and bench.ordered())
    assert list(images(bench)) == ["queue-0", "queue-1", "queue-2"]


@pytest.mark.parametrize(
    ("strategy", "updated"),
    [
        ({"type": "OnDelete"}, []),
        ({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}, ["queue-2"]),
        ({"type": "RollingUpdate", "rollingUpdate": {"partition": 9}}, []),
    ],
)
async def test_the_strategy_holds_pods_back(strategy: dict[str, Any], updated: list[str]) -> None:
    """OnDelete updates none, a partition none below it."""
    async with bench(None, stateful_set(updateStrategy=strategy)) as made:
        await made.until(made.ordered)
        await made.patch(STATEFUL_SET, template(container(image="integration:2")), MERGE)
        await made.until(lambda: status(made)["observedGeneration"] == 2)
        await made.until(
            lambda: (
                status(made).get("updatedReplicas", 0) == len(updated)
                and status(made).get("readyReplicas") == 3
            )
        )
        assert [name for name, image in images(made).items() if image == "integration:2"] == updated


async def test_with_partition_a_deleted_pod_keeps_its_old_revision() -> None:
    """Below the partition a new pod is of the current revision, not of the update's."""
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 3}}
    async with bench(None, stateful_set(updateStrategy=strategy)) as made:
        await made.until(made.ordered)
        await made.patch(STATEFUL_SET, template(container(image="integration:2")), MERGE)
        await made.until(lambda: status(made)["observedGeneration"] == 2)
        before = uids(made)
        await made.http.delete(f"{PODS}/queue-0")
        await made.until(lambda: len(uids(made) - before) == 1)
        assert images(made)["queue-0"] == "integration:1"


async def test_parallel_pods_do_not_wait_for_each_other() -> None:
    """With podManagementPolicy Parallel a pod that never starts holds up none of the others."""
    cluster = Cluster(pod_start_seconds=0.05, pod_stop_seconds=0.05)
    cluster.image_faults["integration:1"] = "ImagePullBackOff"
    async with bench(cluster, stateful_set(podManagementPolicy="Parallel")) as made:
        await made.until(lambda: len(images(made)) == 3)


async def test_scaling_removes_the_highest_ordinals_first(bench: Bench) -> None:
    """One after the other, down to the wanted number."""
    gone: list[str] = []

    def look() -> bool:
        left = images(bench)
        gone.extend(name for name in ("queue-2", "queue-1") if name not in left and name not in gone)
        return bench.ordered() and status(bench)["observedGeneration"] == 2

    await bench.patch(STATEFUL_SET, {"spec": {"replicas": 1}}, MERGE)
    await bench.until(look)
    assert gone == ["queue-2", "queue-1"]
    assert list(images(bench)) == ["queue-0"]


async def test_old_revisions_are_forgotten() -> None:
    """Beside those in use, as many as the history limit says."""
    async with bench(None, stateful_set(replicas=1, revisionHistoryLimit=1)) as made:
        await made.until(made.ordered)
        for number in (2, 3, 4):
            await made.patch(STATEFUL_SET, template(container(image=f"integration:{number}")), MERGE)
            await made.until(lambda number=number: status(made)["observedGeneration"] == number)  # type: ignore[misc]
            await made.until(made.ordered)
        await made.until(lambda: revision_numbers(made) == [3, 4])


async def test_what_makes_a_stateful_set_may_not_change(bench: Bench) -> None:
    """Selector, service name and pod management are for ever; the server says which fields are not."""
    answer = await bench.patch(STATEFUL_SET, {"spec": {"serviceName": "other"}}, MERGE)
    assert answer.status_code == 422
    assert answer.json()["message"] == (
        'StatefulSet.apps "queue" is invalid: spec: Forbidden: updates to statefulset spec for fields other '
        "than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
        "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
    )


async def test_a_deleted_stateful_set_takes_pods_and_revisions_along(bench: Bench) -> None:
    """The collector removes what it owned."""
    await bench.http.delete(STATEFUL_SET)
    await bench.until(
        lambda: not bench.cluster.objects("Pod") and not bench.cluster.objects("ControllerRevision")
    )
