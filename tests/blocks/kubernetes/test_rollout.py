"""How far a rollout is, told from the objects alone: every word of `RolloutStatus` and what it takes."""

from typing import Any, Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from blocks.kubernetes.revisions import CONTROLLER_REVISION_HASH, TEMPLATE_HASH
from blocks.kubernetes.rollout import deployment_status, stateful_set_status

NEW, OLD = "new", "old"
Waiting = str | None


def counts(updated: int, total: int, available: int) -> dict[str, int]:
    """A status's counts, as the API writes them: without those of zero."""
    fields = {"updatedReplicas": updated, "replicas": total, "availableReplicas": available}
    return {name: count for name, count in (fields | {"readyReplicas": available}).items() if count}


def workload(desired: int, status: dict[str, Any], *, generation: int = 2, **spec: Any) -> dict[str, Any]:
    """A Deployment or StatefulSet; its status is about the second generation."""
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": desired, **spec},
        "status": {"observedGeneration": 2, "currentRevision": OLD, "updateRevision": NEW, **status},
    }


def pod(number: int, mark: str, waiting: Waiting = None, *, terminating: bool = False) -> dict[str, Any]:
    """A pod of a revision; `waiting` is why its container does not run."""
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    return {
        "metadata": {
            "name": f"app-{number:02}",
            "labels": {TEMPLATE_HASH: mark, CONTROLLER_REVISION_HASH: mark},
            **({"deletionTimestamp": "2026-11-22T15:00:00Z"} if terminating else {}),
        },
        "status": {"containerStatuses": [{"name": "app", "state": state}]},
    }


def condition(reason: str) -> dict[str, Any]:
    """A Progressing condition."""
    return {"conditions": [{"type": "Progressing", "reason": reason, "message": "timed out"}]}


QUOTA = 'pods "app-9" is forbidden: exceeded quota: q, requested: limits.memory=512Mi'
RANGE = 'pods "app-9" is forbidden: maximum memory usage per Container is 256Mi, but limit is 512Mi'
AWAY = 'Internal error occurred: failed calling webhook "inject.example.com": connection refused'


def refused(message: str, status: str = "True") -> dict[str, Any]:
    """A ReplicaFailure condition."""
    failure = {"type": "ReplicaFailure", "status": status, "reason": "FailedCreate", "message": message}
    return {"conditions": [failure]}


def unschedulable(number: int, mark: str) -> dict[str, Any]:
    """A pod for which no node has room."""
    found = pod(number, mark)
    found["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": NO_ROOM}
    ]
    return found


NO_ROOM = "0/3 nodes are available: 3 Insufficient memory."
ROLLING = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}}
RECREATE = {"strategy": {"type": "Recreate"}}

Row = tuple[int, dict[str, Any], dict[str, Any], list[dict[str, Any]], str, str, str]

SAME_FOR_BOTH: list[Row] = [
    # desired, status, spec, pods, state, reason, detail
    (3, counts(3, 3, 3), {}, [], "complete", "", "3 of 3 pods available"),
    (0, counts(0, 0, 0), {}, [], "complete", "ScaledToZero", "scaled to zero: no pod runs"),
    (3, {**counts(3, 3, 3), "observedGeneration": 1}, {}, [], "progressing", "NotObserved", ""),
    (3, {**counts(3, 3, 3), "observedGeneration": 0}, {}, [], "progressing", "NotObserved", ""),
    (3, counts(1, 4, 3), {}, [], "progressing", "Updating", "1 of 3 pods updated"),
    (3, counts(0, 0, 0), {}, [], "progressing", "Updating", "0 of 3 pods updated"),
    (3, counts(3, 4, 3), {}, [], "progressing", "Terminating", "1 extra pods are still running"),
    (1, counts(3, 3, 3), {}, [], "progressing", "Terminating", "2 extra pods are still running"),
    (0, counts(2, 2, 2), {}, [], "progressing", "Terminating", "2 extra pods are still running"),
    (3, counts(3, 3, 2), {}, [], "progressing", "NotAvailable", "2 of 3 updated pods available"),
    (3, counts(3, 3, 2), {}, [pod(1, NEW, "ErrImagePull")], "progressing", "NotAvailable", ""),
    (3, counts(3, 3, 2), {}, [pod(1, NEW, "ContainerCreating")], "progressing", "NotAvailable", ""),
    (3, counts(1, 4, 3), {}, [unschedulable(1, NEW)], "progressing", "Unschedulable", f"app-01: {NO_ROOM}"),
    (3, counts(1, 4, 3), {}, [unschedulable(1, OLD)], "progressing", "Updating", ""),
    (
        3,
        counts(3, 3, 2),
        {},
        [pod(1, NEW, "CrashLoopBackOff", terminating=True)],
        "progressing",
        "NotAvailable",
        "",
    ),
    *(
        (3, counts(3, 3, 2), {}, [pod(1, NEW, reason)], "failed", reason, f"app-01: {reason}")
        for reason in ("CrashLoopBackOff", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
                       "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
                       "SignatureValidationFailed")
    ),
    *(
        (3, counts(3, 3, 2), {}, [pod(1, NEW, reason)], "progressing", "NotAvailable", "")
        for reason in ("ErrImagePull", "ImageInspectError", "RegistryUnavailable", "PostStartHookError",
                       "PreCreateHookError", "PreStartHookError")
    ),
]  # fmt: skip

ONLY_DEPLOYMENT: list[Row] = [
    (3, counts(1, 4, 3), {"paused": True}, [], "failed", "Paused", "the Deployment is paused"),
    (3, counts(0, 3, 3), {"paused": True}, [], "failed", "Paused", ""),
    (3, counts(3, 3, 3), {"paused": True}, [], "complete", "", ""),
    (5, counts(3, 3, 3), {"paused": True}, [], "progressing", "Updating", ""),  # only its number changes
    (3, counts(1, 3, 2) | condition("ProgressDeadlineExceeded"), {}, [], "failed", "ProgressDeadlineExceeded",
     "timed out"),
    (3, counts(3, 3, 3) | condition("ProgressDeadlineExceeded"), {}, [], "failed", "ProgressDeadlineExceeded",
     ""),
    (3, counts(1, 3, 2) | condition("ProgressDeadlineExceeded"), {}, [pod(1, NEW, "ImagePullBackOff")],
     "failed", "ImagePullBackOff", ""),  # the cause says more than the deadline
    (3, counts(1, 4, 3), {}, [pod(1, OLD, "CrashLoopBackOff")], "progressing", "Updating", ""),
    (3, counts(3, 3, 3) | condition("NewReplicaSetAvailable"), {}, [], "complete", "", ""),
    (2, counts(0, 2, 2) | refused(QUOTA), {}, [], "failed", "FailedCreate", QUOTA),
    (2, counts(0, 2, 2) | refused(QUOTA, "False"), {}, [], "progressing", "Updating", ""),
    (2, counts(0, 2, 2) | refused(QUOTA), ROLLING, [], "progressing", "Updating", ""),  # one may end first
    (2, counts(0, 1, 1) | refused(QUOTA), ROLLING, [], "failed", "FailedCreate", QUOTA),
    (2, counts(0, 1, 1) | refused(QUOTA), ROLLING, [pod(1, OLD, terminating=True)], "progressing", "Updating",
     ""),
    (2, counts(0, 2, 2) | refused(QUOTA), RECREATE, [], "progressing", "Updating", ""),
    (2, counts(0, 0, 0) | refused(QUOTA), RECREATE, [], "failed", "FailedCreate", QUOTA),
    (2, counts(0, 2, 2) | refused(RANGE), ROLLING, [], "failed", "FailedCreate", RANGE),
    (2, counts(0, 2, 2) | refused(AWAY), {}, [], "progressing", "Updating", ""),
    (2, counts(2, 2, 2) | refused(QUOTA), {}, [], "complete", "", ""),
]  # fmt: skip

ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}
PARTITION = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}
PARALLEL = {"podManagementPolicy": "Parallel"}
BLOCKED = "app-01: CrashLoopBackOff, of an older revision: the update waits until the pod is deleted"

ONLY_STATEFUL_SET: list[Row] = [
    (3, counts(1, 3, 2), {}, [pod(1, OLD, "CrashLoopBackOff")], "failed", "CrashLoopBackOff", BLOCKED),
    (3, counts(1, 3, 2), PARALLEL, [pod(1, OLD, "CrashLoopBackOff")], "progressing", "Updating", ""),
    (3, counts(0, 3, 3), ON_DELETE, [], "failed", "OnDelete", "3 pods are updated only when"),
    (3, counts(3, 3, 3), ON_DELETE, [], "complete", "", ""),
    (3, counts(1, 3, 3), PARTITION, [], "failed", "Partition", "the partition keeps 2 pods"),
    (3, counts(0, 3, 3), PARTITION, [], "progressing", "Updating", ""),
    (3, counts(3, 3, 3), PARTITION, [], "complete", "", ""),
    # before Kubernetes 1.22 a StatefulSet did not count the available ones
    (3, {"updatedReplicas": 3, "replicas": 3, "readyReplicas": 3}, {}, [], "complete", "", ""),
    (3, {"updatedReplicas": 3, "replicas": 3, "readyReplicas": 2}, {}, [], "progressing", "NotAvailable", ""),
    (3, counts(3, 3, 3) | {"availableReplicas": 1}, {}, [], "progressing", "NotAvailable", ""),
]  # fmt: skip

CASES: list[tuple[Literal["Deployment", "StatefulSet"], Row]] = [
    *(("Deployment", row) for row in [*SAME_FOR_BOTH, *ONLY_DEPLOYMENT]),
    *(("StatefulSet", row) for row in [*SAME_FOR_BOTH, *ONLY_STATEFUL_SET]),
]


@pytest.mark.parametrize(("kind", "row"), CASES)
def test_a_rollout_is_told(kind: str, row: Row) -> None:
    """State, reason and detail for each combination of counts, settings and pods."""
    desired, status, spec, pods, state, reason, detail = row
    found = workload(desired, status, **spec)

    told = deployment_status(found, pods, NEW) if kind == "Deployment" else stateful_set_status(found, pods)

    assert (told.state, told.reason) == (state, reason)
    assert told.detail.startswith(detail)


def test_of_sixty_stuck_pods_one_is_named_and_the_others_counted() -> None:
    """The detail stays one line however large the workload is."""
    pods = [pod(number, NEW, "ImagePullBackOff" if number >= 20 else None) for number in range(60)]

    told = deployment_status(workload(60, counts(60, 60, 20)), pods, NEW)

    assert (told.state, told.detail) == ("failed", "app-20 (and 39 more): ImagePullBackOff")


@pytest.mark.parametrize(
    ("spec", "pods", "state", "waits_for"),
    [
        ({}, [pod(1, OLD, "CrashLoopBackOff")], "failed", "app-01"),
        ({}, [pod(1, OLD)], "progressing", "app-01"),  # it runs, and its readiness probe fails
        ({}, [pod(2, OLD, "CrashLoopBackOff"), pod(0, OLD), pod(1, OLD)], "failed", "app-00"),
        ({}, [pod(0, NEW), pod(1, OLD, "CrashLoopBackOff")], "progressing", ""),  # the new one comes first
        ({}, [pod(0, NEW, "CrashLoopBackOff"), pod(1, OLD, "CrashLoopBackOff")], "failed", ""),
        ({}, [pod(1, OLD, "CrashLoopBackOff", terminating=True)], "progressing", ""),
        (PARALLEL, [pod(1, OLD, "CrashLoopBackOff")], "progressing", ""),  # is replaced by itself
        (PARTITION, [pod(1, OLD, "CrashLoopBackOff")], "failed", ""),
        (PARTITION, [pod(2, OLD, "CrashLoopBackOff")], "failed", "app-02"),
        (ON_DELETE, [pod(1, OLD)], "failed", "app-01"),
        (ON_DELETE, [], "failed", ""),
    ],
)
def test_a_rollout_names_the_pod_whose_deletion_it_waits_for(
    spec: dict[str, Any], pods: list[dict[str, Any]], state: str, waits_for: str
) -> None:
    """The lowest that is not ready, if it is of an older revision and a new one would be of the newest."""
    told = stateful_set_status(workload(3, counts(0, 3, 2), **spec), pods)
    assert (told.state, told.waits_for) == (state, waits_for)


@given(
    desired=st.integers(0, 60),
    updated=st.integers(0, 80),
    total=st.integers(0, 80),
    available=st.integers(0, 80),
    observed=st.integers(0, 3),
)
def test_complete_means_that_nothing_is_missing_and_nothing_is_left(
    desired: int, updated: int, total: int, available: int, observed: int
) -> None:
    """Whatever the counts: complete only if noticed, all updated, all available and none too many."""
    assume(updated <= total and available <= total)
    status = {**counts(updated, total, available), "observedGeneration": observed}
    finished = observed >= 2 and updated >= desired == total and available >= desired
    for told in (
        deployment_status(workload(desired, status), [], NEW),
        stateful_set_status(workload(desired, status), []),
    ):
        assert (told.state == "complete") is finished
