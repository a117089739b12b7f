"""The requests that change the workload, as the Kubernetes API takes them.

Strategic merge patches with the content that `kubectl set env`, `kubectl set resources`, `kubectl scale` and
`kubectl rollout restart` would send. Each also notes its effect id on the object itself (outside of the pod
template, so that the note restarts nothing and an undo leaves no trace in the template).
"""

from datetime import datetime
from typing import Any

EFFECT_ANNOTATION = "incident-runbook/effect"
"""Which effect of this runbook changed the object last; read back after a crash."""

RESTART_ANNOTATION = "kubectl.kubernetes.io/restartedAt"
PREVIOUS_SUFFIX = "-previous"
"""The replaced API key stays in the same Secret under its own name with this suffix, for the undo."""

Patch = dict[str, Any]


def spec_patch(spec: Patch, *, effect_id: str, resource_version: str | None = None) -> Patch:
    """A change of `spec`; with a resourceVersion the server takes it on that version only."""
    metadata: Patch = {"annotations": {EFFECT_ANNOTATION: effect_id}}
    if resource_version is not None:
        metadata["resourceVersion"] = resource_version
    return {"metadata": metadata, "spec": spec}


def restarted(at: datetime) -> Patch:
    """`kubectl rollout restart`: a pod template annotation with the time, RFC 3339 in seconds."""
    stamp = at.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return {"template": {"metadata": {"annotations": {RESTART_ANNOTATION: stamp}}}}


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


def container_named(workload: dict[str, Any], name: str) -> dict[str, Any]:
    """A container of the pod template.

    Raises:
        LookupError: there is none of this name.
    """
    containers = workload["spec"]["template"]["spec"]["containers"]
    for item in containers:
        if item["name"] == name:
            return dict(item)
    raise LookupError(f"the pod template has no container {name!r}")


def last_effect(item: dict[str, Any]) -> str | None:
    """The effect id noted on an object."""
    annotations = item.get("metadata", {}).get("annotations") or {}
    noted = annotations.get(EFFECT_ANNOTATION)
    return str(noted) if noted is not None else None
