"""Container logs over the simulated API, with the limits that make the runbook's own command miss errors."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from deployments.drill.cluster import Cluster, Fault
from tests.drill.cluster_bench import LABELS, PODS, Bench, bench, container, deployment


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        """Start at a fixed time."""
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="bench")
async def _bench(clock: Clock) -> AsyncIterator[Bench]:
    cluster = Cluster(pod_start_seconds=0.02, pod_stop_seconds=0.02, crash_backoff_seconds=0.05, clock=clock)
    async with bench(cluster) as made:
        yield made


def _pod(made: Bench) -> str:
    return made.cluster.pods(LABELS)[0].name


async def _log(made: Bench, pod: str, **query: str) -> str:
    answer = await made.http.get(f"{PODS}/{pod}/log", params=query)
    assert answer.headers["content-type"].startswith("text/plain"), answer.text
    return answer.text


async def test_a_log_is_cut_as_asked(bench: Bench, clock: Clock) -> None:
    """Lines, age, bytes and timestamps are each honoured, by the cluster's clock."""
    pod = _pod(bench)
    for number in range(4):
        bench.cluster.write_log(pod, f"line {number}")
        clock.now += timedelta(seconds=10)
    assert await _log(bench, pod) == "line 0\nline 1\nline 2\nline 3\n"
    assert await _log(bench, pod, tailLines="2") == "line 2\nline 3\n"
    assert await _log(bench, pod, tailLines="0") == ""
    assert await _log(bench, pod, sinceSeconds="20") == "line 2\nline 3\n"
    assert await _log(bench, pod, sinceTime="2026-11-22T12:00:30Z") == "line 3\n"
    assert await _log(bench, pod, limitBytes="9") == "line 0\nli"
    assert (
        await _log(bench, pod, tailLines="1", timestamps="true") == "2026-11-22T12:00:30.000000000Z line 3\n"
    )


async def test_the_previous_log_is_that_of_the_run_before(bench: Bench) -> None:
    """After a restart the current log starts empty and the lines before the death are in the previous one."""
    pod = _pod(bench)
    bench.cluster.write_log(pod, "before")
    bench.cluster.terminate(pod, reason="OOMKilled", exit_code=137)
    await bench.until(lambda: pod in {each.name for each in bench.cluster.pods(LABELS)})
    bench.cluster.write_log(pod, "after")
    assert await _log(bench, pod) == "after\n"
    assert await _log(bench, pod, previous="true") == "before\n"


async def test_a_crash_looping_container_still_shows_its_last_words(bench: Bench) -> None:
    """While it waits in CrashLoopBackOff, both the current and the previous log are the last run's."""
    pod = _pod(bench)
    bench.cluster.terminate(pod, reason="Error", exit_code=1)
    await bench.until(lambda: pod in {each.name for each in bench.cluster.pods(LABELS)})
    bench.cluster.write_log(pod, "last words")
    bench.cluster.terminate(pod, reason="Error", exit_code=1)
    assert await _log(bench, pod) == "last words\n"
    assert await _log(bench, pod, previous="true") == "last words\n"


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ({"previous": "true"}, 400, 'previous terminated container "app" in pod "{pod}" not found'),
        ({"container": "nope"}, 400, "container nope is not valid for pod {pod}"),
        ({"tailLines": "-1"}, 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ({"sinceSeconds": "0"}, 422, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ({"limitBytes": "0"}, 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ({"sinceSeconds": "1.5"}, 400, 'parsing "1.5": invalid syntax'),
        ({"sinceTime": "yesterday"}, 400, "RFC 3339"),
        ({"sinceSeconds": "5", "sinceTime": "2026-11-22T12:00:30Z"}, 422, "at most one of `sinceTime` or"),
    ],
)
async def test_a_log_request_that_makes_no_sense_is_refused(
    bench: Bench, query: dict[str, str], code: int, text: str
) -> None:
    """Each refusal is a Status that says which parameter is wrong."""
    pod = _pod(bench)
    answer = await bench.http.get(f"{PODS}/{pod}/log", params=query)
    assert answer.status_code == code
    assert text.format(pod=pod) in answer.json()["message"]


async def test_a_pod_with_two_containers_needs_to_be_told_which() -> None:
    """Without a container's name the request is refused with the choice; each container has its own log."""
    manifest = deployment(container(), container("sidecar", image="proxy:1"), replicas=1)
    async with bench(Cluster(pod_start_seconds=0.02), manifest) as made:
        await made.until(made.complete)
        pod = _pod(made)
        made.cluster.write_log(pod, "main")
        made.cluster.write_log(pod, "side", container="sidecar")
        answer = await made.http.get(f"{PODS}/{pod}/log")
        assert answer.status_code == 400
        assert answer.json()["message"] == (
            f"a container name must be specified for pod {pod}, choose one of: [app sidecar]"
        )
        assert await _log(made, pod, container="app") == "main\n"
        assert await _log(made, pod, container="sidecar") == "side\n"


@pytest.mark.parametrize(
    ("fault", "why"),
    [("ImagePullBackOff", "trying and failing to pull image"), (None, "CreateContainerConfigError")],
)
async def test_a_container_that_never_started_has_no_log(fault: str | None, why: str) -> None:
    """The refusal says what it waits for."""
    cluster = Cluster(pod_start_seconds=0.02, crash_backoff_seconds=0.02)
    variable = {"name": "X", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k"}}}
    if fault:
        cluster.image_faults["integration:1"] = fault
    async with bench(cluster, deployment(container(env=[] if fault else [variable]), replicas=1)) as made:
        await made.until(lambda: made.waiting_reasons() == {fault or "CreateContainerConfigError"})
        pod = made.cluster.objects("Pod")[0]["metadata"]["name"]
        answer = await made.http.get(f"{PODS}/{pod}/log")
        assert answer.status_code == 400
        assert answer.json()["message"] == f'container "app" in pod "{pod}" is waiting to start: {why}'


async def test_a_followed_log_grows_until_its_container_ends(bench: Bench) -> None:
    """`follow` sends what is there, then each new line, and ends with the container."""
    pod = _pod(bench)
    bench.cluster.write_log(pod, "first")
    lines: list[str] = []
    async with bench.http.stream("GET", f"{PODS}/{pod}/log", params={"follow": "true"}) as answer:
        async for line in answer.aiter_lines():
            lines.append(line)
            if line == "first":
                bench.cluster.write_log(pod, "second")
            if line == "second":
                bench.cluster.terminate(pod, reason="Error", exit_code=1)
    assert lines == ["first", "second"]


async def test_a_cut_kubelet_connection_looks_like_a_short_log(bench: Bench) -> None:
    """The answer is a clean 200 with less than there is: length proves nothing."""
    pod = _pod(bench)
    bench.cluster.write_log(pod, "an error that matters")
    bench.cluster.faults.append(Fault(path="/log$", short_body=8))
    assert await _log(bench, pod) == "an error"
    assert await _log(bench, pod) == "an error that matters\n"


async def test_a_pod_that_has_gone_writes_nothing(bench: Bench) -> None:
    """A line written after the end of a pod is lost without an error, as with a real process."""
    pod = _pod(bench)
    await bench.http.delete(f"{PODS}/{pod}", params={"gracePeriodSeconds": "0"})
    await bench.until(lambda: pod not in {each["metadata"]["name"] for each in bench.cluster.objects("Pod")})
    await bench.until(lambda: len(bench.cluster.pods(LABELS)) == 2)
    bench.cluster.write_log(pod, "too late")
    assert (await bench.http.get(f"{PODS}/{pod}/log")).status_code == 404
