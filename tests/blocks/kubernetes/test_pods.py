"""Which pods are the workload's own, and what each container in them is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from blocks.kubernetes.logs import log_sources
from blocks.kubernetes.pods import failing_containers, known_containers, pod_reading, pods_of
from blocks.kubernetes.revisions import revisions
from runbook.checks.readings import ContainerRole

WORKLOAD: dict[str, Any] = {
    "metadata": {"name": "web", "uid": "d-1"},
    "spec": {
        "template": {
            "metadata": {},
            "spec": {
                "containers": [{"name": "app"}, {"name": "exporter"}],
                "initContainers": [{"name": "migrate"}, {"name": "shipper", "restartPolicy": "Always"}],
            },
        }
    },
}
REPLICA_SET: dict[str, Any] = {
    "metadata": {
        "name": "web-7f9",
        "uid": "rs-1",
        "labels": {"pod-template-hash": "7f9"},
        "annotations": {"deployment.kubernetes.io/revision": "1"},
        "ownerReferences": [{"uid": "d-1"}],
    },
    "spec": {"template": WORKLOAD["spec"]["template"]},
}
OWN = revisions(WORKLOAD, [REPLICA_SET])
KNOWN = known_containers([WORKLOAD["spec"]["template"]])
SINCE = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
BEFORE, AFTER = "2026-11-28T11:00:00Z", "2026-11-28T12:01:00Z"
RUNNING = {"running": {"startedAt": BEFORE}}


def pod(name: str = "web-7f9-abcde", owner: str = "rs-1", **status: Any) -> dict[str, Any]:
    """A pod as the API gives it, with an injected proxy beside the template's containers."""
    return {
        "metadata": {
            "name": name,
            "labels": {"pod-template-hash": "7f9"},
            "ownerReferences": [{"uid": owner}],
        },
        "spec": {
            "containers": [{"name": "istio-proxy"}, {"name": "app"}, {"name": "exporter"}],
            "initContainers": [{"name": "migrate"}, {"name": "shipper", "restartPolicy": "Always"}],
        },
        "status": {"phase": "Running", **status},
    }


def status(name: str, state: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """A container's entry in the pod's status."""
    return {"name": name, "state": state, "lastState": {"terminated": before} if before else {}}


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (pod(owner="rs-of-a-canary"), "not created by the workload"),
        (pod(owner="job-1", phase="Succeeded"), "not created by the workload"),
        (pod(phase="Failed", reason="Evicted"), "Evicted"),
        (pod(phase="Failed", reason="NodeShutdown"), "NodeShutdown"),
        (pod(phase="Succeeded"), "Succeeded"),
    ],
)
def test_only_living_pods_of_the_workload_count(other: dict[str, Any], why: str) -> None:
    """A canary's, a Job's and an evicted pod have the same labels; each is told with its reason."""
    other = {**other, "metadata": {**other["metadata"], "name": "other"}}

    found = pods_of(WORKLOAD, OWN, [pod(), other])

    assert [item["metadata"]["name"] for item in found.living] == ["web-7f9-abcde"]
    assert found.not_counted == {"other": why}


def test_each_container_has_its_role() -> None:
    """A container that the templates do not have was injected."""
    reading = pod_reading(
        pod(
            initContainerStatuses=[status("migrate", {}), status("shipper", RUNNING)],
            containerStatuses=[
                status("istio-proxy", RUNNING),
                status("app", RUNNING),
                status("exporter", {}),
            ],
        ),
        main="app",
        known=KNOWN,
        revisions={"7f9": "1"},
    )

    assert {item.name: item.role for item in reading.containers} == {
        "migrate": ContainerRole.INIT,
        "shipper": ContainerRole.SIDECAR,
        "istio-proxy": ContainerRole.INJECTED,
        "app": ContainerRole.MAIN,
        "exporter": ContainerRole.BESIDE,
    }


def test_the_kill_of_a_sidecar_is_its_own() -> None:
    """The end of the injected proxy says nothing of the integration's memory."""
    killed = {"reason": "OOMKilled", "finishedAt": AFTER}
    reading = pod_reading(
        pod(containerStatuses=[status("istio-proxy", RUNNING, killed), status("app", RUNNING)]),
        main="app",
        known=KNOWN,
        revisions={},
    )

    assert {item.name: item.last_termination for item in reading.containers} == {
        "istio-proxy": "OOMKilled",
        "app": None,
    }


STATUSES: dict[str, Any] = {
    "initContainerStatuses": [
        status("migrate", {"terminated": {"reason": "Completed", "finishedAt": AFTER}}),
        status("shipper", RUNNING),
    ],
    "containerStatuses": [
        status("istio-proxy", RUNNING),
        status("app", RUNNING, {"reason": "Error", "finishedAt": AFTER}),
        status("exporter", RUNNING, {"reason": "Error", "finishedAt": BEFORE}),
    ],
}


def read(source_pod: dict[str, Any], wanted: set[str]) -> set[tuple[str, bool]]:
    """Containers whose logs are read, and whether it is the log from before a restart."""
    sources = log_sources(
        source_pod, lambda name, _role: name in wanted, main="app", known=KNOWN, since=SINCE
    )
    return {(source.container, source.previous) for source in sources}


EVERY = {"migrate", "shipper", "istio-proxy", "app", "exporter"}


def test_init_containers_and_logs_from_before_a_restart_are_read() -> None:
    """What an init container wrote within the window is read, as is what a container wrote before its end."""
    assert read(pod(**STATUSES), EVERY) == {
        ("migrate", False),
        ("shipper", False),
        ("istio-proxy", False),
        ("app", False),
        ("app", True),
        ("exporter", False),
    }


@pytest.mark.parametrize(
    ("state", "sources"),
    [
        ({"terminated": {"reason": "Completed", "finishedAt": BEFORE}}, set()),
        ({"terminated": {"reason": "Error", "finishedAt": AFTER}}, {("migrate", False)}),
        ({"waiting": {"reason": "PodInitializing"}}, set()),
        ({"waiting": {"reason": "ImagePullBackOff"}}, {("migrate", False)}),
        ({}, {("migrate", False)}),
    ],
)
def test_a_log_is_asked_for_where_there_may_be_lines(
    state: dict[str, Any], sources: set[tuple[str, bool]]
) -> None:
    """A container that ended before the window, or is only starting, has none: nothing is missing."""
    assert read(pod(initContainerStatuses=[status("migrate", state)]), {"migrate"}) == sources


@pytest.mark.parametrize(
    ("state", "before", "ready", "reason"),
    [
        ({"waiting": {"reason": "CrashLoopBackOff"}}, {"reason": "Error"}, False, "CrashLoopBackOff"),
        ({"waiting": {"reason": "ImagePullBackOff"}}, None, False, "ImagePullBackOff"),
        ({"waiting": {"reason": "ContainerCreating"}}, None, False, None),
        (RUNNING, {"reason": "Error"}, False, "Error"),  # it runs for a while, until the next crash
        (RUNNING, {"reason": "Error"}, True, None),
        (RUNNING, None, False, None),  # its probe fails, or it has only just started
        ({"terminated": {"reason": "OOMKilled"}}, None, False, "OOMKilled"),
        ({"terminated": {"reason": "Completed"}}, None, False, None),  # an init container that is through
    ],
)
def test_a_container_that_fails_is_told_with_its_reason(
    state: dict[str, Any], before: dict[str, Any] | None, ready: bool, reason: str | None
) -> None:
    """Whether it waits for its next start or runs in between."""
    found = failing_containers(pod(containerStatuses=[status("app", state, before) | {"ready": ready}]))
    assert found == ({"app": reason} if reason else {})


@pytest.mark.parametrize(
    ("before", "seconds"),
    [
        ({"startedAt": "2026-11-28T12:00:00Z", "finishedAt": "2026-11-28T12:00:30Z"}, 30),
        ({"finishedAt": "2026-11-28T12:00:30Z"}, None),
        (None, None),
    ],
)
def test_it_is_known_how_long_a_container_ran(before: dict[str, Any] | None, seconds: float | None) -> None:
    """By its last end, so that a crash loop is seen while it runs."""
    found = pod(containerStatuses=[status("app", RUNNING, before)])
    [container] = pod_reading(found, main="app", known=KNOWN, revisions={}).containers
    assert container.ran_seconds == seconds
