"""Whether the settings of `[cluster]` fit what is in the cluster; `runbook doctor` tells.

A wrong Secret, key, container, selector or namespace passes every question about rights, and shows when a
change reaches nothing.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from blocks.transport.errors import NotFound, OutsideError
from runbook.kubernetes.patches import main_container
from runbook.kubernetes.secret_uses import unread_because, uses_of

if TYPE_CHECKING:
    from blocks.kubernetes.access.permissions import Permission
    from blocks.kubernetes.cluster import Cluster


async def misfits(cluster: "Cluster", allowed: Collection["Permission"]) -> list[str]:
    """What the settings name and the cluster does not have, each with the setting to correct.

    Only what `allowed` permits is read; what cannot be read is told with the reason.
    """
    verbs = {(each.verb, each.resource) for each in allowed}
    if not any(verb == "get" and resource in ("deployments", "statefulsets") for verb, resource in verbs):
        return []
    try:
        workload = await cluster.workload.read()
        found = _container(cluster, workload)
        if ("list", "pods") in verbs:
            found += await _selector(cluster, workload)
        if cluster.access == "full" and ("get", "secrets") in verbs:
            found += await _secret(cluster, workload)
    except NotFound:
        settings = "`namespace`, `workload_kind` and `deployment`"
        return [f"{cluster.target} does not exist. Correct {settings} in [cluster]."]
    except OutsideError as error:
        return [f"{cluster.target} could not be checked: {error.detail}."]
    return found


def _container(cluster: "Cluster", workload: Mapping[str, Any]) -> list[str]:
    try:
        main_container(workload["spec"]["template"], cluster.container)
    except LookupError as error:
        return [f"{cluster.target}: {error}. Correct `container` in [cluster]."]
    return []


async def _selector(cluster: "Cluster", workload: Mapping[str, Any]) -> list[str]:
    """The selector has to find the workload's own pods, where it has any."""
    _, _, pods = await cluster.workload.own_pods()
    if pods.living or not (workload.get("status") or {}).get("replicas"):
        return []
    labels = (workload["spec"].get("selector") or {}).get("matchLabels") or {}
    own = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
    found = f"Selector {cluster.selector} finds no pod of {cluster.target}, which has {own}"
    return [f"{found}. Correct `selector` in [cluster]."]


async def _secret(cluster: "Cluster", workload: Mapping[str, Any]) -> list[str]:
    try:
        secret = await cluster.secret.read_keys()
    except NotFound:
        return [f"Secret {cluster.secret_name} does not exist. Correct `secret_name` in [cluster]."]
    uses = uses_of(workload["spec"]["template"], cluster.secret_name)
    reason = unread_because(uses, cluster.secret_name, cluster.secret_key, secret.values)
    if reason is None and cluster.secret_key not in secret.values:
        reason = f"Secret {cluster.secret_name} has no key {cluster.secret_key}, which the pods need"
    return (
        [f"{reason[0].upper()}{reason[1:]}. Correct `secret_name` and `secret_key` in [cluster]."]
        if reason
        else []
    )
