"""The rights that the runbook needs in the cluster, in RBAC's words: one table.

Triage's rights stand here, those of the actions in their specs. Errors, the guard of every write and
`runbook doctor` all read the table, and `deployments/kubernetes/rbac.yaml` grants exactly it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from runbook.actions.catalogue import CATALOGUE
from runbook.actions.spec import SECRET, WORKLOAD

WorkloadKind = Literal["Deployment", "StatefulSet"]

AccessLevel = Literal["triage", "mitigation", "full"]
"""How much the runbook may do: read; change the workload too; read and replace the API key too."""

LEVELS: tuple[AccessLevel, ...] = ("triage", "mitigation", "full")

WORKLOADS: Mapping[WorkloadKind, str] = {"Deployment": "deployments", "StatefulSet": "statefulsets"}
REVISIONS: Mapping[WorkloadKind, str] = {"Deployment": "replicasets", "StatefulSet": "controllerrevisions"}
"""Where each kind keeps the pod templates that it had before."""

_RIGHTS = tuple(right for spec in CATALOGUE.values() for right in spec.rights)

_GROUPS = {
    **{right.resource: right.group for right in _RIGHTS},
    **dict.fromkeys((*WORKLOADS.values(), *REVISIONS.values()), "apps"),
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
    """What each level adds to the ones before it: first triage's rights, then those of the actions."""
    triage = (
        Permission("get", WORKLOADS[kind], workload),
        Permission("list", REVISIONS[kind]),
        Permission("list", "pods"),
        Permission("get", "pods/log"),
        Permission("list", "events"),
    )
    named = {WORKLOAD: (WORKLOADS[kind], workload), SECRET: ("secrets", secret)}

    def granted(*, of_secret: bool) -> tuple[Permission, ...]:
        rights = (right for right in _RIGHTS if (right.resource == SECRET) is of_secret)
        needed = (
            permission_for(right.verb, *named.get(right.resource, (right.resource,)))
            for right in sorted(rights, key=lambda right: right.resource not in named)
        )
        return tuple(each for each in dict.fromkeys(needed) if each not in triage)

    return {"triage": triage, "mitigation": granted(of_secret=False), "full": granted(of_secret=True)}


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
