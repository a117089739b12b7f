"""How the workload is judged: its pods, what crashes or was killed for memory in them, what was rolled out.

Only what a change of the workload can cure leads to a change: each trouble is told with its container.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from runbook.checks.facts import Facts, RecordedFacts
from runbook.checks.findings import Finding, Status
from runbook.checks.readings import ContainerReading, ContainerRole, PodReading, WorkloadReading
from runbook.checks.spec import CheckName, CheckSpec
from runbook.decision.leaves import Verdict
from runbook.kubernetes.waiting_reasons import CANNOT_START
from runbook.outside_text import OutsideLine, OutsideName, OutsideText, OutsideTexts

if TYPE_CHECKING:  # it names checks itself
    from runbook.policy.policy import Policy

KILLED = "OOMKilled"

_BACKOFF_RESET_SECONDS = 600
"""A container that ran longer than this starts with Kubernetes' first delay: it does not crash in a loop."""

_OF_TEMPLATE = (ContainerRole.MAIN, ContainerRole.BESIDE)
"""Containers whose memory limit is a field of the workload's template that the runbook can set."""


class WorkloadFacts(Facts):
    """How many pods there should be and are ready, and what is wrong with which of them.

    `crashing` and `killed_for_memory` name pods; `killed_container` is the container whose `memory_limit` is
    too low. `elsewhere` are the troubles where none is in a container that the runbook can change.
    `stuck_pod` is the one pod that is not ready while all others are. `recent_rollout` is a revision that
    is young enough to be a suspect; its rollout may wait for a pod, with or without the same image.
    """

    desired: int | None = None
    ready: int | None = None
    crashing: tuple[OutsideName, ...] = ()
    killed_for_memory: tuple[OutsideName, ...] = ()
    killed_container: OutsideName | None = None
    elsewhere: tuple[OutsideText, ...] = ()
    stuck_pod: OutsideName | None = None
    stuck_pod_uid: OutsideName | None = None
    memory_limit: OutsideName | None = None
    recent_rollout: OutsideName | None = None
    rollout_waits_for: OutsideName | None = None
    waits_for_the_same: bool | None = None
    crashing_revisions: tuple[OutsideName, ...] = ()
    switches: OutsideTexts | None = None
    paused: bool | None = None
    events: tuple[OutsideLine, ...] = ()
    not_counted: dict[OutsideName, OutsideLine] | None = None


def judge_workload(reading: WorkloadReading, *, policy: "Policy", now: datetime) -> Finding:
    """Pods and memory: all desired pods ready, none crashing, none killed for memory lately.

    Ages are taken by the cluster's own clock, where it told its time: ours may be off.
    """
    at = reading.at or now
    pods = [pod for pod in reading.pods if not pod.terminating]
    lately = at - timedelta(seconds=policy.log_window_seconds)
    crashing = [(pod, item) for pod, item in _containers(pods) if _is_crashing(item, lately)]
    killed = [(pod, item) for pod, item in _containers(pods) if _killed_since(item, lately)]
    problems: list[str] = []
    if reading.desired == 0:
        problems.append("scaled to zero")
    elif reading.ready < reading.desired:
        problems.append(f"{reading.ready} of {reading.desired} pods ready")
    problems += [f"{_name(pod, item)}: {_why(item)}" for pod, item in crashing]
    problems += [f"{_name(pod, item)}: {KILLED}" for pod, item in killed]
    suspect = _recent_rollout(reading, policy=policy, now=at)
    summary = "; ".join(problems) or f"{reading.ready} of {reading.desired} pods ready"
    if suspect:
        summary += f"; revision {suspect} was rolled out recently"
    out_of_memory = _out_of_memory(killed)
    troubles = [(pod, item) for pod, item in (*crashing, *killed)]
    elsewhere = tuple(f"{_name(pod, item)}: {_why(item)}" for pod, item in troubles)
    stuck = _stuck_pod(reading, lately)
    here = any(item.role in _OF_TEMPLATE for _, item in troubles)
    return Finding(
        check=WORKLOAD.name,
        status=Status.BAD if problems else Status.OK,
        summary=summary,
        facts=RecordedFacts.of(
            WorkloadFacts(
                desired=reading.desired,
                ready=reading.ready,
                crashing=tuple(dict.fromkeys(pod.name for pod, _ in crashing)),
                killed_for_memory=tuple(pod.name for pod, item in killed if item.name == out_of_memory),
                killed_container=out_of_memory,
                elsewhere=() if here else elsewhere,
                stuck_pod=stuck.name if stuck else None,
                stuck_pod_uid=stuck.uid if stuck else None,
                memory_limit=reading.memory_limits.get(out_of_memory or reading.container),
                recent_rollout=suspect,
                rollout_waits_for=reading.waits_for or None,
                waits_for_the_same=_waits_for_the_same(reading),
                crashing_revisions=tuple(_crashing_revisions(crashing)),
                switches=reading.switches,
                paused=reading.paused,
                events=reading.events,
                not_counted=reading.not_counted,
            )
        ),
        source=reading.target,
        observed_at=now,
    )


def _containers(pods: list[PodReading]) -> Iterator[tuple[PodReading, ContainerReading]]:
    return ((pod, item) for pod in pods for item in pod.containers)


def _name(pod: PodReading, item: ContainerReading) -> str:
    """The pod, with the container where it is not the integration's own."""
    if item.role is ContainerRole.MAIN:
        return pod.name
    return f"{pod.name}, {item.role} container {item.name}"


def _is_crashing(item: ContainerReading, lately: datetime) -> bool:
    """Whether a container waits for its next start after a crash, or runs between two crashes.

    One without a readiness probe is ready whenever it runs. An init container that does not wait has got
    through at last.
    """
    if item.waiting in CANNOT_START:
        return True
    if item.role is ContainerRole.INIT:
        return False
    again = item.last_termination not in (None, KILLED) and item.restarts > 1
    quick = item.ran_seconds is not None and item.ran_seconds < _BACKOFF_RESET_SECONDS
    return again and quick and item.changed_at is not None and item.changed_at >= lately


def _why(item: ContainerReading) -> str:
    if item.waiting or item.last_termination in (None, KILLED):
        return item.waiting or KILLED
    return f"restarted {item.restarts} times, last after {item.last_termination}"


def _killed_since(item: ContainerReading, lately: datetime) -> bool:
    return item.last_termination == KILLED and (item.changed_at is None or item.changed_at >= lately)


def _crashing_revisions(crashing: list[tuple[PodReading, ContainerReading]]) -> list[str]:
    """An injected container is not of the revision."""
    own = [(pod, item) for pod, item in crashing if item.role is not ContainerRole.INJECTED]
    return sorted({pod.revision for pod, _ in own if pod.revision})


def _out_of_memory(killed: list[tuple[PodReading, ContainerReading]]) -> str:
    """The container whose limit is too low: the integration's own before another one of the template."""
    names = {item.role: item.name for _, item in reversed(killed)}
    return next((names[role] for role in _OF_TEMPLATE if role in names), "")


def _stuck_pod(reading: WorkloadReading, lately: datetime) -> PodReading | None:
    """The one pod that is not ready while all its siblings are, and in which nothing crashes."""
    pods = [pod for pod in reading.pods if not pod.terminating]
    waiting = [pod for pod in pods if not pod.ready]
    alone = len(waiting) == 1 and len(pods) > 1 and reading.ready == reading.desired - 1
    crashes = alone and any(_is_crashing(item, lately) for item in waiting[0].containers)
    return waiting[0] if alone and not crashes else None


def _waits_for_the_same(reading: WorkloadReading) -> bool:
    """Whether the newest revision is of the same image as the pod that it waits for, and so no fix of it."""
    images = {rollout.revision: rollout.image for rollout in reading.rollouts}
    held = next((pod for pod in reading.pods if pod.name == reading.waits_for), None)
    image = images.get(held.revision or "") if held else None
    return bool(image) and image == reading.rollouts[-1].image


def _recent_rollout(reading: WorkloadReading, *, policy: "Policy", now: datetime) -> str | None:
    """The newest revision, if there is one to go back to and it is young enough to be a suspect."""
    if len(reading.rollouts) < 2:
        return None
    newest = reading.rollouts[-1]
    young = now - newest.created_at <= timedelta(seconds=policy.recent_rollout_seconds)
    return newest.revision if young else None


WORKLOAD = CheckSpec[WorkloadFacts, WorkloadReading](
    name=CheckName("workload"),
    title="Workload",
    order=60,
    question="Are our pods running and ready?",
    hope="all our pods are ready",
    asked="Kubernetes",
    facts=WorkloadFacts,
    judge=lambda reading, policy, now: judge_workload(reading, policy=policy, now=now),
    lasting=frozenset({Verdict.INFRASTRUCTURE_ISSUE}),
)
