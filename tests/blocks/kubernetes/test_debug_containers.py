"""A container that a person adds with `kubectl debug` is not the integration: nothing of it counts.

Source of the forms: `spec.ephemeralContainers` and `status.ephemeralContainerStatuses` of the Pod API; the
kubelet's events name it as `spec.ephemeralContainers{NAME}`.
"""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from blocks.kubernetes.events import warning_lines
from blocks.kubernetes.logs import log_sources
from blocks.kubernetes.objects import workload_reading
from blocks.kubernetes.pods import WorkloadPods, failing_containers, known_containers, waiting_reason
from runbook.checks.findings import Finding, Status
from runbook.checks.specs.workload import WORKLOAD, judge_workload
from runbook.policy.policy import Policy

NOW = datetime(2026, 11, 28, 12, 2, tzinfo=UTC)
BEFORE, LATELY = "2026-11-28T11:00:00Z", "2026-11-28T12:01:00Z"
WORKLOAD_OBJECT: dict[str, Any] = {
    "metadata": {"name": "web", "uid": "d-1"},
    "spec": {
        "replicas": 1,
        "template": {"metadata": {}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}},
    },
    "status": {"readyReplicas": 1},
}
POD: dict[str, Any] = {
    "metadata": {"name": "web-7f9-abcde", "labels": {"pod-template-hash": "7f9"}},
    "spec": {"containers": [{"name": "app"}]},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "app", "ready": True, "state": {"running": {"startedAt": BEFORE}}}],
    },
}
KNOWN = known_containers([WORKLOAD_OBJECT["spec"]["template"]])

STATES: dict[str, dict[str, Any]] = {
    "runs": {"state": {"running": {"startedAt": LATELY}}, "ready": False},
    "left": {"state": {"terminated": {"reason": "Error", "exitCode": 130, "finishedAt": LATELY}}},
    "done": {"state": {"terminated": {"reason": "Completed", "exitCode": 0, "finishedAt": LATELY}}},
    "killed for memory": {
        "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": LATELY}}
    },
    "no such image": {"state": {"waiting": {"reason": "ImagePullBackOff"}}},
    "may not run": {"state": {"waiting": {"reason": "CreateContainerConfigError"}}},
    "ended again and again": {
        "restartCount": 5,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"reason": "OOMKilled", "startedAt": BEFORE, "finishedAt": LATELY}},
    },
}
EACH = pytest.mark.parametrize("state", STATES.values(), ids=STATES)


def debugged(state: dict[str, Any], pod: dict[str, Any] = POD) -> dict[str, Any]:
    """The pod while, or after, somebody looks into it."""
    found = copy.deepcopy(pod)
    container = {"name": "debugger-x7k2p", "image": "busybox", "targetContainerName": "app"}
    found["spec"]["ephemeralContainers"] = [container]
    found["status"]["ephemeralContainerStatuses"] = [{"name": container["name"], "restartCount": 0, **state}]
    return found


def judged(pod: dict[str, Any]) -> Finding:
    """What triage makes of a workload with this pod."""
    reading = workload_reading(
        "deployment/web",
        WORKLOAD_OBJECT,
        pods=WorkloadPods((pod,), {}),
        own=(),
        events=(),
        container=None,
        switches=(),
        at=NOW,
    )
    return judge_workload(reading, policy=Policy(), now=NOW)


@EACH
def test_what_becomes_of_it_is_no_trouble_of_the_workload(state: dict[str, Any]) -> None:
    """The verdict, and what a rollout or a stuck pod is judged by, are as without it."""
    pod = debugged(state)

    assert judged(pod) == judged(POD)
    assert judged(pod).status is Status.OK
    assert failing_containers(pod) == {}
    assert waiting_reason(pod) is None


@EACH
def test_it_hides_no_trouble_of_the_app(state: dict[str, Any]) -> None:
    """The app is killed for memory while somebody looks: that is the app's kill, with its own name."""
    ill = copy.deepcopy(POD)
    killed = {"reason": "OOMKilled", "finishedAt": LATELY}
    ill["status"]["containerStatuses"][0] |= {
        "state": {"running": {"startedAt": LATELY}},
        "lastState": {"terminated": killed},
        "restartCount": 1,
    }

    facts = judged(debugged(state, ill)).facts_of(WORKLOAD)

    assert facts == judged(ill).facts_of(WORKLOAD)
    assert (facts.killed_for_memory, facts.killed_container) == (("web-7f9-abcde",), "app")


@EACH
@pytest.mark.parametrize("every", [False, True])
def test_what_is_typed_in_it_is_not_read(state: dict[str, Any], every: bool) -> None:
    """Its log is a person's session: no status in it is the integration's, and it may hold what they read."""
    sources = log_sources(
        debugged(state), lambda name, _: every or name == "app", main="app", known=KNOWN, since=NOW
    )

    assert [(source.container, source.previous) for source in sources] == [("app", False)]


def test_its_warnings_say_that_they_are_of_it() -> None:
    """An image that the debugger could not pull is not the integration's."""
    event: dict[str, Any] = {
        "metadata": {"name": "web-7f9-abcde.1"},
        "type": "Warning",
        "reason": "Failed",
        "message": 'Failed to pull image "busybo": not found',
        "lastTimestamp": LATELY,
        "involvedObject": {"kind": "Pod", "name": "web-7f9-abcde"},
    }
    of_debugger = copy.deepcopy(event)
    of_debugger["involvedObject"]["fieldPath"] = "spec.ephemeralContainers{debugger-x7k2p}"

    assert warning_lines([of_debugger], "web", living=["web-7f9-abcde"]) == (
        f"{LATELY} Failed pod/web-7f9-abcde, debug container debugger-x7k2p: "
        'Failed to pull image "busybo": not found',
    )
    assert "debug container" not in warning_lines([event], "web", living=["web-7f9-abcde"])[0]
