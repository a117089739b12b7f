"""The rights that the runbook needs in the cluster, in RBAC's words: one table.

Errors, the guard of every write and `runbook doctor` all read it, and `deployments/kubernetes/rbac.yaml`
grants exactly it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

WorkloadKind = Literal["Deployment", "StatefulSet"]

AccessLevel = Literal["triage", "mitigation", "full"]
"""How much the runbook may do: look; change the workload too; read and replace the API key too."""

LEVELS: tuple[AccessLevel, ...] = ("triage", "mitigation", "full")

WORKLOADS: Mapping[WorkloadKind, str] = {"Deployment": "deployments", "StatefulSet": "statefulsets"}
REVISIONS: Mapping[WorkloadKind, str] = {"Deployment": "replicasets", "StatefulSet": "controllerrevisions"}
"""Where each kind keeps the pod templates that it had before."""

_GROUPS = {
    **dict.fromkeys((*WORKLOADS.values(), *REVISIONS.values()), "apps"),
    "poddisruptionbudgets": "policy",
    "selfsubjectaccessreviews": "authorization.k8s.io",
}
_NAMELESS = frozenset({"pods", "pods/log"})
"""Pods come and go, so that no rule can name them."""


@dataclass(frozen=True)
class Permission:
    """A verb on a resource in the namespace; with a name, on this object only.

    `resource` is a plural, a subresource as `pods/log`.
    """

    verb: str
    resource: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}" + (f"/{self.name}" if self.name else "")

    @property
    def group(self) -> str:
        """The API group of the resource; empty is the core group."""
        return api_group(self.resource)

    @property
    def rule(self) -> str:
        """The rule of a Role that grants it, as one line of YAML."""
        return rule_lines([self])[0]


def api_group(resource: str) -> str:
    """The API group that a resource is in; empty is the core group."""
    return _GROUPS.get(resource, "")


def permission_for(verb: str, resource: str, name: str = "") -> Permission:
    """The permission that a request needs. A list or a pod's request needs it for all objects."""
    return Permission(verb, resource, "" if resource in _NAMELESS or verb == "list" else name)


def needed_permissions(
    kind: WorkloadKind, workload: str, secret: str
) -> dict[AccessLevel, tuple[Permission, ...]]:
    """What each level adds to the ones before it."""
    return {
        "triage": (
            Permission("get", WORKLOADS[kind], workload),
            Permission("list", REVISIONS[kind]),
            Permission("list", "pods"),
            Permission("get", "pods/log"),
            Permission("list", "events"),
        ),
        "mitigation": (
            Permission("patch", WORKLOADS[kind], workload),
            Permission("delete", "pods"),
            Permission("list", "poddisruptionbudgets"),
            Permission("list", "resourcequotas"),
            Permission("list", "limitranges"),
        ),
        "full": (
            Permission("get", "secrets", secret),
            Permission("patch", "secrets", secret),
        ),
    }


def up_to(level: AccessLevel) -> tuple[AccessLevel, ...]:
    """The level and those below it."""
    return LEVELS[: LEVELS.index(level) + 1]


def rule_lines(permissions: Iterable[Permission]) -> list[str]:
    """The rules of a Role that grant these, a line of YAML for each object or kind of objects."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for each in permissions:
        verbs.setdefault((each.resource, each.name), []).append(each.verb)
    return [_yaml(resource, name, granted) for (resource, name), granted in verbs.items()]


def _yaml(resource: str, name: str, verbs: list[str]) -> str:
    rule: dict[str, Any] = {"apiGroups": [api_group(resource)], "resources": [resource]}
    if name:
        rule["resourceNames"] = [name]
    rule["verbs"] = list(dict.fromkeys(verbs))
    return yaml.safe_dump(rule, default_flow_style=True, sort_keys=False, width=1000).strip()
