"""Journal what a person does about an incident: take or assign the lead, acknowledge it, write a note.

Every door comes here: the command line, the receiver's API, and the form in Prefect.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from runbook.approvals.acts import Act, ActEvent, ActKind, act_statement, event_of, is_so_already
from runbook.approvals.authority import require_may_act
from runbook.approvals.identity import Identity
from runbook.approvals.names import tidy
from runbook.approvals.signatures import Statement
from runbook.incidents.events import CommsLeadAssigned, LeadAssigned, NoteAdded
from runbook.incidents.incident import Incident
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

    `lead` is who leads now, of an assignment; `text` and `happened_at` (aware UTC) are a note's.
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


async def record_act(
    store: "IncidentStore",
    incident: Incident,
    act: Act,
    *,
    by: str,
    identify: Identify,
    policy: Policy,
    at: datetime,
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

    Raises:
        ActOnClosed: the incident is closed, and it is no note.
        InvalidAnswer: the act is not complete, or this person may not, or has not proved who they are.
        Unavailable: the store cannot be reached.
    """
    who = tidy(by)

    def event(identity: Identity) -> ActEvent:
        return event_of(act, incident, by=who, identity=identity, policy=policy, now=at)

    def statement(identity: Identity) -> Statement:
        return act_statement(incident.id, event(identity))

    identity = identify(statement)
    done = event(identity)
    require_may_act(who, identity, statement(identity), policy_in_force(incident, policy))
    known = is_so_already(incident, done)
    if not known:
        await store.append(incident.id, done, at=at)
    return Acted(
        incident=incident.id,
        act=act.kind,
        by=who,
        identity=identity,
        recorded=not known,
        said=sentence(done),
        lead=done.lead if isinstance(done, LeadAssigned | CommsLeadAssigned) else None,
        text=done.text if isinstance(done, NoteAdded) else None,
        happened_at=done.happened_at if isinstance(done, NoteAdded) else None,
    )
