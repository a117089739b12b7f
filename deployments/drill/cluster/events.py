"""Events: what the controllers and the kubelet say happened, counted where they repeat themselves."""

from dataclasses import dataclass

from deployments.drill.cluster.kinds import EVENT, by_kind
from deployments.drill.cluster.objects import JsonObject, copied, name_of, namespace_of
from deployments.drill.cluster.writes.registry import Registry


@dataclass(frozen=True)
class Recorder:
    """Writes events as one component of the cluster."""

    registry: Registry
    component: str
    host: str = ""

    def record(
        self, obj: JsonObject, reason: str, message: str, *, warning: bool = False, field_path: str = ""
    ) -> None:
        """Record an event about an object; an event that repeats raises the count of the first."""
        kind = "Warning" if warning else "Normal"
        namespace = namespace_of(obj) or "default"  # where events about nodes go
        for event in self.registry.store.objects(EVENT, namespace):
            about = event["involvedObject"]
            if (about.get("uid"), event["reason"], event["message"]) == (
                obj["metadata"]["uid"],
                reason,
                message,
            ):
                repeated = copied(event)
                repeated.update(count=event["count"] + 1, lastTimestamp=self.registry.now())
                self.registry.store.put(EVENT, repeated)
                return
        about = {
            "kind": obj["kind"],
            "namespace": namespace_of(obj),
            "name": name_of(obj),
            "uid": obj["metadata"]["uid"],
            "apiVersion": by_kind(obj["kind"]).api_version,
            "resourceVersion": obj["metadata"]["resourceVersion"],
            **({"fieldPath": field_path} if field_path else {}),
        }
        now = self.registry.now()
        self.registry.create(
            EVENT,
            namespace,
            {
                "metadata": {"generateName": f"{name_of(obj)}."},
                "involvedObject": {key: value for key, value in about.items() if value},
                "reason": reason,
                "message": message,
                "source": {"component": self.component, **({"host": self.host} if self.host else {})},
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
                "type": kind,
                "reportingComponent": self.component,
                "reportingInstance": self.host,
            },
        )
