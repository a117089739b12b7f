"""Pods' logs: all lines of all pods, and the reason wherever some are missing."""

import time
from collections.abc import AsyncIterator

import pytest

from blocks.kubernetes.logs import LogSource, LogText
from blocks.transport.errors import Unavailable
from deployments.drill.cluster import Fault
from tests.blocks.cluster_world import ClusterWorld, cluster_world, deployment


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """The integration, rolled out."""
    async with cluster_world() as running:
        yield running


async def test_all_lines_of_all_pods_and_containers_are_read(world: ClusterWorld) -> None:
    """More than kubectl's ten lines, more than one pod, more than the first container, in order of time."""
    first, second = world.pod_names()
    for number in range(30):
        world.imitation.write_log(first, f"first {number}", "app")
        world.imitation.write_log(second, f"second {number}", "app")
    world.imitation.write_log(second, "beside", "proxy")

    logs = await world.block.logs.read(300)

    texts = [line.text for line in logs.lines]
    assert [text for text in texts if text.startswith("first")] == [f"first {number}" for number in range(30)]
    assert [text for text in texts if text.startswith("second")] == [
        f"second {number}" for number in range(30)
    ]
    assert ("proxy", "beside") in [(line.container, line.text) for line in logs.lines]
    times = [line.at for line in logs.lines]
    assert None not in times
    assert times == sorted(times, key=str)
    assert sorted(logs.pods_read) == [first, second]
    assert logs.pods_unread == {}


async def test_one_container_can_be_chosen(world: ClusterWorld) -> None:
    """A configured container is the only one that is read."""
    world.imitation.write_log(world.pod_names()[0], "beside", "proxy")

    logs = await world.block_with(container="app").logs.read(300)

    assert {line.container for line in logs.lines} <= {"app"}


async def test_the_log_from_before_a_restart_is_read(world: ClusterWorld) -> None:
    """What a container said before it was killed is part of the window."""
    name = world.pod_names()[0]
    world.imitation.write_log(name, "ERROR out of memory soon", "app")
    world.imitation.terminate(name, reason="OOMKilled", exit_code=137)
    await world.restarted(name)

    logs = await world.block_with(container="app").logs.read(300)

    assert "ERROR out of memory soon" in [line.text for line in logs.lines]


async def test_odd_bytes_do_not_stop_the_reading(world: ClusterWorld) -> None:
    """Text that is no UTF-8 on its way is replaced, not an exception."""
    name = world.pod_names()[0]
    world.imitation.write_log(name, "broken \udcff byte".encode("utf-8", "replace").decode(), "app")
    world.imitation.write_log(name, "after it", "app")

    assert "after it" in [line.text for line in (await world.block.logs.read(300)).lines]


async def test_a_pod_that_cannot_be_read_does_not_stop_the_others(world: ClusterWorld) -> None:
    """The logs of the other pods are read; the one that failed is named with its reason."""
    first, second = world.pod_names()
    world.imitation.write_log(second, "still here", "app")
    world.imitation.faults.append(
        Fault(path=f"/pods/{first}/log", status=500, message="no kubelet", times=None)
    )

    logs = await world.block.logs.read(300)

    assert logs.pods_read == (second,)
    assert "no kubelet" in logs.pods_unread[first]
    assert "still here" in [line.text for line in logs.lines]


async def test_a_container_that_never_started_is_told(world: ClusterWorld) -> None:
    """A pod without a running container has no log, and says why."""
    world.imitation.image_faults["registry.example/integration:gone"] = "ImagePullBackOff"
    world.imitation.apply(deployment("registry.example/integration:gone"))
    await world.until("failed")

    logs = await world.block.logs.read(300)

    assert any("app" in reason for reason in logs.pods_unread.values())


async def test_a_log_that_ends_in_mid_line_is_not_whole(world: ClusterWorld) -> None:
    """A connection that the kubelet loses ends as a clean answer; the torn line gives it away."""
    first = world.pod_names()[0]
    for number in range(20):
        world.imitation.write_log(first, f"line {number}", "app")
    world.imitation.faults.append(Fault(path=f"/pods/{first}/log", short_body=100, times=None))

    logs = await world.block_with(container="app").logs.read(300)

    assert "middle of a line" in logs.pods_unread[first]
    assert first in logs.pods_read


async def test_a_long_log_keeps_its_newest_lines(world: ClusterWorld) -> None:
    """Over the limit the oldest lines are left out, and the reading says so."""
    first = world.pod_names()[0]
    for number in range(5000):
        world.imitation.write_log(first, f"line {number} " + "x" * 100, "app")

    logs = await world.block_with(container="app", log_bytes_limit=100_000).logs.read(300)

    kept = [line.text.split()[1] for line in logs.lines if line.pod == first and line.text.startswith("line")]
    assert kept[-1] == "4999"
    assert 500 < len(kept) < 3000
    assert "only its last" in logs.pods_unread[first]


async def test_pods_that_cannot_be_listed_are_an_error(world: ClusterWorld) -> None:
    """Without the list of pods there is no reading at all."""
    world.imitation.faults.append(Fault(path="/pods$", status=503, times=None))

    with pytest.raises(Unavailable):
        await world.block.logs.read(300)


async def test_what_was_read_before_the_deadline_counts(world: ClusterWorld) -> None:
    """A log that does not end in time keeps its lines, and the reading says that newer ones are missing."""
    first, second = world.pod_names()
    world.imitation.write_log(second, "still here", "app")
    world.imitation.faults.append(Fault(path=f"/pods/{first}/log", delay_before=20, times=None))
    began = time.monotonic()

    logs = await world.block_with(container="app").logs.read(300, within_seconds=1)

    assert time.monotonic() - began < 4
    assert "still here" in [line.text for line in logs.lines]
    assert "reading was stopped after 1 s, so its newest lines are missing" in logs.pods_unread[first]


def test_a_reading_that_was_stopped_says_so_although_that_closes_its_connection() -> None:
    """Its thread reports the closed connection, before or after the reading is told to be stopped."""
    stopped = "reading was stopped after 1 s, so its newest lines are missing"
    before, after = LogText(LogSource("web-1", "app")), LogText(LogSource("web-1", "app"))
    before.failed("the connection was closed")
    before.cut_short(1)
    after.cut_short(1)
    after.failed("the connection was closed")
    assert (before.missing, after.missing) == (stopped, stopped)


async def test_another_workloads_pods_are_not_read(world: ClusterWorld) -> None:
    """A canary with the same labels has a log of its own, and its trouble is not ours."""
    canary = deployment(replicas=1)
    canary["metadata"]["name"] = "canary"
    world.imitation.apply(canary)
    pods = await world.block.workload.pods()
    while len(pods) < 3:
        pods = await world.block.workload.pods()
    (name,) = [pod["metadata"]["name"] for pod in pods if pod["metadata"]["name"].startswith("canary")]

    logs = await world.block.logs.read(300)
    reading = await world.block.read_workload()

    assert name not in logs.pods_read
    assert name not in logs.pods_unread
    assert reading.not_counted == {name: "not created by the workload"}
    assert len(reading.pods) == 2


def text_of(*chunks: bytes, limit: int = 1000, slow: bool = False) -> tuple[list[str], str]:
    """The lines that are kept of a log that came in these chunks, and what is missing."""
    text = LogText(LogSource("web-1", "app"))
    for chunk in chunks:
        text.add(chunk, limit)
    if slow:
        text.cut_short(2)
    lines, missing = text.finished()
    return [line.text for line in lines], missing


def test_lines_end_where_the_container_ended_them() -> None:
    """Only a line feed ends a line; other separators are a part of its text."""
    one = "one\u2028still one\x0bstill\x85still\rstill"
    raw = f"2026-11-28T12:00:00Z {one}\n2026-11-28T12:00:01Z two\n".encode()

    assert text_of(raw) == ([one, "two"], "")


@pytest.mark.parametrize(
    "line",
    ["2026-11-28 12:00:00 ERROR lost", "20261128 events were lost", "2026-11-28T12:00:00 lost", "lost"],
)
def test_a_line_without_the_clusters_time_is_left_as_it_is(line: str) -> None:
    """A date or a number at its beginning is the program's own."""
    text = LogText(LogSource("web-1", "app"))
    text.add(f"{line}\n".encode(), 1000)

    [read], _ = text.finished()

    assert (read.text, read.at) == (line, None)


@pytest.mark.parametrize(
    ("limit", "slow", "missing"),
    [
        (1000, False, ""),
        (1000, True, "reading was stopped after 2 s, so its newest lines are missing"),
        (20, False, "only its last 14 bytes were read"),
        (
            20,
            True,
            "only 14 bytes were read, after more than 20 that were skipped, and it was "
            "reading was stopped after 2 s, so its newest lines are missing",
        ),
    ],
)
def test_the_part_that_was_read_is_named(limit: int, slow: bool, missing: str) -> None:
    """The middle of a log is never told as its end."""
    chunks = [f"line {number}\n".encode() for number in range(1, 7)]

    assert text_of(*chunks, limit=limit, slow=slow)[1] == missing
