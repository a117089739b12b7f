"""The pods of a workload: which of those that a selector finds are its own, and what runs in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from blocks.kubernetes.revisions import Object, Revision, belongs, mark_of, moment
from runbook.checks.readings import ContainerReading, ContainerRole, PodReading

STARTING = frozenset({"ContainerCreating", "PodInitializing"})
"""Reasons for which a container waits that pass by themselves."""

_ENDED = frozenset({"Succeeded", "Failed"})
"""Phases that a pod never leaves: it was evicted, or its node went away, or it is a Job's."""


@dataclass(frozen=True)
class WorkloadPods:
    """The pods of a workload's selector: its own living ones, and why each of the others is not counted.

    Another workload's pods may have the same labels, as a canary's or a Job's. Pods that were evicted stay
    listed.
    """

    living: tuple[Object, ...]
    not_counted: dict[str, str]


def pods_of(workload: Object, own: Sequence[Revision], pods: Iterable[Object]) -> WorkloadPods:
    """Tell the workload's own living pods from the others."""
    living: list[Object] = []
    others: dict[str, str] = {}
    for pod in pods:
        if not belongs(pod, workload, own):
            others[pod["metadata"]["name"]] = "not created by the workload"
        elif (phase := (pod.get("status") or {}).get("phase")) in _ENDED:
            others[pod["metadata"]["name"]] = str((pod.get("status") or {}).get("reason") or phase)
        else:
            living.append(pod)
    return WorkloadPods(tuple(living), others)


def known_containers(templates: Iterable[Object]) -> frozenset[str]:
    """The containers that stand in the workload's templates; any other in a pod was injected."""
    return frozenset(
        str(item["name"])
        for template in templates
        for kind in ("containers", "initContainers")
        for item in template["spec"].get(kind) or ()
    )


def pod_reading(pod: Object, *, main: str, known: frozenset[str], revisions: Mapping[str, str]) -> PodReading:
    """A pod with its containers; `main` is the integration's own, `known` are those of the templates."""
    status = pod.get("status") or {}
    return PodReading(
        name=pod["metadata"]["name"],
        uid=str(pod["metadata"].get("uid", "")),
        phase=status.get("phase", "Unknown"),
        ready=is_ready(pod),
        containers=tuple(
            container_reading(pod, item, role=role_of(pod, item["name"], main=main, known=known))
            for item in container_statuses(pod)
        ),
        revision=revisions.get(mark_of(pod)),
        terminating=is_terminating(pod),
    )


def role_of(pod: Object, name: str, *, main: str, known: frozenset[str]) -> ContainerRole:
    """What a container is in its pod."""
    if name == main:
        return ContainerRole.MAIN
    if name not in known:
        return ContainerRole.INJECTED
    for spec in pod["spec"].get("initContainers") or ():
        if spec["name"] == name:
            native = spec.get("restartPolicy") == "Always"
            return ContainerRole.SIDECAR if native else ContainerRole.INIT
    return ContainerRole.BESIDE


def container_reading(pod: Object, item: Object, *, role: ContainerRole) -> ContainerReading:
    """A container by its entry in the pod's status."""
    state, before = item.get("state") or {}, item.get("lastState") or {}
    waiting = (state.get("waiting") or {}).get("reason")
    return ContainerReading(
        name=item["name"],
        role=role,
        restarts=item.get("restartCount", 0),
        waiting=None if waiting in STARTING else waiting,
        last_termination=_last_termination(state, before),
        changed_at=_changed_at(pod, state, before),
        ran_seconds=_ran_seconds(state.get("terminated") or before.get("terminated") or {}),
    )


def _ran_seconds(terminated: Object) -> float | None:
    begun, ended = moment(terminated.get("startedAt")), moment(terminated.get("finishedAt"))
    return None if begun is None or ended is None else (ended - begun).total_seconds()


def container_statuses(pod: Object) -> list[Object]:
    """The entries of all containers in a pod's status, those that run first first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def is_ready(pod: Object) -> bool:
    """Whether the pod receives traffic."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def is_terminating(pod: Object) -> bool:
    """Whether the pod is on its way out; it stays listed until then."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def waiting_reason(pod: Object) -> str | None:
    """Why a container of the pod does not run, such as CrashLoopBackOff."""
    for item in container_statuses(pod):
        waiting = (item.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") not in (None, *STARTING):
            return str(waiting["reason"])
    return None


def failing_containers(pod: Object) -> dict[str, str]:
    """The containers of a pod that do not start or end again and again, with the reason of each.

    Between two crashes a container runs for a while, so its last end counts as long as it is not ready.
    """
    found = {}
    for item in container_statuses(pod):
        state, before = item.get("state") or {}, item.get("lastState") or {}
        waiting = (state.get("waiting") or {}).get("reason")
        reason = waiting if waiting not in (None, *STARTING) else _last_termination(state, before)
        if reason and not item.get("ready"):
            found[str(item["name"])] = str(reason)
    return found


def _last_termination(state: Object, before: Object) -> str | None:
    """The reason of the latest end that was not a completion; memory first, since its remedy is another."""
    reasons = [
        terminated.get("reason") or "Error"
        for place in (state, before)
        if (terminated := place.get("terminated")) and terminated.get("reason") != "Completed"
    ]
    return "OOMKilled" if "OOMKilled" in reasons else next(iter(reasons), None)


def _changed_at(pod: Object, state: Object, before: Object) -> datetime | None:
    """When the container last started or, where it is down, last ended; the pod's start before that."""
    times = (
        (state.get("running") or {}).get("startedAt"),
        (state.get("terminated") or {}).get("finishedAt"),
        (before.get("terminated") or {}).get("finishedAt"),
        (pod.get("status") or {}).get("startTime"),
    )
    return next((time for value in times if (time := moment(value))), None)
