"""The `scale` subresource: a workload's number of pods as an object of its own."""

from deployments.drill.cluster.kinds import Kind
from deployments.drill.cluster.objects import JsonObject, copied, name_of
from deployments.drill.cluster.server.errors import Cause, invalid


def scale_of(obj: JsonObject) -> JsonObject:
    """The autoscaling/v1 Scale of a workload."""
    labels = obj["spec"].get("selector", {}).get("matchLabels", {})
    fields = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in fields},
        "spec": {"replicas": obj["spec"]["replicas"]},
        "status": {
            "replicas": obj.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{key}={labels[key]}" for key in sorted(labels)),
        },
    }


def scaled(kind: Kind, obj: JsonObject, scale: JsonObject) -> JsonObject:
    """The workload that a changed Scale asks for. Raises ApiError 422."""
    replicas = scale.get("spec", {}).get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        detail = "must be greater than or equal to 0"
        raise invalid(kind, name_of(obj), [Cause.invalid("spec.replicas", replicas, detail)])
    new: JsonObject = copied(obj)
    new["spec"]["replicas"] = replicas
    # The Scale carries the workload's resourceVersion, so a stale one conflicts as it does on the workload.
    new["metadata"]["resourceVersion"] = scale.get("metadata", {}).get("resourceVersion", "")
    return new
