"""What the cluster shows of the revisions before the newest, for the choice of the one to roll back to."""

from collections.abc import Iterable, Mapping
from typing import Any

from blocks.kubernetes.cluster import Cluster
from blocks.kubernetes.pods import failing_containers, is_ready, is_terminating, pods_of
from blocks.kubernetes.revisions import Revision, mark_of
from blocks.transport.errors import OutsideError
from runbook.kubernetes.revision_choice import (
    EarlierRevision,
    RevisionChoice,
    choose_revision,
    differs_in_what_fails,
)

_BACK_OFF = "BackOff"
"""The kubelet's event about a container that it starts, or an image that it pulls, again and again."""


async def choose_among(cluster: Cluster, workload: Mapping[str, Any], own: list[Revision]) -> RevisionChoice:
    """Choose among the workload's revisions before the newest; `own` has the newest last.

    Events are asked only where no revision is known to be healthy, and do without where they may not be read.
    """
    pods = [
        pod for pod in pods_of(workload, own, await cluster.workload.pods()).living if not is_terminating(pod)
    ]
    newest = own[-1]
    failing = _failing([pod for pod in pods if mark_of(pod) == newest.mark]) or _failing(pods)
    status = workload.get("status") or {}
    finished = status.get("currentRevision", "")
    seen = [
        EarlierRevision(
            name=revision.name,
            mark=revision.mark,
            pods=sum(mark_of(pod) == revision.mark for pod in pods),
            ready=sum(mark_of(pod) == revision.mark and is_ready(pod) for pod in pods),
            finished=finished == revision.mark,
            differs=differs_in_what_fails(newest.template, revision.template, failing),
        )
        for revision in reversed(own[:-1])
    ]
    if not any(item.was_healthy for item in seen):
        crashed = await _crashed(cluster)
        seen = [
            item.model_copy(update={"crashed": any(f"-{item.mark}-" in name for name in crashed)})
            for item in seen
        ]
    return choose_revision(seen)


def _failing(pods: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pod in pods:
        for name, reason in failing_containers(pod).items():
            found.setdefault(name, set()).add(reason)
    return found


async def _crashed(cluster: Cluster) -> set[str]:
    """The names of pods that were seen to crash lately; a ReplicaSet's have its mark in them."""
    try:
        events = (await cluster.events.all()).items
    except OutsideError:
        return set()
    return {
        str(event["involvedObject"].get("name", ""))
        for event in events
        if event.get("reason") == _BACK_OFF and event.get("involvedObject")
    }
