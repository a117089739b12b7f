"""How it is known who said something: what a client says about itself is a claim, the rest is checked."""

from enum import StrEnum

from runbook.approvals.names import spelling
from runbook.outside_text import OutsideLine, OutsideName
from runbook.value import Value


class Proof(StrEnum):
    """How an identity was proven.

    `os-peer` is the account that the kernel reports for the other end of the receiver's local socket; the
    receiver checks that, tokens and proxies. `database-role` is the role that PostgreSQL notes with what is
    written. `slack` is a click that Slack has signed, by an account that `[policy.people]` lists; the
    receiver checks it. `pagerduty` is what an account there has done, by a webhook that PagerDuty has signed,
    likewise. Another channel adds its own value here.
    """

    CLAIM = "claim"
    SIGNING_KEY = "signing-key"
    API_TOKEN = "api-token"  # noqa: S105  the kind of proof
    PROXY_HEADER = "proxy-header"
    OS_PEER = "os-peer"
    DATABASE_ROLE = "database-role"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"


class Identity(Value):
    """Who somebody is, and how that is known.

    `name` is what was proven, or claimed: an account, a login or a person of the settings. `detail` says more
    for people. `signature` is a JWS over the whole statement: the person's, or the receiver's where it
    vouches for what it has checked.
    """

    name: OutsideName
    how: Proof = Proof.CLAIM
    detail: OutsideLine = ""
    signature: str = ""


_WORDS = {
    Proof.CLAIM: "unproven claim",
    Proof.SIGNING_KEY: "signed",
    Proof.API_TOKEN: "proven by API token",
    Proof.PROXY_HEADER: "proven by proxy",
    Proof.OS_PEER: "proven by account",
    Proof.DATABASE_ROLE: "proven by database role",
    Proof.SLACK: "proven by Slack",
    Proof.PAGERDUTY: "proven by PagerDuty",
}


def identity_words(identity: Identity | None, *, of: str, earlier_proof: bool = False) -> str:
    """How it is known who somebody is, for people: `unproven claim`, `proven by account al (uid 1000)`.

    `of` is the name beside which this stands; a proven name is told where it is another. `earlier_proof` is
    what an answer of an earlier release says of itself.
    """
    if identity is None:
        return "proven, by an earlier release's account" if earlier_proof else _WORDS[Proof.CLAIM]
    other = "" if spelling(identity.name) == spelling(of) else f" {identity.name}"
    detail = f" ({identity.detail})" if identity.detail else ""
    return f"{_WORDS[identity.how]}{other}{detail}"


def named(name: str, identity: Identity | None) -> str:
    """A person with how it is known that it is them: `ana (unproven claim)`."""
    return f"{name} ({identity_words(identity, of=name)})"
