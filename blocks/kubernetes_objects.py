"""Kubernetes' objects, as the API gives them, read into what the runbook judges."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from blocks.errors import one_line
from blocks.kubernetes_revisions import Object, Revision, mark_of, moment
from runbook.readings import PodReading, Rollout, WorkloadReading


class UnknownContainer(LookupError):
    """A pod template has no container of this name."""


def workload_reading(
    target: str,
    workload: Object,
    *,
    pods: Sequence[Object],
    own: Sequence[Revision],
    events: tuple[str, ...],
    container: str | None,
    switches: Iterable[str],
) -> WorkloadReading:
    """The workload with its pods and its own revisions, newest revision last.

    Raises:
        UnknownContainer: there is no container of that name.
    """
    spec, status = workload["spec"], workload.get("status") or {}
    template = main_container(spec["template"]["spec"], container)
    names = {revision.mark: revision.name for revision in own}
    return WorkloadReading(
        target=target,
        desired=spec.get("replicas", 1),
        ready=status.get("readyReplicas") or 0,
        updated=status.get("updatedReplicas") or 0,
        paused=bool(spec.get("paused")),
        pods=tuple(pod_reading(pod, container, names) for pod in pods),
        switches=environment(template, switches),
        memory_limit=(((template.get("resources") or {}).get("limits")) or {}).get("memory"),
        rollouts=_rollouts(workload, own, container),
        events=events,
    )


def main_container(pod_spec: Object, name: str | None) -> Object:
    """The container of that name, or the first one, which is kubectl's default.

    Raises:
        UnknownContainer: there is no container of that name.
    """
    containers: list[Object] = pod_spec["containers"]
    if name is None:
        return containers[0]
    for container in containers:
        if container["name"] == name:
            return container
    raise UnknownContainer(name)


def environment(container: Object, names: Iterable[str]) -> dict[str, str]:
    """The values of these environment variables, where they are set; a reference is named, not followed."""
    wanted = set(names)
    found = {}
    for entry in container.get("env") or ():
        if entry["name"] in wanted:
            source = entry.get("valueFrom")
            found[entry["name"]] = f"(from {', '.join(source)})" if source else entry.get("value", "")
    return found


def pod_reading(pod: Object, container: str | None, revisions: Mapping[str, str]) -> PodReading:
    """A pod; its restarts, reasons and start are those of all its containers together."""
    status = pod.get("status") or {}
    containers = _container_statuses(pod)
    conditions = {item["type"]: item["status"] for item in status.get("conditions") or ()}
    return PodReading(
        name=pod["metadata"]["name"],
        phase=status.get("phase", "Unknown"),
        ready=conditions.get("Ready") == "True",
        restarts=sum(item.get("restartCount", 0) for item in containers),
        waiting=waiting_reason(pod),
        last_termination=_last_termination(containers),
        started_at=_started_at(status, containers, container),
        revision=revisions.get(mark_of(pod)),
        terminating=is_terminating(pod),
    )


def is_terminating(pod: Object) -> bool:
    """Whether the pod is on its way out; it stays listed until then."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def waiting_reason(pod: Object) -> str | None:
    """Why a container of the pod does not run, such as CrashLoopBackOff."""
    for item in _container_statuses(pod):
        waiting = (item.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return str(waiting["reason"])
    return None


def warning_lines(events: Iterable[Object], workload: str, limit: int = 10) -> tuple[str, ...]:
    """The newest Warning events of the workload, its revisions and its pods, newest last."""
    about = [
        event
        for event in events
        if event.get("type") == "Warning" and _is_part_of(event.get("involvedObject") or {}, workload)
    ]
    newest = sorted(about, key=_event_time)[-limit:]
    return tuple(_event_line(event) for event in newest)


def _is_part_of(involved: Object, workload: str) -> bool:
    name = str(involved.get("name", ""))
    return name == workload or name.startswith(f"{workload}-")


def _event_time(event: Object) -> str:
    series = event.get("series") or {}
    return str(
        event.get("lastTimestamp")
        or series.get("lastObservedTime")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp")
        or ""
    )


def _event_line(event: Object) -> str:
    involved = event.get("involvedObject") or {}
    times = event.get("count") or 1
    repeated = f" (×{times})" if times > 1 else ""
    return (
        f"{_event_time(event)} {event.get('reason')} "
        f"{str(involved.get('kind', '')).lower()}/{involved.get('name')}: "
        f"{one_line(str(event.get('message', '')), 200)}{repeated}"
    )


def _container_statuses(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _last_termination(containers: Iterable[Object]) -> str | None:
    """The reason of the latest end; memory first, since its remedy is another one."""
    reasons = [
        terminated.get("reason") or "Error"
        for item in containers
        for name in ("state", "lastState")
        if (terminated := (item.get(name) or {}).get("terminated"))
        and terminated.get("reason") != "Completed"
    ]
    return "OOMKilled" if "OOMKilled" in reasons else next(iter(reasons), None)


def _started_at(status: Object, containers: Iterable[Object], name: str | None) -> datetime | None:
    """When the container last started or, where it is down, last ended; the pod's start before that."""
    times = []
    for item in containers:
        if name is not None and item.get("name") != name:
            continue
        running = (item.get("state") or {}).get("running") or {}
        ended = (item.get("lastState") or {}).get("terminated") or {}
        times.append(moment(running.get("startedAt")) or moment(ended.get("finishedAt")))
    known = [time for time in times if time]
    return max(known) if known else moment(status.get("startTime"))


def _rollouts(workload: Object, own: Iterable[Revision], container: str | None) -> tuple[Rollout, ...]:
    """The revisions with their times. One that was rolled back to keeps its old creation time: then the
    Deployment's last progress tells when it was rolled out; a StatefulSet says no more than: later.
    """
    rollouts: list[Rollout] = []
    for revision in own:
        created_at = revision.created_at
        if rollouts and created_at < rollouts[-1].created_at:
            created_at = max(rollouts[-1].created_at, _progressed_at(workload) or created_at)
        image = _image(revision.template, container)
        rollouts.append(Rollout(revision=revision.name, created_at=created_at, image=image))
    return tuple(rollouts)


def _progressed_at(deployment: Object) -> datetime | None:
    for condition in (deployment.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Progressing":
            return moment(condition.get("lastUpdateTime"))
    return None


def _image(template: Object, container: str | None) -> str:
    try:
        return str(main_container(template["spec"], container).get("image", ""))
    except UnknownContainer:
        return ""  # an older revision may have had other containers
