"""The requests that change the workload, as the Kubernetes API takes them.

Strategic merge patches with the content that `kubectl set env`, `kubectl set resources`, `kubectl scale` and
`kubectl rollout restart` would send. Each also notes its effect id on the object itself (outside of the pod
template, so that the note restarts nothing and an undo leaves no trace in the template).
"""

from collections.abc import Mapping
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


DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
"""The annotation of a pod template that says which container kubectl's commands mean."""


def main_container(template: Mapping[str, Any], configured: str | None) -> str:
    """The container of a pod template that the integration runs in.

    The configured one; else the one that the template's annotation names, since a sidecar may come first;
    else the first, as kubectl does it.

    Raises:
        LookupError: the configured container does not exist.
    """
    names = [str(item["name"]) for item in template["spec"]["containers"]]
    if configured is not None and configured not in names:
        raise LookupError(f"the pod template has no container {configured!r}, only {', '.join(names)}")
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    annotated = annotations.get(DEFAULT_CONTAINER)
    return configured or (str(annotated) if annotated in names else names[0])


def why_this_container(template: Mapping[str, Any], configured: str | None) -> str:
    """Which of several containers is changed and why, for the person who approves it; else nothing.

    Raises:
        LookupError: the configured container does not exist.
    """
    name, count = main_container(template, configured), len(template["spec"]["containers"])
    if configured is not None or count == 1:
        return ""
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    if annotations.get(DEFAULT_CONTAINER) == name:
        return f"container {name}: the pod template's default-container, of {count} containers"
    return f"container {name}: the first of {count}; if that is the wrong one, set [cluster] container"


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


def last_effect(item: Mapping[str, Any]) -> str | None:
    """The effect id noted on an object."""
    annotations = item.get("metadata", {}).get("annotations") or {}
    noted = annotations.get(EFFECT_ANNOTATION)
    return str(noted) if noted is not None else None
