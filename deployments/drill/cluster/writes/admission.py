"""What a namespace's ResourceQuotas and LimitRanges let a pod have, and how much is used.

Not imitated: scopes, defaults of a LimitRange, and all resources but memory, CPU and the number of pods.

Source: k8s.io/apiserver/pkg/admission/plugin/resourcequota, and limitranger in k8s.io/kubernetes.
"""

from fractions import Fraction

from deployments.drill.cluster.kinds import LIMIT_RANGE, POD, RESOURCE_QUOTA
from deployments.drill.cluster.objects import JsonObject, name_of, namespace_of
from deployments.drill.cluster.server.errors import ApiError
from deployments.drill.cluster.store import Store
from runbook.kubernetes.quantities import as_quantity, memory_bytes

_KEYS = {
    "limits.memory": ("limits", "memory"),
    "requests.memory": ("requests", "memory"),
    "memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "requests.cpu": ("requests", "cpu"),
    "cpu": ("requests", "cpu"),
}
"""What of a container each resource of a quota counts."""

_ENDED = ("Succeeded", "Failed")


def admit(store: Store, namespace: str, pod: JsonObject) -> None:
    """Raises ApiError 403 where a LimitRange or a quota of the namespace refuses the pod."""
    for limit_range in store.objects(LIMIT_RANGE, namespace):
        _check_range(limit_range, pod)
    for quota in store.objects(RESOURCE_QUOTA, namespace):
        _check_quota(store, quota, pod)


def used_of(store: Store, quota: JsonObject) -> dict[str, str]:
    """How much of each resource of the quota is used by the namespace's pods."""
    pods = [
        pod
        for pod in store.objects(POD, namespace_of(quota))
        if pod.get("status", {}).get("phase") not in _ENDED
    ]
    return {
        key: _written(key, sum((_needed(pod, key) for pod in pods), Fraction(0)))
        for key in quota["spec"].get("hard") or {}
        if key in _KEYS or key == "pods"
    }


def _check_quota(store: Store, quota: JsonObject, pod: JsonObject) -> None:
    hard, used = quota["spec"].get("hard") or {}, used_of(store, quota)
    missing = {key: names for key in used if key in _KEYS and (names := _lacking(pod, key))}
    if missing:
        listed = "; ".join(f"{key} for: {','.join(names)}" for key, names in missing.items())
        raise _refused(pod, f"failed quota: {name_of(quota)}: must specify {listed}")
    beyond = [
        key for key in used if _amount(key, used[key]) + _needed(pod, key) > _amount(key, str(hard[key]))
    ]
    if beyond:
        requested = ",".join(f"{key}={_written(key, _needed(pod, key))}" for key in beyond)
        taken = ",".join(f"{key}={used[key]}" for key in beyond)
        limited = ",".join(f"{key}={hard[key]}" for key in beyond)
        text = f"exceeded quota: {name_of(quota)}, requested: {requested}, used: {taken}, limited: {limited}"
        raise _refused(pod, text)


def _check_range(limit_range: JsonObject, pod: JsonObject) -> None:
    for item in limit_range["spec"].get("limits") or ():
        if item.get("type") != "Container":
            continue
        for resource, most in (item.get("max") or {}).items():
            for container in pod["spec"]["containers"]:
                limit = ((container.get("resources") or {}).get("limits") or {}).get(resource)
                if limit is None:
                    text = f"maximum {resource} usage per Container is {most}.  No limit is specified"
                    raise _refused(pod, text)
                if _amount(resource, str(limit)) > _amount(resource, str(most)):
                    text = f"maximum {resource} usage per Container is {most}, but limit is {limit}"
                    raise _refused(pod, text)


def _refused(pod: JsonObject, text: str) -> ApiError:
    details = {"name": name_of(pod), "kind": "pods"}
    return ApiError(403, "Forbidden", f'pods "{name_of(pod)}" is forbidden: {text}', details)


def _lacking(pod: JsonObject, key: str) -> list[str]:
    return [str(each["name"]) for each in pod["spec"]["containers"] if _of(each, key) is None]


def _needed(pod: JsonObject, key: str) -> Fraction:
    if key == "pods":
        return Fraction(1)
    return sum((_of(each, key) or Fraction(0) for each in pod["spec"]["containers"]), Fraction(0))


def _of(container: JsonObject, key: str) -> Fraction | None:
    field, resource = _KEYS[key]
    resources = container.get("resources") or {}
    amount = (resources.get(field) or {}).get(resource)
    if amount is None and field == "requests":  # a request that is not set is the limit
        amount = (resources.get("limits") or {}).get(resource)
    return None if amount is None else _amount(key, str(amount))


def _amount(key: str, quantity: str) -> Fraction:
    if key.endswith("memory"):
        return Fraction(memory_bytes(quantity))
    return Fraction(quantity[:-1]) / 1000 if quantity.endswith("m") else Fraction(quantity)


def _written(key: str, amount: Fraction) -> str:
    if key.endswith("memory"):
        return as_quantity(int(amount)) if amount else "0"
    return str(amount) if amount.denominator == 1 else f"{int(amount * 1000)}m"


def quota_status(store: Store, quota: JsonObject) -> JsonObject:
    """What a quota allows, and what is used of it."""
    return {"hard": quota["spec"].get("hard") or {}, "used": used_of(store, quota)}
