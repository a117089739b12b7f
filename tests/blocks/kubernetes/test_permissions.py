"""The table of rights, and that the shipped roles grant exactly it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from blocks.kubernetes.access.permissions import (
    LEVELS,
    AccessLevel,
    Permission,
    WorkloadKind,
    api_group,
    needed_permissions,
    permission_for,
    rule_lines,
)
from deployments.drill.world.integration.manifests import runbook_rules

RBAC = Path(__file__).parents[3] / "deployments" / "kubernetes" / "rbac.yaml"
KINDS: tuple[WorkloadKind, ...] = ("Deployment", "StatefulSet")

Grant = tuple[str, str, str, str]
"""API group, resource, name and verb."""


def shipped(kind: WorkloadKind) -> str:
    """The shipped file; for a StatefulSet with the lines put in that it says to put in."""
    text = RBAC.read_text(encoding="utf-8")
    if kind == "Deployment":
        return text
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("  # - {"):
            lines[-1] = line.replace("# ", "", 1)
        else:
            lines.append(line)
    return "\n".join(lines)


def granted(rules: list[dict[str, Any]]) -> list[Grant]:
    """What rules grant, each verb on each resource by itself."""
    return sorted(
        (group, resource, name, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
        for verb in rule["verbs"]
    )


def needed(kind: WorkloadKind, level: AccessLevel) -> list[Grant]:
    """What the table says for the level."""
    table = needed_permissions(kind, "posthog-integration", "posthog-secrets")
    return sorted((each.group, each.resource, each.name, each.verb) for each in table[level])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", LEVELS)
def test_the_shipped_role_grants_exactly_the_table(kind: WorkloadKind, level: AccessLevel) -> None:
    """Not a right more, not one less, for each level and either kind of workload."""
    documents = yaml.safe_load_all(shipped(kind))
    roles = {each["metadata"]["name"]: each for each in documents if each["kind"] == "Role"}
    assert set(roles) == {f"runbook-{each}" for each in LEVELS}
    assert granted(roles[f"runbook-{level}"]["rules"]) == needed(kind, level)


def test_every_shipped_role_is_bound_to_the_runbooks_account() -> None:
    """A role that nobody has is of no use."""
    documents = list(yaml.safe_load_all(shipped("Deployment")))
    accounts = [each["metadata"] for each in documents if each["kind"] == "ServiceAccount"]
    bindings = [each for each in documents if each["kind"] == "RoleBinding"]
    assert {each["roleRef"]["name"] for each in bindings} == {f"runbook-{each}" for each in LEVELS}
    assert [each["subjects"] for each in bindings] == [[{"kind": "ServiceAccount", **accounts[0]}]] * 3


def test_a_drill_grants_what_is_shipped() -> None:
    """So that every drill proves that these rights suffice."""
    in_drill = [
        (group, resource, name, verb)
        for rule in runbook_rules()
        for group in rule.groups
        for resource in rule.resources
        for name in rule.names or ("",)
        for verb in rule.verbs
    ]
    shipped_for_all = [grant for level in LEVELS for grant in needed("Deployment", level)]
    review = ("authorization.k8s.io", "selfsubjectaccessreviews", "", "create")
    assert sorted(in_drill) == sorted([*shipped_for_all, review])


@pytest.mark.parametrize(
    ("permission", "line"),
    [
        (
            Permission("patch", "deployments", "integration"),
            "{apiGroups: [apps], resources: [deployments], resourceNames: [integration], verbs: [patch]}",
        ),
        (Permission("delete", "pods"), "{apiGroups: [''], resources: [pods], verbs: [delete]}"),
        (
            Permission("list", "poddisruptionbudgets"),
            "{apiGroups: [policy], resources: [poddisruptionbudgets], verbs: [list]}",
        ),
        (
            Permission("get", "secrets", "123"),  # YAML would read a number
            "{apiGroups: [''], resources: [secrets], resourceNames: ['123'], verbs: [get]}",
        ),
    ],
)
def test_a_permission_is_shown_as_the_rule_to_add(permission: Permission, line: str) -> None:
    """One line of YAML that can be pasted into a Role."""
    assert permission.rule == line
    assert granted([yaml.safe_load(line)]) == [
        (permission.group, permission.resource, permission.name, permission.verb)
    ]


def test_verbs_on_the_same_object_are_one_rule() -> None:
    """As a person would write it."""
    secret = [Permission(verb, "secrets", "posthog-secrets") for verb in ("get", "patch")]
    assert rule_lines([*secret, Permission("list", "events")]) == [
        "{apiGroups: [''], resources: [secrets], resourceNames: [posthog-secrets], verbs: [get, patch]}",
        "{apiGroups: [''], resources: [events], verbs: [list]}",
    ]


@pytest.mark.parametrize(
    ("verb", "resource", "name", "needs"),
    [
        ("patch", "deployments", "a", "a"),
        ("delete", "pods", "a-1", ""),
        ("get", "pods/log", "a-1", ""),
        ("list", "deployments", "a", ""),
    ],
)
def test_a_request_needs_the_right_that_a_rule_can_give(
    verb: str, resource: str, name: str, needs: str
) -> None:
    """A rule names neither pods nor the objects of a list."""
    assert permission_for(verb, resource, name) == Permission(verb, resource, needs)


def test_every_resource_of_the_table_has_its_group() -> None:
    """A resource without a group would be asked for in the core group."""
    core = {"pods", "pods/log", "events", "secrets", "resourcequotas", "limitranges"}
    for kind in KINDS:
        for level in needed_permissions(kind, "a", "b").values():
            assert all(bool(api_group(each.resource)) != (each.resource in core) for each in level)
