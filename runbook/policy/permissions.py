"""What a policy permits: who may allow what, what may happen without asking, and within which bounds.

These are kept in the journal of each incident, so that a later edit of the policy cannot loosen what was in
force when the incident was opened.
"""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from runbook.actions.catalogue import KnownName
from runbook.actions.spec import ActionName, Risk
from runbook.actions.switch import Switch
from runbook.approvals.identity import Proof
from runbook.approvals.names import spelling
from runbook.approvals.people import Person
from runbook.approvals.rules import NO_KEY, NOBODY, ActRule, ApprovalRule
from runbook.decision.severity import Severity
from runbook.kubernetes.quantities import memory_bytes
from runbook.policy.policy import Policy
from runbook.value import Value


class Permissions(Value):
    """The part of a policy that carries authority. Each field has its name and meaning there."""

    approvals: dict[Risk, ApprovalRule]
    acts: ActRule = ActRule()
    people: dict[str, Person] = {}
    receiver_keys: tuple[str, ...] = ()
    preapproved: dict[KnownName, tuple[Severity, ...]]
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
    publish_without_asking: tuple[Severity, ...] = ()
    page_from: Severity | None

    @classmethod
    def of(cls, policy: Policy) -> "Permissions":
        """What the policy permits."""
        return cls(**{name: getattr(policy, name) for name in cls.model_fields})

    def applied_to(self, policy: Policy) -> Policy:
        """The policy with these permissions in the place of its own."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        unasked = own.pop("publish_without_asking")
        public = policy.public.model_copy(update={"publish_without_asking": unasked})
        return policy.model_copy(update=own | {"public": public})

    @property
    def digest(self) -> str:
        """SHA-256 of the content: the same for two policies that permit the same."""
        rules = {risk: _rule_of(self.approvals, risk) for risk in Risk}
        content = self.model_copy(update={"approvals": rules}).model_dump(mode="json")
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
    every = [*old, *sorted(new.keys() - old.keys())]
    names = [name for name in every if old.get(name, _NOT_SET) != new.get(name, _NOT_SET)]
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
        risk: _rule(_rule_of(opening, risk), _rule_of(present, risk))
        for risk in Risk
        if risk in opening or risk in present
    }


def _rule_of(rules: dict[Risk, ApprovalRule], risk: Risk) -> ApprovalRule:
    """The rule of a risk, or the one that a policy has where it names none."""
    return rules.get(risk, ApprovalRule(accept_unverified=risk is not Risk.HIGH))


def _rule(opening: ApprovalRule, present: ApprovalRule) -> ApprovalRule:
    return ApprovalRule(**dict(_act(opening, present)), count=max(opening.count, present.count))


def _act(opening: ActRule, present: ActRule) -> ActRule:
    """What both rules let; where they have no approver or no proof in common, nobody may."""
    unverified = opening.accept_unverified and present.accept_unverified
    approvers = _approvers(opening.approvers, present.approvers)
    proofs = _proofs(opening.proofs, present.proofs)
    if approvers == (NOBODY,) or proofs is None:
        return ActRule(approvers=(NOBODY,), accept_unverified=unverified)
    return ActRule(approvers=approvers, accept_unverified=unverified, proofs=proofs)


def _proofs(opening: tuple[Proof, ...], present: tuple[Proof, ...]) -> tuple[Proof, ...] | None:
    """The proofs that both take, `None` where there is none; an empty list takes any."""
    if not opening or not present:
        return opening or present
    return tuple(proof for proof in opening if proof in present) or None


def _people(opening: dict[str, Person], present: dict[str, Person]) -> dict[str, Person]:
    """Whoever one of them knows, with the logins and keys of both; other names count and give no rights."""
    nobody = Person(counts_only=True)
    return {
        name: _person(opening.get(name, nobody), present.get(name, nobody))
        for name in dict.fromkeys((*opening, *present))
    }


def _person(opening: Person, present: Person) -> Person:
    logins = tuple(login for login in opening.logins if login in present.logins)
    names = dict.fromkeys((*opening.logins, *present.logins, *opening.also, *present.also))
    return Person(
        logins=logins,
        public_keys=tuple(key for key in opening.public_keys if key in present.public_keys),
        also=tuple(name for name in names if name not in logins),
        counts_only=opening.counts_only or present.counts_only,
    )


def _keys(opening: tuple[str, ...], present: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of both; an empty list needs no signature, so two without a common key need a word."""
    if not opening or not present:
        return opening or present
    return tuple(key for key in opening if key in present) or (NO_KEY,)


def _approvers(opening: tuple[str, ...], present: tuple[str, ...]) -> tuple[str, ...]:
    """Who is named by both; an empty list names everybody, so that two without a common name need a word."""
    if not opening or not present:
        return opening or present
    known = set(map(spelling, present))
    return tuple(name for name in opening if spelling(name) in known) or (NOBODY,)


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


def _common(opening: tuple[Severity, ...], present: tuple[Severity, ...]) -> tuple[Severity, ...]:
    return tuple(severity for severity in Severity if severity in opening and severity in present)


def _worse(opening: Severity | None, present: Severity | None) -> Severity | None:
    if opening is None or present is None:
        return None
    return min(opening, present, key=lambda severity: severity.rank)


_STRICTER: dict[str, Callable[[Any, Any], Any]] = {
    "approvals": _rules,
    "acts": _act,
    "people": _people,
    "receiver_keys": _keys,
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
    "publish_without_asking": _common,
    "page_from": _worse,
}

_NOT_SET = "not set"


def _flat(permissions: Permissions) -> dict[str, str]:
    """Each permission in words, those within tables by their whole names: `approvals.high.count`."""
    words: dict[str, str] = {}
    for risk in Risk:
        rule = _rule_of(permissions.approvals, risk)
        words |= _rule_words(f"approvals.{risk}", rule)
        words[f"approvals.{risk}.count"] = str(rule.count)
    words |= _rule_words("acts", permissions.acts)
    for name, person in permissions.people.items():
        words[f"people.{name}"] = "counted only" if person.counts_only else "known"
        words[f"people.{name}.logins"] = ", ".join(person.logins) or _NOT_SET
        words[f"people.{name}.keys"] = _key_words(person.public_keys)
    words["receiver_keys"] = _key_words(permissions.receiver_keys)
    for action, severities in permissions.preapproved.items():
        words[f"preapproved.{action}"] = ", ".join(severities)
    for name in Permissions.model_fields:
        if name not in _TABLES:
            words[name] = _said(getattr(permissions, name))
    return words


_TABLES = ("approvals", "acts", "people", "receiver_keys", "preapproved")
_SHOWN_OF_KEY = 12


def _rule_words(name: str, rule: ActRule) -> dict[str, str]:
    return {
        f"{name}.approvers": ", ".join(rule.approvers) or "anybody",
        f"{name}.accept_unverified": _said(rule.accept_unverified),
        f"{name}.proofs": ", ".join(rule.proofs) or "any",
    }


def _key_words(keys: tuple[str, ...]) -> str:
    """Public keys by what they end with."""
    return ", ".join(f"…{key.split()[-1][-_SHOWN_OF_KEY:]}" for key in keys if key) or _NOT_SET


def _said(value: bool | int | str | tuple[Severity, ...] | Switch | None) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Switch():
            return f"{value.variable}={value.value}"
        case None | ():
            return "none"
        case tuple():
            return ", ".join(value)
        case _:
            return str(value)
