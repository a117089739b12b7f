"""Who may approve what, who is known, and what needs no approval."""

from pydantic import Field, field_validator

from runbook.actions.catalogue import CATALOGUE, KnownName
from runbook.actions.spec import ActionKind, ActionName, Risk
from runbook.approvals.people import Person, people_flaw
from runbook.approvals.rules import NO_KEY, ActRule, ApprovalRule
from runbook.approvals.signatures import public_key, public_text
from runbook.decision.severity import Severity
from runbook.value import Value


class ApprovalPolicy(Value):
    """The rules that an answer is weighed by. High-risk changes take proven identities by default."""

    approvals: dict[Risk, ApprovalRule] = Field(
        default={Risk.HIGH: ApprovalRule(accept_unverified=False)},
        title="Approvals",
        description=(
            "Who may approve what, by risk: low, medium, high. Anybody may approve what is not listed; "
            "high-risk changes and rules for two people need proven identities unless accept_unverified is "
            "set there."
        ),
    )
    acts: ActRule = Field(
        default=ActRule(),
        title="Acts",
        description="Who may set a severity and hand the response back. By default anybody, proven or not.",
    )
    people: dict[str, Person] = Field(
        default={},
        title="People",
        description="Known people by name, with their logins and signing keys.",
    )
    receiver_keys: tuple[str, ...] = Field(
        default=(),
        title="Receiver keys",
        description="The receiver's public keys; with one, what it has proven counts only if it is signed.",
    )
    preapproved: dict[KnownName, tuple[Severity, ...]] = Field(
        default={},
        title="Pre-approved",
        description="Low-risk actions that need no approval at these severities. Off by default.",
    )
    undo_needs_approval: bool = Field(
        default=False,
        title="Undo needs approval",
        description=(
            "Ask again before a change that did not help is undone; otherwise its approval covers the undo."
        ),
    )

    @field_validator("approvals")
    @classmethod
    def _strict_unless_said(cls, value: dict[Risk, ApprovalRule]) -> dict[Risk, ApprovalRule]:
        """A rule about something else does not loosen the default for high-risk changes.

        Two people who are each a claim may be one, so a rule for two takes proven ones as well.
        """
        strict = {Risk.HIGH: value.get(Risk.HIGH, ApprovalRule())}
        strict |= {risk: rule for risk, rule in value.items() if rule.count > 1}
        return value | {
            risk: rule.model_copy(update={"accept_unverified": False})
            for risk, rule in strict.items()
            if "accept_unverified" not in rule.model_fields_set
        }

    @field_validator("people")
    @classmethod
    def _told_apart(cls, value: dict[str, Person]) -> dict[str, Person]:
        if flaw := people_flaw(value):
            raise ValueError(flaw)
        owners: dict[str, str] = {}
        for name, person in value.items():
            for key in person.public_keys:
                if owners.setdefault(public_text(public_key(key)), name) != name:
                    raise ValueError(f"{name} and {owners[public_text(public_key(key))]} have the same key")
        return value

    @field_validator("receiver_keys")
    @classmethod
    def _are_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for key in () if value == (NO_KEY,) else value:
            public_key(key)
        return value

    @field_validator("preapproved")
    @classmethod
    def _only_low_risk(
        cls, value: dict[ActionName, tuple[Severity, ...]]
    ) -> dict[ActionName, tuple[Severity, ...]]:
        for name in value:
            spec = CATALOGUE[name]
            if spec.kind is not ActionKind.CHANGE or spec.risk is not Risk.LOW:
                raise ValueError(f"{name} is not a low-risk change: it needs a person's approval")
        return value

    def rule_for(self, risk: Risk) -> ApprovalRule:
        """Who may approve changes of this risk."""
        return self.approvals.get(risk, ApprovalRule())
