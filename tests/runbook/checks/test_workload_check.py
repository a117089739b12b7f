"""The workload is judged by its own pods, and each trouble is told with its container."""

from datetime import timedelta
from typing import Any

import pytest

from runbook.checks.findings import Finding, Status
from runbook.checks.readings import ContainerReading, ContainerRole, PodReading
from runbook.checks.specs.workload import WORKLOAD
from tests.runbook.findings_samples import NOW, pod, rollouts, workload

OK, BAD, UNKNOWN = Status


def killed(age: timedelta | None) -> PodReading:
    """A pod that was killed for memory and has run again for `age`."""
    started = None if age is None else NOW - age
    return pod(last_termination="OOMKilled", changed_at=started)


@pytest.mark.parametrize(
    ("found", "status", "summary"),
    [
        (workload(), OK, "2 of 2 pods ready"),
        (workload(ready=1), BAD, "1 of 2 pods ready"),
        (workload(ready=0), BAD, "0 of 2 pods ready"),
        (workload(desired=0, ready=0), BAD, "scaled to zero"),
        (workload(ready=3), OK, "3 of 2 pods ready"),  # a rolling update has one more for a while
        (workload(pod(waiting="CrashLoopBackOff")), BAD, "web-1: CrashLoopBackOff"),
        (workload(pod(waiting="ContainerCreating")), OK, "2 of 2 pods ready"),
        (workload(killed(timedelta(minutes=1))), BAD, "web-1: OOMKilled"),
        (workload(killed(timedelta(minutes=5))), BAD, "web-1: OOMKilled"),
        (workload(killed(timedelta(minutes=6))), OK, "2 of 2 pods ready"),  # long over
        (workload(killed(None)), BAD, "web-1: OOMKilled"),  # still down
        (workload(pod(last_termination="Completed")), OK, "2 of 2 pods ready"),
    ],
)
def test_workload_is_ok_if_all_pods_are_ready_and_none_crashes(
    found: Finding, status: Status, summary: str
) -> None:
    """Missing, crashing and lately killed pods are bad; what has healed long ago is not."""
    assert (found.status, found.summary) == (status, summary)


LOOPING: dict[str, Any] = {
    "restarts": 5,
    "last_termination": "Error",
    "changed_at": NOW - timedelta(seconds=20),
    "ran_seconds": 30.0,
}


@pytest.mark.parametrize(
    ("told", "status", "summary"),
    [
        ({}, BAD, "web-1: restarted 5 times, last after Error"),
        ({"restarts": 1}, OK, "2 of 2 pods ready"),  # once is no loop
        ({"ran_seconds": 601.0}, OK, "2 of 2 pods ready"),  # Kubernetes' delays have begun anew
        ({"ran_seconds": None}, OK, "2 of 2 pods ready"),
        ({"changed_at": NOW - timedelta(minutes=6)}, OK, "2 of 2 pods ready"),  # it has run since
        ({"role": ContainerRole.INIT}, OK, "2 of 2 pods ready"),  # it has got through at last
        ({"last_termination": None}, OK, "2 of 2 pods ready"),
        ({"waiting": "CrashLoopBackOff"}, BAD, "web-1: CrashLoopBackOff"),
        ({"last_termination": "OOMKilled"}, BAD, "web-1: OOMKilled"),
    ],
)
def test_a_container_between_two_crashes_is_crashing(
    told: dict[str, Any], status: Status, summary: str
) -> None:
    """Without a readiness probe its pod is ready whenever it runs."""
    found = workload(pod(**{**LOOPING, **told}))
    assert (found.status, found.summary) == (status, summary)


@pytest.mark.parametrize(
    "reason",
    [
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "PostStartHookError",
        "PreCreateHookError",
        "PreStartHookError",
        "RegistryUnavailable",
        "RunContainerError",
        "SignatureValidationFailed",
    ],
)
def test_every_reason_for_which_a_pod_cannot_start_is_bad(reason: str) -> None:
    """Kubernetes' waiting reasons that do not pass by themselves are bad, whatever the pod counts say."""
    found = workload(pod(waiting=reason))
    assert (found.status, found.facts_of(WORKLOAD).crashing) == (BAD, ("web-1",))


@pytest.mark.parametrize(
    ("ages", "suspect"),
    [
        ((timedelta(days=9), timedelta(minutes=10)), "7"),
        ((timedelta(days=9), timedelta(hours=1)), "7"),
        ((timedelta(days=9), timedelta(hours=1, seconds=1)), None),
        ((timedelta(minutes=30), timedelta(minutes=10)), "7"),
        ((timedelta(minutes=10),), None),  # nothing to go back to
        ((), None),
    ],
)
def test_a_recent_rollout_is_a_suspect_if_there_is_one_to_go_back_to(
    ages: tuple[timedelta, ...], suspect: str | None
) -> None:
    """The newest revision is named while it is young; that alone makes nothing bad."""
    found = workload(rollouts=rollouts(*ages))
    assert (found.facts_of(WORKLOAD).recent_rollout, found.status) == (suspect, OK)
    assert ("rolled out recently" in found.summary) is (suspect is not None)


def test_crashing_revisions_are_those_of_the_pods_that_do_not_start() -> None:
    """Only the revisions of crashing pods are named, each once."""
    found = workload(
        pod("web-1", revision="6"),
        pod("web-2", revision="7", waiting="CrashLoopBackOff"),
        pod("web-3", revision="7", waiting="ImagePullBackOff"),
        pod("web-4", revision=None, waiting="ImagePullBackOff"),
    )
    assert found.facts_of(WORKLOAD).crashing_revisions == ("7",)


@pytest.mark.parametrize(
    ("pods", "ready", "stuck"),
    [
        ((pod("web-1"), pod("web-2", ready=False)), 1, "web-2"),
        ((pod("web-1"), pod("web-2", ready=False, waiting="ContainerCreating")), 1, "web-2"),
        ((pod("web-1"), pod("web-2")), 2, None),  # all is well
        ((pod("web-1", ready=False), pod("web-2", ready=False)), 0, None),  # the cause is not in one pod
        ((pod("web-1", ready=False),), 1, None),  # it has no siblings
        (
            (pod("web-1"), pod("web-2", ready=False, waiting="CrashLoopBackOff")),
            1,
            None,
        ),  # deleting heals no crash
        ((pod("web-1"), pod("web-2", ready=False, terminating=True)), 1, None),  # it is going already
        ((pod("web-1"), pod("web-2"), pod("web-3", ready=False)), 2, None),  # one more during a rollout
    ],
)
def test_one_pod_is_stuck_if_only_it_is_not_ready(
    pods: tuple[PodReading, ...], ready: int, stuck: str | None
) -> None:
    """A pod that waits alone while its siblings serve, and does not crash, is named."""
    assert workload(*pods, ready=ready).facts_of(WORKLOAD).stuck_pod == stuck


@pytest.mark.parametrize("limit", [None, "256Mi"])
def test_memory_limit_is_on_record(limit: str | None) -> None:
    """The plan asks for it where a pod was killed for memory."""
    assert workload(memory_limit=limit).facts_of(WORKLOAD).memory_limit == limit


def beside(role: ContainerRole, **fields: object) -> PodReading:
    """A pod whose own container is well and whose other one is not."""
    other = ContainerReading.model_validate({"name": "other", "role": role, **fields})
    return pod(containers=(ContainerReading(name="app"), other))


@pytest.mark.parametrize(
    ("role", "killed", "container", "elsewhere"),
    [
        (ContainerRole.BESIDE, ["web-1"], "other", []),
        (ContainerRole.INJECTED, [], "", ["web-1, injected container other: OOMKilled"]),
        (ContainerRole.SIDECAR, [], "", ["web-1, sidecar container other: OOMKilled"]),
        (ContainerRole.INIT, [], "", ["web-1, init container other: OOMKilled"]),
    ],
)
def test_the_container_that_was_killed_is_named(
    role: ContainerRole, killed: list[str], container: str, elsewhere: list[str]
) -> None:
    """The limit of a container of the template can be raised; what is not in it is only told."""
    found = workload(beside(role, last_termination="OOMKilled"))

    assert found.status is BAD
    facts = found.facts_of(WORKLOAD)
    assert (facts.killed_for_memory, facts.killed_container) == (tuple(killed), container)
    assert facts.elsewhere == tuple(elsewhere)


def test_the_limit_on_record_is_that_of_the_killed_container() -> None:
    """The proxy's end does not double the limit of the integration."""
    found = workload(
        beside(ContainerRole.BESIDE, last_termination="OOMKilled"),
        memory_limits={"app": "1Gi", "other": "64Mi"},
    )
    facts = found.facts_of(WORKLOAD)
    assert (facts.killed_container, facts.memory_limit) == ("other", "64Mi")


def test_the_integrations_own_end_goes_before_another_containers() -> None:
    """Where both were killed, the integration's limit is the one to raise."""
    both = pod(
        containers=(
            ContainerReading(name="other", role=ContainerRole.BESIDE, last_termination="OOMKilled"),
            ContainerReading(name="app", last_termination="OOMKilled"),
        )
    )
    assert workload(both).facts_of(WORKLOAD).killed_container == "app"


@pytest.mark.parametrize(
    ("role", "revisions"),
    [(ContainerRole.INIT, ["7"]), (ContainerRole.SIDECAR, ["7"]), (ContainerRole.INJECTED, [])],
)
def test_a_revision_crashes_by_any_container_of_its_template(
    role: ContainerRole, revisions: list[str]
) -> None:
    """An init container of a bad revision is a reason to roll back; an injected one is not of it."""
    found = workload(beside(role, waiting="CrashLoopBackOff"))
    assert (found.status, found.facts_of(WORKLOAD).crashing_revisions) == (BAD, tuple(revisions))


def test_a_crash_of_the_integrations_own_container_is_no_trouble_elsewhere() -> None:
    """What the runbook can act on goes before what it can only tell."""
    found = workload(
        beside(ContainerRole.INJECTED, waiting="CrashLoopBackOff"), pod(waiting="CrashLoopBackOff")
    )
    assert found.facts_of(WORKLOAD).elsewhere == ()


def test_a_pod_in_which_a_sidecar_crashes_is_not_stuck() -> None:
    """Deleting it would bring the same crash back."""
    crashing = beside(ContainerRole.INJECTED, waiting="CrashLoopBackOff").model_copy(
        update={"name": "web-2", "ready": False}
    )
    assert workload(pod("web-1"), crashing, ready=1).facts_of(WORKLOAD).stuck_pod is None


@pytest.mark.parametrize("off", [timedelta(minutes=-15), timedelta(minutes=15)])
def test_ages_are_taken_by_the_clusters_clock(off: timedelta) -> None:
    """A kill a minute ago is one a minute ago, whatever our own clock says."""
    reading = workload(
        pod(last_termination="OOMKilled", changed_at=NOW + off - timedelta(minutes=1)),
        rollouts=rollouts(timedelta(days=9) - off, timedelta(minutes=10) - off),
        at=NOW + off,
    )
    assert (reading.status, reading.facts_of(WORKLOAD).recent_rollout) == (BAD, "7")
