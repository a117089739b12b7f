"""The requests that change the workload, as the Kubernetes API takes them.

Strategic merge patches with the content that `kubectl set env`, `kubectl rollout restart` and
`kubectl rollout undo` would send. Each also notes its effect id on the object itself (outside of the pod
template, so that the note restarts nothing and an undo leaves no trace in the template).
"""

from datetime import datetime
from typing import Any

EFFECT_ANNOTATION = "incident-runbook/effect"
"""Which effect of this runbook changed the object last; read back after a crash."""

RESTART_ANNOTATION = "kubectl.kubernetes.io/restartedAt"
REVISION_ANNOTATION = "deployment.kubernetes.io/revision"
PREVIOUS_SUFFIX = "-previous"
"""The replaced API key stays in the same Secret under its own name with this suffix, for the undo."""

Patch = dict[str, Any]


def switch_patch(container: str, variable: str, value: str | None, *, effect_id: str) -> Patch:
    """`kubectl set env deployment/X VARIABLE=value`, or `VARIABLE-` for `None`."""
    entry: dict[str, Any] = {"name": variable}
    entry |= {"$patch": "delete"} if value is None else {"value": value}
    return _patch(effect_id, {"spec": {"containers": [{"name": container, "env": [entry]}]}})


def restart_patch(at: datetime, *, effect_id: str) -> Patch:
    """`kubectl rollout restart`: a pod template annotation with the time, RFC 3339 in seconds."""
    stamp = at.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return _patch(effect_id, {"metadata": {"annotations": {RESTART_ANNOTATION: stamp}}})


def _patch(effect_id: str, template: dict[str, Any]) -> Patch:
    return {"metadata": {"annotations": {EFFECT_ANNOTATION: effect_id}}, "spec": {"template": template}}


def first_container(deployment: dict[str, Any], preferred: str | None) -> str:
    """The container that the switches belong to: the configured one, else the first.

    Raises:
        LookupError: the configured container does not exist.
    """
    names = [item["name"] for item in deployment["spec"]["template"]["spec"]["containers"]]
    if preferred is None:
        return str(names[0])
    if preferred not in names:
        raise LookupError(f"the pod template has no container {preferred!r}, only {', '.join(names)}")
    return preferred


def switch_value(deployment: dict[str, Any], container: str, variable: str) -> str | None:
    """The literal value of an environment variable, `None` where it is not set.

    Raises:
        LookupError: the variable comes from a reference (`valueFrom`), so it is not ours to set.
    """
    for item in deployment["spec"]["template"]["spec"]["containers"]:
        if item["name"] != container:
            continue
        for entry in item.get("env") or []:
            if entry["name"] == variable:
                if "valueFrom" in entry:
                    raise LookupError(f"{variable} is set from a reference (valueFrom), not by a value")
                return str(entry.get("value", ""))
    return None


def last_effect(item: dict[str, Any]) -> str | None:
    """The effect id noted on an object."""
    annotations = item.get("metadata", {}).get("annotations") or {}
    noted = annotations.get(EFFECT_ANNOTATION)
    return str(noted) if noted is not None else None


def previous_template(
    deployment: dict[str, Any], replica_sets: list[dict[str, Any]]
) -> tuple[str, dict[str, Any]] | None:
    """The revision before the present one with its pod template, as `kubectl rollout undo` chooses it.

    The template comes without `pod-template-hash`, which belongs to the ReplicaSet alone.
    """
    own = [item for item in replica_sets if _owned(item, deployment)]
    revisions = sorted(own, key=_revision)
    if len(revisions) < 2:
        return None
    chosen = revisions[-2]
    template = {**chosen["spec"]["template"]}
    metadata = {**template.get("metadata", {})}
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key != "pod-template-hash"}
    return str(_revision(chosen)), template | {"metadata": metadata | {"labels": labels}}


def _revision(replica_set: dict[str, Any]) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION_ANNOTATION, 0))


def _owned(replica_set: dict[str, Any], deployment: dict[str, Any]) -> bool:
    uid = deployment["metadata"].get("uid")
    return any(owner.get("uid") == uid for owner in replica_set["metadata"].get("ownerReferences") or [])
