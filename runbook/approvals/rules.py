"""Rules of the configuration about who may do something, how they prove it, and how many it takes."""

from pydantic import Field, field_validator

from runbook.approvals.identity import Proof
from runbook.approvals.names import name_flaw
from runbook.value import Value

NOBODY = ""
"""In a list of approvers, a name that nobody has: an empty list lets anybody."""

NO_KEY = ""
"""In a list of the receiver's keys, one that signs nothing: an empty list needs no signature."""


class ActRule(Value):
    """Who may do something, and how they have to prove that it is them."""

    approvers: tuple[str, ...] = Field(
        default=(),
        title="Approvers",
        description="The people who may, by their names or logins; empty lets anybody.",
    )
    accept_unverified: bool = Field(
        default=True,
        title="Accept unverified",
        description="Whether an unproven name counts, such as one typed into Prefect's form.",
    )
    proofs: tuple[Proof, ...] = Field(
        default=(),
        title="Proofs",
        description="The proofs that count, such as signing-key or os-peer. Empty lets any.",
    )

    @field_validator("approvers")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in () if value == (NOBODY,) else value:
            if flaw := name_flaw(name):
                raise ValueError(f"{name!a} cannot be used as a name: {flaw}")
        return value

    @field_validator("proofs")
    @classmethod
    def _no_claim(cls, value: tuple[Proof, ...]) -> tuple[Proof, ...]:
        if Proof.CLAIM in value:
            raise ValueError("a claim is not a proof: set accept_unverified to accept claims")
        return value

    @property
    def who_may(self) -> str:
        """Who is named, for people."""
        if self.approvers == (NOBODY,):
            return "nobody: no person is listed both in the policy at the opening and in the present one"
        return ", ".join(self.approvers)


class ApprovalRule(ActRule):
    """Who may approve changes of one risk class, and how many of them it takes."""

    count: int = Field(
        default=1,
        ge=1,
        le=2,
        title="How many",
        description="How many different people must approve: 1 or 2. Two must be listed in [policy.people].",
    )
