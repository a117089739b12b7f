"""Whether a namespace has room for the pods that a change makes: its quotas and limit ranges.

What cannot be told beforehand is left to the cluster: a container without the amount that is counted may be
given one by a default, and a node's free memory is not ours to read.

Source: ResourceQuota and LimitRange in Kubernetes' API reference.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from kubernetes.client import CoreV1Api

from blocks.kubernetes.access.connection import ClusterClient, Json, items_of
from blocks.kubernetes.access.errors import Request
from blocks.kubernetes.revisions import Object
from blocks.kubernetes.update_bounds import bounds_of
from runbook.kubernetes.quantities import as_quantity, memory_bytes

_COUNTED = {
    "limits.memory": ("limits", "memory"),
    "requests.memory": ("requests", "memory"),
    "memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "requests.cpu": ("requests", "cpu"),
    "cpu": ("requests", "cpu"),
}
"""What of a container each resource of a quota counts."""


def why_no_room(
    before: Object, after: Object, *, quotas: Iterable[Object], limit_ranges: Iterable[Object]
) -> str | None:
    """Why the pods of a changed workload cannot all be made; `None` where nothing speaks against it."""
    if before["spec"]["template"] != after["spec"]["template"]:
        for limit_range in limit_ranges:
            if reason := _beyond(limit_range, after):
                return reason
    return next((reason for quota in quotas if (reason := _exceeded(quota, before, after))), None)


def surge_words(before: Object, after: Object) -> str:
    """What a node must have room for before the first old pod may end; empty where one ends first."""
    bounds = bounds_of(after)
    if before["spec"]["template"] == after["spec"]["template"] or "updateStrategy" in after["spec"]:
        return ""
    if bounds.unavailable or not after["spec"].get("replicas", 1):
        return ""
    memory = _needed(after, "requests.memory")
    size = f" with {as_quantity(int(memory))}" if memory else ""
    return f"a node must have room for one more pod{size} before an old one is stopped"


def _beyond(limit_range: Object, after: Object) -> str | None:
    for item in limit_range["spec"].get("limits") or ():
        if item.get("type") != "Container":
            continue
        for resource, most in (item.get("max") or {}).items():
            for container in after["spec"]["template"]["spec"]["containers"]:
                limit = ((container.get("resources") or {}).get("limits") or {}).get(resource)
                if limit is not None and _amount(resource, str(limit)) > _amount(resource, str(most)):
                    return (
                        f"LimitRange {limit_range['metadata']['name']} lets a container have {most} of "
                        f"{resource}, and {container['name']} would have {limit}: no pod could be "
                        "created. Choose a lower value, or have the range raised"
                    )
    return None


def _exceeded(quota: Object, before: Object, after: Object) -> str | None:
    spec, status = quota["spec"], quota.get("status") or {}
    if spec.get("scopes") or spec.get("scopeSelector"):
        return None  # it counts some pods only
    used = status.get("used") or {}
    for key, hard in (status.get("hard") or {}).items():
        old, new = _needed(before, key), _needed(after, key)
        if old is None or new is None or key not in used:
            continue
        room = _amount(key, str(hard)) - _amount(key, str(used[key]))
        more = _most_at_once(before, after, old=old, new=new)
        if more > 0 and more > room:
            return (
                f"quota {quota['metadata']['name']} has {used[key]} of {hard} {key} in use, and the "
                "change needs more than is left: not all its pods could be created. Have the quota "
                "raised"
            )
    return None


def _most_at_once(before: Object, after: Object, *, old: Fraction, new: Fraction) -> Fraction:
    """How much more than now the pods take: in the end, or on the way to it if that is more."""
    had, wanted = int(before["spec"].get("replicas", 1)), int(after["spec"].get("replicas", 1))
    in_the_end = wanted * new - had * old
    if before["spec"]["template"] == after["spec"]["template"] or not wanted or not had:
        return in_the_end
    first = new  # a StatefulSet's update ends one pod before it makes the next
    ended = 1 if "updateStrategy" in after["spec"] else bounds_of(after).unavailable
    return max(in_the_end, first - ended * old)


def _needed(workload: Object, key: str) -> Fraction | None:
    """What one pod of the workload takes; `None` where the template does not say it of each container."""
    if key in ("pods", "count/pods"):
        return Fraction(1)
    if key not in _COUNTED:
        return None
    field, resource = _COUNTED[key]
    total = Fraction(0)
    for container in workload["spec"]["template"]["spec"]["containers"]:
        resources = container.get("resources") or {}
        amount = (resources.get(field) or {}).get(resource)
        if amount is None and field == "requests":  # a request that is not set is the limit
            amount = (resources.get("limits") or {}).get(resource)
        if amount is None:
            return None
        total += _amount(key, str(amount))
    return total


def _amount(key: str, quantity: str) -> Fraction:
    if key.endswith("memory"):
        return Fraction(memory_bytes(quantity))
    return Fraction(quantity[:-1]) / 1000 if quantity.endswith("m") else Fraction(memory_bytes(quantity))


@dataclass(frozen=True)
class Limits:
    """Reading what the namespace allows its pods in all, and each of them."""

    client: ClusterClient

    async def quotas(self) -> list[Json]:
        """The namespace's ResourceQuotas."""
        return items_of(
            await self.client.ask(
                Request("list", "resourcequotas"),
                lambda client: CoreV1Api(client).list_namespaced_resource_quota(**self.client.namespaced),
            )
        )

    async def limit_ranges(self) -> list[Json]:
        """The namespace's LimitRanges."""
        return items_of(
            await self.client.ask(
                Request("list", "limitranges"),
                lambda client: CoreV1Api(client).list_namespaced_limit_range(**self.client.namespaced),
            )
        )
