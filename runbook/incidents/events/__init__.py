"""The events of an incident, in the past tense. The journal is made of these and of nothing else.

An event is never changed once written; new fields get defaults, so that old journals stay readable. Each
event owns the keys under which it is written once, see `JournalEvent.journal_key`.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field, TypeAdapter

from runbook.incidents.events.alerts import (
    AlertJoined,
    AlertLeft,
    AlertsResolved,
    AlertStormNoted,
    FlappingNoted,
)
from runbook.incidents.events.approvals import (
    ActionPreviewed,
    AnswerPlanted,
    ApprovalAnswered,
    ApprovalExpired,
    ApprovalLapsed,
    ApprovalRefused,
    ApprovalReminded,
    ApprovalRequested,
    ApprovalWithdrawn,
    PlanDrifted,
)
from runbook.incidents.events.assessment import (
    DecisionMade,
    FactsChanged,
    FactsChecked,
    SeverityOverridden,
    TriageCompleted,
    TriageStarted,
)
from runbook.incidents.events.base import JournalEvent
from runbook.incidents.events.effects import (
    ActionFinished,
    ChangeReverted,
    EffectIntended,
    EffectSettled,
    ManualChangeSeen,
    OutageEnded,
    OutageNoted,
    SwitchChecked,
)
from runbook.incidents.events.ending import (
    IncidentAbsorbed,
    IncidentClosed,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
    RecoveryChecked,
    ResponsePaused,
    StateForced,
    WatchStarted,
)
from runbook.incidents.events.files import (
    ArtifactPublished,
    EvidenceCollected,
    FileNotWritten,
    PostmortemDrafted,
)
from runbook.incidents.events.messages import (
    ClockName,
    ClockReminded,
    IncidentEscalated,
    StatusAnnounced,
)
from runbook.incidents.events.opening import IncidentOpened, MaintenanceNoted, PolicyChanged, PolicyNoted
from runbook.incidents.events.people import (
    CommsLeadAssigned,
    IncidentAcknowledged,
    LeadAssigned,
    NoteAdded,
    ReminderSnoozed,
    SupportAssigned,
    UpdateRequested,
    actor,
    is_act_of_a_person,
)
from runbook.incidents.events.public import (
    PublicIncidentSeen,
    PublicTextApproved,
    PublicTextProposed,
    PublicTextRefused,
    PublicTextWithheld,
    PublicUpdateSeen,
)
from runbook.incidents.events.runs import ResponseResumed, RunContinued, RunStarted
from runbook.value import Value

__all__ = [
    "EVENT",
    "ActionFinished",
    "ActionPreviewed",
    "AlertJoined",
    "AlertLeft",
    "AlertStormNoted",
    "AlertsResolved",
    "AnswerPlanted",
    "ApprovalAnswered",
    "ApprovalExpired",
    "ApprovalLapsed",
    "ApprovalRefused",
    "ApprovalReminded",
    "ApprovalRequested",
    "ApprovalWithdrawn",
    "ArtifactPublished",
    "ChangeReverted",
    "ClockName",
    "ClockReminded",
    "CommsLeadAssigned",
    "DecisionMade",
    "EffectIntended",
    "EffectSettled",
    "Event",
    "EvidenceCollected",
    "FactsChanged",
    "FactsChecked",
    "FileNotWritten",
    "FlappingNoted",
    "IncidentAbsorbed",
    "IncidentAcknowledged",
    "IncidentClosed",
    "IncidentEscalated",
    "IncidentMerged",
    "IncidentOpened",
    "IncidentReopened",
    "IncidentResolved",
    "JournalEvent",
    "LeadAssigned",
    "MaintenanceNoted",
    "ManualChangeSeen",
    "NoteAdded",
    "OutageEnded",
    "OutageNoted",
    "PlanDrifted",
    "PolicyChanged",
    "PolicyNoted",
    "PostmortemDrafted",
    "PublicIncidentSeen",
    "PublicTextApproved",
    "PublicTextProposed",
    "PublicTextRefused",
    "PublicTextWithheld",
    "PublicUpdateSeen",
    "Recorded",
    "RecoveryChecked",
    "ReminderSnoozed",
    "ResponsePaused",
    "ResponseResumed",
    "RunContinued",
    "RunStarted",
    "SeverityOverridden",
    "StateForced",
    "StatusAnnounced",
    "SupportAssigned",
    "SwitchChecked",
    "TriageCompleted",
    "TriageStarted",
    "UpdateRequested",
    "WatchStarted",
    "actor",
    "is_act_of_a_person",
]

Event = Annotated[
    IncidentOpened
    | PolicyNoted
    | PolicyChanged
    | AlertJoined
    | AlertLeft
    | AlertsResolved
    | AlertStormNoted
    | FlappingNoted
    | ApprovalWithdrawn
    | MaintenanceNoted
    | RunStarted
    | RunContinued
    | ResponseResumed
    | TriageStarted
    | TriageCompleted
    | DecisionMade
    | SeverityOverridden
    | ActionPreviewed
    | PlanDrifted
    | ApprovalRequested
    | ApprovalReminded
    | ApprovalAnswered
    | ApprovalLapsed
    | OutageNoted
    | OutageEnded
    | ApprovalExpired
    | ApprovalRefused
    | AnswerPlanted
    | EffectIntended
    | EffectSettled
    | ActionFinished
    | StatusAnnounced
    | PublicIncidentSeen
    | PublicTextRefused
    | PublicTextProposed
    | PublicTextApproved
    | PublicTextWithheld
    | ClockReminded
    | PublicUpdateSeen
    | IncidentEscalated
    | WatchStarted
    | RecoveryChecked
    | IncidentResolved
    | StateForced
    | SwitchChecked
    | ChangeReverted
    | ManualChangeSeen
    | EvidenceCollected
    | FileNotWritten
    | PostmortemDrafted
    | ArtifactPublished
    | LeadAssigned
    | CommsLeadAssigned
    | SupportAssigned
    | IncidentAcknowledged
    | UpdateRequested
    | ReminderSnoozed
    | NoteAdded
    | ResponsePaused
    | FactsChecked
    | FactsChanged
    | IncidentMerged
    | IncidentAbsorbed
    | IncidentReopened
    | IncidentClosed,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes any event as JSON."""


class Recorded(Value):
    """An event in the journal: its place in the incident's order and when it was written (aware UTC).

    `writer` is the role that wrote it, where the database itself tells.
    """

    seq: int
    at: datetime
    event: Event
    writer: str = ""
