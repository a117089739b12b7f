"""The arithmetic of a Deployment's rollout: how many pods may come and go at once.

Source: k8s.io/kubernetes/pkg/controller/deployment (rolling.go, util/deployment_util.go).
"""

import hashlib
import json
import math
from dataclasses import dataclass
from typing import Any

from deployments.drill.cluster.objects import JsonObject, annotations_of, copied, is_terminating
from deployments.drill.cluster.writes.registry import NAME_ALPHABET

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
TEMPLATE_HASH = "pod-template-hash"


def template_hash(template: JsonObject) -> str:
    """The short name of a pod template: equal templates, equal names."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(NAME_ALPHABET[byte % len(NAME_ALPHABET)] for byte in digest[:9])


def without_hash(template: JsonObject) -> JsonObject:
    """A ReplicaSet's template as its Deployment wrote it."""
    bare: JsonObject = copied(template)
    bare.get("metadata", {}).get("labels", {}).pop(TEMPLATE_HASH, None)
    return bare


def revision_of(obj: JsonObject) -> int:
    """The revision annotation, 0 without one."""
    text = annotations_of(obj).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def available(replica_set: JsonObject) -> int:
    """How many of a ReplicaSet's pods are available."""
    return int(replica_set.get("status", {}).get("availableReplicas", 0))


def wanted(replica_set: JsonObject) -> int:
    """How many pods a ReplicaSet asks for."""
    return int(replica_set["spec"]["replicas"])


def resolved(amount: Any, replicas: int, round_up: bool) -> int:
    """A number of pods that may be given as a percentage of the replicas."""
    if isinstance(amount, str) and amount.endswith("%"):
        share = int(amount[:-1]) * replicas / 100
        return math.ceil(share) if round_up else math.floor(share)
    return int(amount)


@dataclass(frozen=True)
class Fenceposts:
    """How far a rollout may leave the wanted number of pods."""

    max_surge: int
    max_unavailable: int

    @classmethod
    def of(cls, deployment: JsonObject) -> "Fenceposts":
        """Resolve a Deployment's percentages; both zero means one may be unavailable."""
        replicas = deployment["spec"]["replicas"]
        rolling = deployment["spec"]["strategy"].get("rollingUpdate")
        if not rolling:  # Recreate
            return cls(0, replicas)
        surge = resolved(rolling["maxSurge"], replicas, round_up=True)
        unavailable = resolved(rolling["maxUnavailable"], replicas, round_up=False)
        return cls(surge, 1 if surge == 0 and unavailable == 0 else unavailable)


def new_size(deployment: JsonObject, new: JsonObject, olds: list[JsonObject]) -> int:
    """How many pods the new ReplicaSet may ask for now."""
    replicas = int(deployment["spec"]["replicas"])
    if wanted(new) >= replicas:
        return replicas
    if deployment["spec"]["strategy"]["type"] == "Recreate":
        return replicas
    total = wanted(new) + sum(wanted(old) for old in olds)
    room = replicas + Fenceposts.of(deployment).max_surge - total
    return wanted(new) + max(min(room, replicas - wanted(new)), 0)


def old_sizes(deployment: JsonObject, new: JsonObject, olds: list[JsonObject]) -> dict[str, int]:
    """How many pods each old ReplicaSet may keep now, by name: unhealthy ones go first, then the oldest's."""
    sizes = {old["metadata"]["name"]: wanted(old) for old in olds}
    if deployment["spec"]["strategy"]["type"] == "Recreate":
        return dict.fromkeys(sizes, 0)
    minimum = deployment["spec"]["replicas"] - Fenceposts.of(deployment).max_unavailable
    total = wanted(new) + sum(sizes.values())
    spare = total - minimum - (wanted(new) - available(new))
    if spare <= 0:
        return sizes
    oldest_first = sorted(olds, key=revision_of)
    for old in oldest_first:
        unhealthy = max(min(wanted(old) - available(old), spare), 0)
        sizes[old["metadata"]["name"]] -= unhealthy
        spare -= unhealthy
    surplus = (
        available(new) + sum(min(available(old), sizes[old["metadata"]["name"]]) for old in olds) - minimum
    )
    for old in oldest_first:
        leaving = max(min(sizes[old["metadata"]["name"]], surplus), 0)
        sizes[old["metadata"]["name"]] -= leaving
        surplus -= leaving
    return sizes


def is_complete(deployment: JsonObject, status: JsonObject) -> bool:
    """Whether every wanted pod is new and available and no old one is left."""
    replicas = int(deployment["spec"]["replicas"])
    return bool(
        status.get("updatedReplicas", 0) == replicas
        and status.get("replicas", 0) == replicas
        and status.get("availableReplicas", 0) == replicas
    )


def has_live_pods(pods: list[JsonObject]) -> bool:
    """Whether any pod still runs, one that is being deleted included."""
    return any(
        pod.get("status", {}).get("phase") not in ("Failed", "Succeeded") or is_terminating(pod)
        for pod in pods
    )
