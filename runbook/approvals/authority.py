"""Whether somebody is who they say, and may do what they did, by the present people and rules.

What a journal says is checked again each time, so a key, a login or a right that was taken away in the
meantime no longer counts; and an event that was written directly into the store is checked as well.
"""

from collections.abc import Callable, Collection
from datetime import datetime

from runbook.approvals.gates import Answer, InvalidAnswer, Unproven
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.names import name_flaw, spelling
from runbook.approvals.people import People, is_listed, is_one_of, known_as
from runbook.approvals.rules import NO_KEY, ActRule
from runbook.approvals.signatures import Statement, public_key, public_text, signed_at
from runbook.incidents.events import (
    ApprovalAnswered,
    CommsLeadAssigned,
    Event,
    IncidentAcknowledged,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
    LeadAssigned,
    NoteAdded,
    PublicTextApproved,
    PublicTextWithheld,
    ReminderSnoozed,
    ResponseResumed,
    SeverityOverridden,
    StateForced,
    SupportAssigned,
    UpdateRequested,
)
from runbook.incidents.incident import Incident
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.value import Value

ActEvent = (
    LeadAssigned
    | CommsLeadAssigned
    | SupportAssigned
    | IncidentAcknowledged
    | UpdateRequested
    | ReminderSnoozed
    | StateForced
    | NoteAdded
    | IncidentResolved
    | IncidentReopened
    | IncidentMerged
    | PublicTextApproved
    | PublicTextWithheld
)


def answer_statement(incident_id: str, event: ApprovalAnswered) -> Statement:
    """What a signature of an answer covers: this gate of this incident, this plan, and every word of it."""
    answer = event.answer
    return {
        "statement": "answer",
        "incident": incident_id,
        "gate": event.gate,
        "action": event.action_id,
        "plan": event.plan_digest,
        "choice": answer.choice.value,
        "parameters": dict(answer.parameters),
        "snooze_minutes": answer.snooze_minutes,
        "reason": answer.reason,
        **({"instead": answer.instead.value} if answer.instead else {}),
        **_who(answer.approver, answer.identity),
    }


def severity_statement(incident_id: str, event: SeverityOverridden) -> Statement:
    """What a signature of a severity covers."""
    assessment = event.assessment
    return {
        "statement": "severity",
        "incident": incident_id,
        "severity": assessment.severity.value,
        "reason": assessment.because,
        **_who(assessment.by, event.identity),
    }


def _who(by: str, identity: Identity | None) -> Statement:
    if identity is None:
        return {"by": by}
    return {"by": by, "name": identity.name, "how": identity.how.value, "detail": identity.detail}


def answer_is_proven(journal: Incident, event: ApprovalAnswered, rule: ActRule, policy: Policy) -> bool:
    """Whether an answer is proven to be its approver's, in a way that the rule takes."""
    answer = event.answer
    if answer.identity is None:
        unsigned = not rule.proofs and not policy.receiver_keys  # else a whole journal could be made up
        return unsigned and answer.identity_proven and _is_of_an_earlier_release(journal, answer)
    statement = answer_statement(journal.id, event)
    writer = journal.writer_of(event)
    return proven(answer.approver, answer.identity, statement, rule, policy, writer=writer) is not None


def _is_of_an_earlier_release(journal: Incident, answer: Answer) -> bool:
    """Only their journals may say that a name was proven and not how, and only until this release came."""
    if journal.opened.states_identities:
        return False
    for event in journal.events(ApprovalAnswered):
        if event.answer.identity is not None:
            return False
        if event.answer is answer:
            return True
    return True  # it is about to be written


class Proven(Value):
    """A proof that holds now. `signed_at` (aware UTC) is there where it is a signature."""

    signed_at: datetime | None = None


def proven(
    by: str,
    identity: Identity | None,
    statement: Statement,
    rule: ActRule,
    policy: Policy,
    *,
    writer: str | None = None,
) -> Proven | None:
    """The proof that a statement is that person's; `None` where none holds and is one that the rule takes.

    `writer` is the role that the database has noted with it; `None` where it is still to be written.
    """
    if identity is None or identity.how is Proof.CLAIM or name_flaw(by) is not None:
        return None
    if rule.proofs and identity.how not in rule.proofs:
        return None
    person = known_as(identity.name, policy.people)
    if spelling(person) != spelling(known_as(by, policy.people)):
        return None
    if identity.how is Proof.DATABASE_ROLE:  # of a known person, or everybody's shared role would be one
        known = policy.people.get(person)
        return Proven() if known and not known.counts_only and writer in (None, identity.name) else None
    if identity.how in (Proof.SLACK, Proof.PAGERDUTY) and not is_listed(identity.name, policy.people):
        return None  # an account in the workspace is not yet somebody whom the settings know
    if identity.how is Proof.SIGNING_KEY:
        keys = policy.people[person].public_keys if person in policy.people else ()
    elif policy.receiver_keys:
        keys = tuple(key for key in policy.receiver_keys if key != NO_KEY)
    else:
        return Proven()
    at = signed_at(identity.signature, statement, keys)
    return Proven(signed_at=at) if at else None


def owner_of(public: str, people: People) -> str | None:
    """The person whose signing key this is, `None` where it is nobody's."""
    wanted = public_text(public_key(public))
    for name, person in people.items():
        if wanted in (public_text(public_key(key)) for key in person.public_keys):
            return name
    return None


def may(name: str, rule: ActRule, policy: Policy) -> bool:
    """Whether the rule names this person, or nobody."""
    return not rule.approvers or is_one_of(name, rule.approvers, policy.people)


def vouched_severity(
    journal: Incident, event: SeverityOverridden, rule: ActRule, policy: Policy
) -> Proven | None:
    """The proof that a severity is of a person whom both the rule and `[policy.acts]` let; else `None`."""
    by, statement = event.assessment.by, severity_statement(journal.id, event)
    if not (may(by, rule, policy) and may(by, policy.acts, policy)):
        return None
    writer = journal.writer_of(event)
    if proven(by, event.identity, statement, policy.acts, policy, writer=writer) is None:
        return None
    return proven(by, event.identity, statement, rule, policy, writer=writer)


def act_statement(incident_id: str, event: ActEvent) -> Statement:
    """What a signature of an act covers: all that the event says, but for the signature itself."""
    said = event.model_dump(mode="json", exclude={"type", "identity"})
    identity = event.identity
    proof = {} if identity is None else identity.model_dump(mode="json", include={"name", "how", "detail"})
    return {"statement": event.type, "incident": incident_id, **said, "identity": proof}


def act_counts(incident: Incident, event: ActEvent, policy: Policy) -> bool:
    """Whether an act in a journal is one that the present people and rules take."""
    if not event.by or name_flaw(event.by) or not may(event.by, policy.acts, policy):
        return False
    if policy.acts.accept_unverified:
        return True
    statement, writer = act_statement(incident.id, event), incident.writer_of(event)
    return proven(event.by, event.identity, statement, policy.acts, policy, writer=writer) is not None


def counting(incident: Incident, policy: Policy) -> Callable[[ActEvent], bool]:
    """Which answers to a public text count, by the policy in force."""
    in_force = policy_in_force(incident, policy)
    return lambda answer: act_counts(incident, answer, in_force)


def counts_in(incident: Incident, policy: Policy) -> Callable[[Event], bool]:
    """Which events of the journal count, by the policy in force: of acts, those of people who may."""
    in_force = policy_in_force(incident, policy)
    return lambda event: not isinstance(event, ActEvent) or act_counts(incident, event, in_force)


def require_may_act(by: str, identity: Identity | None, statement: Statement, policy: Policy) -> None:
    """Check an act other than an answer against `[policy.acts]`.

    Raises:
        InvalidAnswer: the name hides what it is, the person may not, or nobody has proved that it is them.
    """
    if flaw := name_flaw(by):
        raise InvalidAnswer(f"nobody can act as {ascii(by)[1:-1]}: {flaw}")
    if not may(by, policy.acts, policy):
        raise InvalidAnswer(f"{by} may not do this; who may: {', '.join(policy.acts.approvers)}")
    if not policy.acts.accept_unverified and not proven(by, identity, statement, policy.acts, policy):
        raise Unproven(by, "this", policy.acts.proofs)


def require_may_refuse(journal: Incident, event: ApprovalAnswered, rule: ActRule, policy: Policy) -> None:
    """Check an answer that approves nothing: it takes who may approve the change, or who may act.

    Raises:
        InvalidAnswer: the person may do neither, or nobody has proved that it is them.
    """
    answer = event.answer
    proven_so = rule.accept_unverified or answer_is_proven(journal, event, rule, policy)
    if may(answer.approver, rule, policy) and proven_so:
        return
    require_may_act(answer.approver, answer.identity, answer_statement(journal.id, event), policy)


def resumption_statement(incident_id: str, event: ResponseResumed, actions: Collection[str]) -> Statement:
    """What a signature of a hand-back covers; `actions` are those that were done by hand."""
    return {
        "statement": "resumption",
        "incident": incident_id,
        "done": event.done,
        "actions": [*sorted(actions)],
        **_who(event.by, event.identity),
    }
