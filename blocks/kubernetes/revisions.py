"""A workload's revisions: the pod templates that it has and had, and which pods are of which.

A Deployment keeps them as ReplicaSets, a StatefulSet as ControllerRevisions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Object = Mapping[str, Any]

DEPLOYMENT_REVISION = "deployment.kubernetes.io/revision"
TEMPLATE_HASH = "pod-template-hash"
CONTROLLER_REVISION_HASH = "controller-revision-hash"
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Revision:
    """One revision. `mark` is what its pods carry as a label, `template` is what to roll back to.

    `uid` is that of the ReplicaSet or ControllerRevision.
    """

    number: int
    mark: str
    uid: str
    created_at: datetime
    template: dict[str, Any]

    @property
    def name(self) -> str:
        """The number for people; empty where the controller has not given one yet."""
        return str(self.number or "")


def revisions(workload: Object, items: Iterable[Object]) -> list[Revision]:
    """The workload's own revisions among ReplicaSets or ControllerRevisions, newest last."""
    uid = workload["metadata"].get("uid")
    own = [_of_controller(item) if "revision" in item else _of_replica_set(item)
           for item in items if uid in _owners(item)]  # fmt: skip
    return sorted(own, key=lambda revision: revision.number)


def mark_of(pod: Object) -> str:
    """The mark of the revision that a pod is of; empty for a pod that no such controller made."""
    labels = pod["metadata"].get("labels") or {}
    return str(labels.get(CONTROLLER_REVISION_HASH) or labels.get(TEMPLATE_HASH) or "")


def belongs(pod: Object, workload: Object, own: Iterable[Revision]) -> bool:
    """Whether the workload made the pod, itself or through one of its ReplicaSets."""
    makers = {workload["metadata"].get("uid"), *(revision.uid for revision in own)}
    return not makers.isdisjoint(_owners(pod))


def moment(value: object) -> datetime | None:
    """A Kubernetes timestamp, aware UTC."""
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) and value else None


def _owners(item: Object) -> set[str]:
    return {owner["uid"] for owner in item["metadata"].get("ownerReferences") or () if "uid" in owner}


def _created_at(item: Object) -> datetime:
    return moment(item["metadata"].get("creationTimestamp")) or _EPOCH


def _of_replica_set(item: Object) -> Revision:
    metadata, template = item["metadata"], dict(item["spec"]["template"])
    inner = dict(template.get("metadata") or {})
    labels = dict(inner.get("labels") or {})
    labels.pop(TEMPLATE_HASH, None)  # the ReplicaSet's own addition
    return Revision(
        number=int((metadata.get("annotations") or {}).get(DEPLOYMENT_REVISION) or 0),
        mark=str((metadata.get("labels") or {}).get(TEMPLATE_HASH, "")),
        uid=str(metadata.get("uid", "")),
        created_at=_created_at(item),
        template={**template, "metadata": {**inner, "labels": labels}},
    )


def _of_controller(item: Object) -> Revision:
    # its data are the strategic merge patch that would bring the template back
    template = dict(item["data"]["spec"]["template"])
    template.pop("$patch", None)
    return Revision(
        number=int(item["revision"]),
        mark=str(item["metadata"]["name"]),
        uid=str(item["metadata"].get("uid", "")),
        created_at=_created_at(item),
        template=template,
    )
