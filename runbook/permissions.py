"""What a policy permits: who may allow what, what may happen without asking, and within which bounds.

These are kept in the journal of each incident, so that a later edit of the policy cannot loosen what was in
force when the incident was opened.
"""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from runbook.actions import ActionName, Risk
from runbook.policy import NOBODY, ApprovalRule, Policy, Switch
from runbook.quantities import memory_bytes
from runbook.severity import Severity
from runbook.value import Value


class Permissions(Value):
    """The part of a policy that carries authority. Each field has its name and meaning there."""

    approvals: dict[Risk, ApprovalRule]
    preapproved: dict[ActionName, tuple[Severity, ...]]
    undo_needs_approval: bool
    dry_run_only: bool
    changes_per_incident: int
    changes_per_hour: int
    memory_ceiling: str
    replicas_ceiling: int
    replacement_key_block: str
    queue_switch: Switch
    fallback_switch: Switch
    announce: bool
    publish_from: Severity | None
    page_from: Severity | None

    @classmethod
    def of(cls, policy: Policy) -> "Permissions":
        """What the policy permits."""
        return cls(**{name: getattr(policy, name) for name in cls.model_fields})

    def applied_to(self, policy: Policy) -> Policy:
        """The policy with these permissions in the place of its own."""
        return policy.model_copy(update={name: getattr(self, name) for name in type(self).model_fields})

    @property
    def digest(self) -> str:
        """SHA-256 of the content: the same for two policies that permit the same."""
        content = self.model_dump(mode="json")
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class PermissionChange(Value):
    """A permission that was edited, both values in words.

    `applied` is false where the edit would loosen it: the incident keeps the stricter value.
    """

    name: str
    before: str
    after: str
    applied: bool


def strictest(opening: Permissions, present: Permissions) -> Permissions:
    """What both permit, field by field.

    Where no value is stricter than the other (the name of a Secret block, a switch), the one that was in
    force at the opening stays.
    """
    return Permissions(
        **{
            name: stricter_of(getattr(opening, name), getattr(present, name))
            for name, stricter_of in _STRICTER.items()
        }
    )


def edits(before: Permissions, after: Permissions) -> tuple[PermissionChange, ...]:
    """What was edited, and whether it applies to an incident that was opened with `before`."""
    allowed, old, new = _flat(strictest(before, after)), _flat(before), _flat(after)
    names = [name for name in [*old, *(new.keys() - old.keys())] if old.get(name) != new.get(name)]
    return tuple(
        PermissionChange(
            name=name,
            before=old.get(name, _NOT_SET),
            after=new.get(name, _NOT_SET),
            applied=allowed.get(name, _NOT_SET) == new.get(name, _NOT_SET),
        )
        for name in names
    )


def _opening(opening: Any, _present: Any) -> Any:
    return opening


def _both(opening: bool, present: bool) -> bool:
    return opening and present


def _either(opening: bool, present: bool) -> bool:
    return opening or present


def _rules(opening: dict[Risk, ApprovalRule], present: dict[Risk, ApprovalRule]) -> dict[Risk, ApprovalRule]:
    return {
        risk: _rule(opening.get(risk, ApprovalRule()), present.get(risk, ApprovalRule()))
        for risk in Risk
        if risk in opening or risk in present
    }


def _rule(opening: ApprovalRule, present: ApprovalRule) -> ApprovalRule:
    return ApprovalRule(
        approvers=_approvers(opening.approvers, present.approvers),
        count=max(opening.count, present.count),
        accept_unverified=opening.accept_unverified and present.accept_unverified,
    )


def _approvers(opening: tuple[str, ...], present: tuple[str, ...]) -> tuple[str, ...]:
    """Who is named by both; an empty list names everybody, so that two without a common name need a word."""
    if not opening or not present:
        return opening or present
    known = {name.casefold() for name in present}
    return tuple(name for name in opening if name.casefold() in known) or (NOBODY,)


def _preapproved(
    opening: dict[ActionName, tuple[Severity, ...]], present: dict[ActionName, tuple[Severity, ...]]
) -> dict[ActionName, tuple[Severity, ...]]:
    common = {
        name: tuple(severity for severity in severities if severity in present.get(name, ()))
        for name, severities in opening.items()
    }
    return {name: severities for name, severities in common.items() if severities}


def _less_memory(opening: str, present: str) -> str:
    return min(opening, present, key=memory_bytes)


def _worse(opening: Severity | None, present: Severity | None) -> Severity | None:
    if opening is None or present is None:
        return None
    return min(opening, present, key=lambda severity: severity.rank)


_STRICTER: dict[str, Callable[[Any, Any], Any]] = {
    "approvals": _rules,
    "preapproved": _preapproved,
    "undo_needs_approval": _either,
    "dry_run_only": _either,
    "changes_per_incident": min,
    "changes_per_hour": min,
    "memory_ceiling": _less_memory,
    "replicas_ceiling": min,
    "replacement_key_block": _opening,
    "queue_switch": _opening,
    "fallback_switch": _opening,
    "announce": _both,
    "publish_from": _worse,
    "page_from": _worse,
}

_NOT_SET = "not set"


def _flat(permissions: Permissions) -> dict[str, str]:
    """Each permission in words, those within tables by their whole names: `approvals.high.count`."""
    words: dict[str, str] = {}
    for risk in Risk:
        rule = permissions.approvals.get(risk, ApprovalRule())
        words[f"approvals.{risk}.approvers"] = ", ".join(rule.approvers) or "anybody"
        words[f"approvals.{risk}.count"] = str(rule.count)
        words[f"approvals.{risk}.accept_unverified"] = _said(rule.accept_unverified)
    for action, severities in permissions.preapproved.items():
        words[f"preapproved.{action}"] = ", ".join(severities)
    for name in Permissions.model_fields:
        if name not in ("approvals", "preapproved"):
            words[name] = _said(getattr(permissions, name))
    return words


def _said(value: bool | int | str | Switch | None) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Switch():
            return f"{value.variable}={value.value}"
        case None:
            return "none"
        case _:
            return str(value)
