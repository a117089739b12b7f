"""Journal what a person does about an incident: take or assign the lead, acknowledge, write a note, end it.

Every door comes here: the command line, the receiver's API, and the form in Prefect.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from blocks.store.lists import open_incident_of
from runbook.approvals.acts import Act, ActKind, ActOnClosed, bare, event_of, is_so_already
from runbook.approvals.authority import ActEvent, act_statement, require_may_act, severity_statement
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity, named
from runbook.approvals.names import tidy
from runbook.approvals.signatures import Statement
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.incidents.events import (
    CommsLeadAssigned,
    Event,
    IncidentAbsorbed,
    IncidentMerged,
    IncidentResolved,
    LeadAssigned,
    NoteAdded,
    PublicTextApproved,
    PublicTextWithheld,
    SeverityOverridden,
    SupportAssigned,
)
from runbook.incidents.incident import Incident
from runbook.incidents.loose_ends import switches_left_on
from runbook.incidents.sentences import sentence
from runbook.policy.in_force import policy_in_force
from runbook.policy.policy import Policy
from runbook.value import Value

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore

Identify = Callable[[Callable[[Identity], Statement]], Identity]
"""Gives the identity of whoever acts, signed over the statement that is made with it, where they can sign."""


class Acted(Value):
    """What became of an act. `said` tells it in a sentence; `recorded` is false where it was so already.

    `lead` is who leads now, of an assignment; `text` and `happened_at` (aware UTC) are a note's. `switches`
    are the temporary switches that an incident which a person ended leaves on; `waits_for` is why its run
    does not go on yet.
    """

    incident: str
    act: ActKind
    by: str
    identity: Identity
    recorded: bool
    said: str
    lead: str | None = None
    text: str | None = None
    happened_at: datetime | None = None
    switches: tuple[str, ...] = ()
    waits_for: str = ""


async def record_act(
    store: "IncidentStore",
    incident: Incident,
    act: Act,
    *,
    by: str,
    identify: Identify,
    policy: Policy,
    at: datetime,
    key: str | None = None,
) -> Acted:
    """Journal an act, unless the journal says the same already.

    Args:
        store: Where the incident is kept.
        incident: The incident, as read before.
        act: What the person wants.
        by: Who they are, by the name in the settings where those know them.
        identify: How that is known.
        policy: The rules, as they are now.
        at: The present moment, aware UTC.
        key: What the journal takes it under, once, where the same request may come twice and the event has
            no key of its own.

    Raises:
        ActOnClosed: the incident is closed, and it is no note.
        InvalidAnswer: the act is not complete, or this person may not, or has not proved who they are.
        UnknownIncident: there is no incident that it is to be merged into.
        Unavailable: the store cannot be reached.
    """
    who = tidy(by)
    target = await store.read(act.into) if act.kind is ActKind.MERGE and act.into else None
    if act.kind is ActKind.REOPEN:
        await _require_none_open(store, incident)

    def event(identity: Identity) -> ActEvent:
        return event_of(act, incident, by=who, identity=identity, policy=policy, now=at, target=target)

    def statement(identity: Identity) -> Statement:
        return act_statement(incident.id, event(identity))

    identity = identify(statement)
    done = event(identity)
    require_may_act(who, identity, statement(identity), policy_in_force(incident, policy))
    known = is_so_already(incident, done, policy)
    if not known:
        if isinstance(done, IncidentMerged):
            absorbed = IncidentAbsorbed(
                incident=incident.id, service=incident.service, by=who, identity=identity
            )
            recorded = await store.merge(incident.id, done, absorbed, at=at)
        else:
            recorded = await store.append(incident.id, done, at=at, key=done.journal_key or key)
        _require_the_same(recorded.event, done)
        known = recorded.event != done or (key is not None and recorded.at != at)
        done = recorded.event if isinstance(recorded.event, ActEvent) else done
    left = switches_left_on(incident) if isinstance(done, IncidentResolved | IncidentMerged) else ()
    return Acted(
        incident=incident.id,
        act=act.kind,
        by=who,
        identity=identity,
        recorded=not known,
        said=sentence(done),
        lead=done.lead if isinstance(done, LeadAssigned | CommsLeadAssigned | SupportAssigned) else None,
        text=done.text if isinstance(done, NoteAdded) else None,
        happened_at=done.happened_at if isinstance(done, NoteAdded) else None,
        switches=tuple(f"{action.spec.title} ({action.target})" for action in left),
    )


class SeveritySet(Value):
    """What became of it. `before` is `None` where nobody had assessed the incident."""

    incident: str
    before: Severity | None
    severity: Severity
    by: str
    reason: str
    identity: Identity

    @property
    def change(self) -> str:
        """`P1 -> P3 by ana (unproven claim)`, or that somebody says it, too."""
        if self.before is self.severity:
            return f"it stays {self.severity.value}, now by {named(self.by, self.identity)}"
        before = self.before.value if self.before else "not assessed"
        return f"{before} -> {self.severity.value} by {named(self.by, self.identity)}"

    @property
    def said(self) -> str:
        """It as a sentence."""
        assessment = SeverityAssessment(severity=self.severity, because=self.reason, by=self.by)
        return sentence(SeverityOverridden(assessment=assessment, identity=self.identity))


async def record_severity(
    store: "IncidentStore",
    incident: Incident,
    severity: Severity,
    *,
    reason: str,
    by: str,
    identify: Identify,
    policy: Policy,
    at: datetime,
    key: str | None = None,
) -> SeveritySet:
    """Journal a person's word on the severity, which goes before the rules and approves nothing by itself.

    With a `key`, the same request changes nothing when it comes again.

    Raises:
        ActOnClosed: the incident is closed.
        InvalidAnswer: it says neither who nor why, or this person may not, or has not proved who they are.
        Unavailable: the store cannot be reached.
    """
    who = tidy(by)
    assessment = SeverityAssessment(severity=severity, because=reason.strip(), by=who)
    if not who or not assessment.because.strip():
        raise InvalidAnswer("the name and the reason cannot be empty: say who decides and why")
    if incident.closed:
        raise ActOnClosed(f"{incident.id} is closed")

    def statement(identity: Identity) -> Statement:
        return severity_statement(incident.id, SeverityOverridden(assessment=assessment, identity=identity))

    identity = identify(statement)
    require_may_act(who, identity, statement(identity), policy_in_force(incident, policy))
    event = SeverityOverridden(assessment=assessment, identity=identity)
    last = incident.last(SeverityOverridden)
    if last is None or bare(last) != bare(event):
        await store.append(incident.id, event, at=at, key=key)
    before = incident.severity.severity if incident.severity else None
    return SeveritySet(
        incident=incident.id,
        before=before,
        severity=severity,
        by=who,
        reason=assessment.because,
        identity=identity,
    )


def _require_the_same(stands: Event, said: ActEvent) -> None:
    """Make sure that nobody takes their own answer to a public text for the one that counts.

    Raises:
        InvalidAnswer: somebody has said otherwise at the same moment.
    """
    if isinstance(said, PublicTextApproved | PublicTextWithheld) and _answer(stands) != _answer(said):
        raise InvalidAnswer(f"it is answered: {sentence(stands)}")


def _answer(event: Event) -> tuple[str, ...]:
    """What an answer to a public text has published, whoever gave it and why."""
    if isinstance(event, PublicTextApproved):
        return event.type, event.title, event.body
    return (event.type,)


async def _require_none_open(store: "IncidentStore", incident: Incident) -> None:
    """Make sure that an incident can be reopened: a service has one open incident.

    Raises:
        InvalidAnswer: another one of its service is open.
    """
    other = await open_incident_of(store, incident.service, dry_run=incident.dry_run)
    if other is not None and other != incident.id:
        raise InvalidAnswer(f"{other} of the same service is open: merge it into another, or go on there")
