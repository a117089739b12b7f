"""Kubernetes' objects, as the API gives them, read into what the runbook judges."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from blocks.kubernetes.pods import WorkloadPods, known_containers, pod_reading
from blocks.kubernetes.revisions import Object, Revision, moment
from runbook.checks.readings import Rollout, WorkloadReading
from runbook.kubernetes.patches import main_container


def workload_reading(
    target: str,
    workload: Object,
    *,
    pods: WorkloadPods,
    own: Sequence[Revision],
    events: tuple[str, ...],
    container: str | None,
    switches: Iterable[str],
    at: datetime | None,
    waits_for: str = "",
) -> WorkloadReading:
    """The workload with its pods and its own revisions, newest revision last; `at` is the cluster's time.

    Raises:
        LookupError: the workload has no container of that name.
    """
    spec, status = workload["spec"], workload.get("status") or {}
    template = spec["template"]
    name = main_container(template, container)
    containers = {str(item["name"]): item for item in template["spec"]["containers"]}
    limits = {key: ((item.get("resources") or {}).get("limits") or {}) for key, item in containers.items()}
    names = {revision.mark: revision.name for revision in own}
    known = known_containers([template, *(revision.template for revision in own)])
    return WorkloadReading(
        target=target,
        container=name,
        desired=spec.get("replicas", 1),
        ready=status.get("readyReplicas") or 0,
        updated=status.get("updatedReplicas") or 0,
        paused=bool(spec.get("paused")),
        pods=tuple(pod_reading(pod, main=name, known=known, revisions=names) for pod in pods.living),
        switches=environment(containers[name], switches),
        memory_limits={key: str(limit["memory"]) for key, limit in limits.items() if "memory" in limit},
        rollouts=rollouts_of(workload, own, container),
        events=events,
        not_counted=pods.not_counted,
        waits_for=waits_for,
        at=at,
    )


def environment(container: Object, names: Iterable[str]) -> dict[str, str]:
    """The values of these environment variables, where they are set; a reference is named, not followed."""
    wanted = set(names)
    found = {}
    for entry in container.get("env") or ():
        if entry["name"] in wanted:
            source = entry.get("valueFrom")
            found[entry["name"]] = f"(from {', '.join(source)})" if source else entry.get("value", "")
    return found


def rollouts_of(workload: Object, own: Iterable[Revision], container: str | None) -> tuple[Rollout, ...]:
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
        name = main_container(template, container)
    except LookupError:
        return ""  # an older revision may have had other containers
    return next(str(item.get("image", "")) for item in template["spec"]["containers"] if item["name"] == name)
