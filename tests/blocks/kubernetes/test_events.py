"""Warnings of the workload are found whatever else happens in the namespace."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from blocks.kubernetes.events import CHUNK, CHUNKS, is_part_of, warning_lines
from tests.blocks.cluster_world import ClusterWorld, cluster_world


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """The integration, rolled out."""
    async with cluster_world() as running:
        yield running


def warn(world: ClusterWorld, name: str, reason: str, number: int = 0) -> None:
    """Write a warning about a pod."""
    world.imitation.apply(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name}.{number:06d}", "namespace": "default"},
            "type": "Warning",
            "reason": reason,
            "message": "as the test wants it",
            "involvedObject": {"kind": "Pod", "name": name, "namespace": "default"},
            "lastTimestamp": "2026-11-28T12:00:00Z",
        }
    )


def noise(world: ClusterWorld, count: int) -> None:
    """Warnings about another workload, which come before ours in the list."""
    for number in range(count):
        warn(world, "a-job", "BackOff", number)


async def test_our_warnings_are_seen_in_a_busy_namespace(world: ClusterWorld) -> None:
    """They are asked for by object: two thousand others in front of them do not hide them."""
    name = world.pod_names()[0]
    noise(world, 2 * CHUNK)
    warn(world, name, "FailedMount")

    reading = await world.block.read_workload()

    assert any(f"FailedMount pod/{name}:" in line for line in reading.events)
    assert not any("a-job" in line for line in reading.events)


async def test_all_pages_are_kept_as_evidence(world: ClusterWorld) -> None:
    """The list goes on until the API server says that there is no more."""
    name = world.pod_names()[0]
    noise(world, 2 * CHUNK)
    warn(world, name, "FailedMount")

    found = await world.block.events.all()

    assert "FailedMount" in {event["reason"] for event in found.items}
    assert found.missing == ""


async def test_events_that_were_not_read_are_named(world: ClusterWorld) -> None:
    """A namespace with more events than are read says so, so that nobody takes them for all."""
    noise(world, CHUNK * CHUNKS + 1)

    found = await world.block.events.all()

    assert found.missing == f"only the first {CHUNK * CHUNKS} events were read; there are more"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("web", True),
        ("web-7f9c8d", True),
        ("web-7f9c8d-x2k9p", True),
        ("web-0", True),
        ("web-worker", True),  # as a ReplicaSet of web could be called
        ("web-worker-7f9c8d-x2k9p", False),
        ("website-7f9c8d-x2k9p", False),
        ("a-web", False),
    ],
)
def test_an_event_is_ours_by_the_names_that_controllers_give(name: str, ours: bool) -> None:
    """A workload whose name begins with ours is another one."""
    assert is_part_of({"name": name}, "web") is ours


def test_a_pod_that_is_gone_is_told_as_gone() -> None:
    """The warnings of an hour ago may be about pods that nobody finds any more."""
    events = [
        {
            "metadata": {"uid": name},
            "type": "Warning",
            "reason": "Unhealthy",
            "message": "probe failed",
            "involvedObject": {"kind": "Pod", "name": name},
            "lastTimestamp": "2026-11-28T12:00:00Z",
        }
        for name in ("web-7f9c8d-aaaaa", "web-7f9c8d-bbbbb")
    ]

    lines = warning_lines(events, "web", living={"web-7f9c8d-aaaaa"})

    assert lines[0].endswith("Unhealthy pod/web-7f9c8d-aaaaa: probe failed")
    assert lines[1].endswith("Unhealthy pod/web-7f9c8d-bbbbb (gone): probe failed")


AT = "2024-05-01T10:00:00Z"
POD = {"kind": "Pod", "name": "web-7f9c8d-x2k9p"}
RECORDED: dict[str, tuple[dict[str, Any], str]] = {
    "a kubelet counts": (
        {"reason": "BackOff", "message": "Back-off restarting failed container app", "count": 12},
        f"{AT} BackOff pod/web-7f9c8d-x2k9p: Back-off restarting failed container app (×12)",
    ),
    "a scheduler has a time of its own": (
        {
            "reason": "FailedScheduling",
            "message": "0/3 nodes are available: 3 Insufficient memory.",
            "lastTimestamp": None,
            "count": None,
            "eventTime": "2024-05-01T10:00:00.123456Z",
            "reportingComponent": "default-scheduler",
        },
        "2024-05-01T10:00:00.123456Z FailedScheduling pod/web-7f9c8d-x2k9p: "
        "0/3 nodes are available: 3 Insufficient memory",
    ),
    "a series has the newest time and its number": (
        {
            "reason": "FailedScheduling",
            "message": "no room",
            "lastTimestamp": None,
            "eventTime": AT,
            "series": {"count": 7, "lastObservedTime": "2024-05-01T10:05:00.000000Z"},
        },
        "2024-05-01T10:05:00.000000Z FailedScheduling pod/web-7f9c8d-x2k9p: no room (×7)",
    ),
    "a quota is told of the revision": (
        {
            "reason": "FailedCreate",
            "message": 'Error creating: pods "web-7f9c8d-" is forbidden: exceeded quota: team, asked: pods=1',
            "involvedObject": {"kind": "ReplicaSet", "name": "web-7f9c8d"},
        },
        f'{AT} FailedCreate replicaset/web-7f9c8d: Error creating: pods "web-7f9c8d-" is forbidden: '
        "exceeded quota: team, asked: pods=1",
    ),
    "a probe's answer has several lines": (
        {
            "reason": "Unhealthy",
            "message": "Readiness probe failed: HTTP probe failed\nwith statuscode: 503\n",
        },
        f"{AT} Unhealthy pod/web-7f9c8d-x2k9p: "
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
    ),
    "a registry's password is masked": (
        {"reason": "Failed", "message": "cannot pull https://ci:hunter2hunter2@registry.example/app:2"},
        f"{AT} Failed pod/web-7f9c8d-x2k9p: cannot pull https://[redacted:userinfo]@registry.example/app:2",
    ),
    "an autoscaler of the same name": (
        {
            "reason": "FailedGetResourceMetric",
            "message": "unable to get metrics for resource cpu",
            "involvedObject": {"kind": "HorizontalPodAutoscaler", "name": "web"},
        },
        f"{AT} FailedGetResourceMetric horizontalpodautoscaler/web: unable to get metrics for resource cpu",
    ),
}


@pytest.mark.parametrize("case", RECORDED)
def test_a_warning_is_told_in_one_line(case: str) -> None:
    """Of each of a cluster's writers, with the newest time, how often, and what it is about."""
    event, line = RECORDED[case]
    written = {
        "metadata": {"uid": "1"},
        "type": "Warning",
        "involvedObject": POD,
        "lastTimestamp": AT,
        **event,
    }

    assert warning_lines([written], "web", living={POD["name"]}) == (line,)
    assert warning_lines([{**written, "type": "Normal"}], "web", living={POD["name"]}) == ()
