"""Who applies an object from somewhere else, and so may put a change back: foretold before the change.

Sources: Argo CD's resource tracking, Flux's Kustomization and HelmRelease labels, the owner references and
labels of External Secrets, and `metadata.managedFields`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from runbook.kubernetes.fields import Setting
from runbook.kubernetes.ownership import FIELD_MANAGER, FieldOwner, FieldPath, owners

Object = Mapping[str, Any]

FLUX_KINDS = {"kustomize.toolkit.fluxcd.io": "Kustomization", "helm.toolkit.fluxcd.io": "HelmRelease"}
ARGO_TRACKING = "argocd.argoproj.io/tracking-id"
ARGO_INSTANCE = "argocd.argoproj.io/instance"
EXTERNAL_SECRETS = "reconcile.external-secrets.io/managed"

CONTROLLERS = {"Argo CD": "Git", "Flux": "Git", "External Secrets": "its store"}
"""Tools that apply again and again by themselves, and where a change has to be made so that it stays."""

BY_HAND = ("kubectl-client-side-apply", "helm")
"""Managers of tools that put their value back when somebody runs them the next time."""


def foretold(obj: Object, path: FieldPath, *, given_back: bool = False) -> tuple[str, ...]:
    """What people should know of those who apply an object before a field of it is changed; a line each.

    `given_back`: taken back, the field is its owner's again.
    """
    until = "until the change is undone, its" if given_back else "its"
    owning = owners(obj, path)
    lines = [_of_controller(title, tool, obj, owning) for tool, title in _controllers(obj).items()]
    lines += [_of_owner(kind, name) for kind, name in _owner_references(obj)]
    for owner in owning:
        if owner.tool in CONTROLLERS:
            continue  # they take a field back by force
        if owner.operation == "Apply":
            lines.append(
                f"{owner.title} has set this by server-side apply: {until} next apply conflicts with "
                f"{FIELD_MANAGER}; change its manifest first, then apply with --force-conflicts"
            )
        elif owner.manager in BY_HAND:
            lines.append(
                f"{owner.title} has set this: its next run restores its own value; change it there, too"
            )
    return tuple(dict.fromkeys(lines))


def git_patch(workload: Object, setting: Setting) -> str:
    """The change as a patch of the manifest in Git, as Kustomize takes it."""
    patch = {
        "apiVersion": workload.get("apiVersion", "apps/v1"),
        "kind": workload.get("kind", "Deployment"),
        "metadata": {"name": workload["metadata"]["name"]},
        "spec": setting.field.spec(setting.value),
    }
    text: str = yaml.safe_dump(patch, sort_keys=False)
    return text.rstrip()


def _of_controller(title: str, tool: str, obj: Object, owning: tuple[FieldOwner, ...]) -> str:
    where = CONTROLLERS[tool]
    if not any(owner.tool == tool for owner in owning) and any(
        owner.tool == tool and owner.operation == "Apply" for owner in owners(obj, ())
    ):
        return (
            f"{title} applies this object, but not this field, and should keep the change; add it to "
            f"{where}, too"
        )
    return f"{title} applies this object and may revert the change at any time: change it in {where}, too"


def _of_owner(kind: str, name: str) -> str:
    return f"{kind} {name} owns this object and may revert the change at any time: change it there, too"


def _controllers(obj: Object) -> dict[str, str]:
    """The tools that apply the object, and how each is called: by what it tells of itself, else its name."""
    metadata = obj["metadata"]
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    found: dict[str, str] = {}
    for group, kind in FLUX_KINDS.items():
        if name := labels.get(f"{group}/name"):
            found["Flux"] = f"Flux ({kind} {labels.get(f'{group}/namespace', '')}/{name})"
    application = str(annotations.get(ARGO_TRACKING, "")).partition(":")[0] or labels.get(ARGO_INSTANCE)
    if application:
        found["Argo CD"] = f"Argo CD (Application {application})"
    for kind, name in _references(metadata):
        if kind == "ExternalSecret":
            found["External Secrets"] = f"External Secrets (ExternalSecret {name})"
    if labels.get(EXTERNAL_SECRETS) == "true":
        found.setdefault("External Secrets", "External Secrets")
    for owner in owners(obj, ()):
        if owner.tool in CONTROLLERS:
            found.setdefault(owner.tool, owner.title)
    return found


def _owner_references(obj: Object) -> Iterator[tuple[str, str]]:
    """Other controllers that own the object: an operator's resource."""
    return (item for item in _references(obj["metadata"]) if item[0] != "ExternalSecret")


def _references(metadata: Object) -> Iterator[tuple[str, str]]:
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            yield str(owner.get("kind", "")), str(owner.get("name", ""))
