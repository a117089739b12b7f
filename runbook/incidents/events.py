"""The events of an incident, in the past tense. The journal is made of these and of nothing else.

An event is never changed once written; new fields get defaults, so that old journals stay readable.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from runbook.actions.catalogue import ActionResult, ChangePlan
from runbook.alerts.alert import Alert
from runbook.approvals.gates import Answer
from runbook.approvals.identity import Identity
from runbook.checks.findings import Check, Findings
from runbook.decision.severity import SeverityAssessment
from runbook.decision.verdict import Decision
from runbook.incidents.effects import Effect
from runbook.kubernetes.reversals import Reversal
from runbook.outside_text import OutsideLine, OutsideName, OutsideText
from runbook.policy.permissions import PermissionChange, Permissions
from runbook.value import Value


class IncidentOpened(Value):
    """An alert or a person opened the incident.

    `recurrence_of` is the service's incident that was closed not long before, if any. `states_identities`:
    what people say in this journal tells how it is known who they are. Earlier releases' journals do not.
    `dry_run` is true for a rehearsal, which changes nothing and stays one to its end. `permissions` is what
    the policy permitted at that moment; journals of earlier releases have none, see `PolicyNoted`.
    """

    type: Literal["IncidentOpened"] = "IncidentOpened"
    alert: Alert
    environment: str = "default"
    recurrence_of: str = ""
    states_identities: bool = False
    dry_run: bool = False
    permissions: Permissions | None = None


class PolicyNoted(Value):
    """What the policy permitted when a run of this release first saw an incident of an earlier one."""

    type: Literal["PolicyNoted"] = "PolicyNoted"
    permissions: Permissions


class PolicyChanged(Value):
    """The policy was edited while the incident was open. What the edit loosens does not apply to it."""

    type: Literal["PolicyChanged"] = "PolicyChanged"
    permissions: Permissions
    changes: tuple[PermissionChange, ...]


class AlertJoined(Value):
    """Another alert of the service began, or the same one anew. Early journals have resolutions here too."""

    type: Literal["AlertJoined"] = "AlertJoined"
    alert: Alert


class AlertLeft(Value):
    """An alert of the incident was resolved by its sender."""

    type: Literal["AlertLeft"] = "AlertLeft"
    alert: Alert


class AlertsResolved(Value):
    """No alert of the incident fires any more. That alone ends nothing: the checks decide."""

    type: Literal["AlertsResolved"] = "AlertsResolved"
    alerts: int


class AlertStormNoted(Value):
    """So many alerts have joined that they are counted from here on, not told one by one."""

    type: Literal["AlertStormNoted"] = "AlertStormNoted"
    alerts: int


class FlappingNoted(Value):
    """An alert began more often within an hour than a healthy alert does."""

    type: Literal["FlappingNoted"] = "FlappingNoted"
    alert: OutsideLine
    episodes: int


class ApprovalWithdrawn(Value):
    """A question that nobody had answered was taken back; `because` says why."""

    type: Literal["ApprovalWithdrawn"] = "ApprovalWithdrawn"
    gate: str
    action_id: str
    because: OutsideText


class MaintenanceNoted(Value):
    """The incident began within a known maintenance. `until` is aware UTC, `None` where it is open-ended.

    `source` is `configured` or `status-page`; `paging_suppressed` whether nobody is called for its opening.
    """

    type: Literal["MaintenanceNoted"] = "MaintenanceNoted"
    source: str
    title: OutsideLine
    until: datetime | None
    paging_suppressed: bool


class RunStarted(Value):
    """A flow run works on the incident; there may be several after crashes. A dry run changes nothing."""

    type: Literal["RunStarted"] = "RunStarted"
    flow_run_id: str
    url: str = ""
    dry_run: bool = False


class RunContinued(Value):
    """A run that had stopped is started again, or another one in its place; `because` says what was seen."""

    type: Literal["RunContinued"] = "RunContinued"
    flow_run_id: str
    because: OutsideText


class ResponseResumed(Value):
    """A person hands the response back to the runbook; `done` is what was done by hand, in their words."""

    type: Literal["ResponseResumed"] = "ResponseResumed"
    by: OutsideName
    done: OutsideText
    identity: Identity | None = None


class TriageStarted(Value):
    """The checks are running."""

    type: Literal["TriageStarted"] = "TriageStarted"
    round: int
    checks: tuple[Check, ...]


class TriageCompleted(Value):
    """All checks have answered or given up."""

    type: Literal["TriageCompleted"] = "TriageCompleted"
    round: int
    findings: Findings


class DecisionMade(Value):
    """The decision tree was walked."""

    type: Literal["DecisionMade"] = "DecisionMade"
    round: int
    decision: Decision


class SeverityOverridden(Value):
    """A person set another severity than the rules. `identity` tells how it is known who that was."""

    type: Literal["SeverityOverridden"] = "SeverityOverridden"
    assessment: SeverityAssessment
    identity: Identity | None = None


class ActionPreviewed(Value):
    """A change was dry-run; this is what would happen.

    `since` (aware UTC) is the time that goes into the change's requests, the same in every later preview.
    """

    type: Literal["ActionPreviewed"] = "ActionPreviewed"
    plan: ChangePlan
    since: datetime


class PlanDrifted(Value):
    """A plan that people were asked about holds no more; `because` says what has changed since.

    `voided` are the people whose approval does not count any more.
    """

    type: Literal["PlanDrifted"] = "PlanDrifted"
    action_id: str
    old_digest: str
    new_digest: str
    because: tuple[OutsideText, ...]
    voided: tuple[OutsideName, ...] = ()


class ApprovalRequested(Value):
    """The run is suspended until someone answers. `gate` is unique for each time of asking.

    `remind_at` (aware UTC) is when someone who asked for a later time wants to be reminded. `bound` is true
    where the form has to name the plan beside the gate; those of earlier releases name the gate only.
    """

    type: Literal["ApprovalRequested"] = "ApprovalRequested"
    gate: str
    action_id: str
    plan_digest: str
    question: OutsideText
    flow_run_id: str
    remind_at: datetime | None = None
    bound: bool = False


class ApprovalReminded(Value):
    """An unanswered gate was brought to people's notice; `escalated` when a person was paged about it."""

    type: Literal["ApprovalReminded"] = "ApprovalReminded"
    gate: str
    escalated: bool = False


class ApprovalAnswered(Value):
    """Someone answered a gate."""

    type: Literal["ApprovalAnswered"] = "ApprovalAnswered"
    gate: str
    action_id: str
    plan_digest: str
    answer: Answer


class ApprovalLapsed(Value):
    """Just before the change its approval counted no more: who gave it may not now, or is not proven now.

    `by` are the people whose approval that was.
    """

    type: Literal["ApprovalLapsed"] = "ApprovalLapsed"
    action_id: str
    plan_digest: str
    by: tuple[OutsideName, ...]


class OutageNoted(Value):
    """The cluster did not answer when an approved action was to be taken; the action waits for it."""

    type: Literal["OutageNoted"] = "OutageNoted"
    action_id: str
    because: OutsideText


class OutageEnded(Value):
    """The cluster answers again, and the action that has waited for it goes on."""

    type: Literal["OutageEnded"] = "OutageEnded"
    action_id: str


class ApprovalExpired(Value):
    """The cluster was away for longer than an approval holds: it counts no more, and is asked for again.

    `by` are the people whose approval that was.
    """

    type: Literal["ApprovalExpired"] = "ApprovalExpired"
    action_id: str
    plan_digest: str
    by: tuple[OutsideName, ...]


class ApprovalRefused(Value):
    """An answer could not be accepted; the gate asks again."""

    type: Literal["ApprovalRefused"] = "ApprovalRefused"
    gate: str
    action_id: str
    because: OutsideText


class AnswerPlanted(Value):
    """Somebody has written answers into Prefect that belong to no question of ours; none was taken."""

    type: Literal["AnswerPlanted"] = "AnswerPlanted"
    flow_run_id: str
    answers: int


class EffectIntended(Value):
    """An effect is about to happen. Without an outcome after it, it may or may not have."""

    type: Literal["EffectIntended"] = "EffectIntended"
    effect: Effect


class EffectSettled(Value):
    """What became of an effect."""

    type: Literal["EffectSettled"] = "EffectSettled"
    effect: Effect


class ActionFinished(Value):
    """An action ended, in whichever way."""

    type: Literal["ActionFinished"] = "ActionFinished"
    result: ActionResult


class StatusAnnounced(Value):
    """Stakeholders were told. `channel` is `slack` or `status-page`."""

    type: Literal["StatusAnnounced"] = "StatusAnnounced"
    channel: str
    state: str
    reference: OutsideLine = ""
    next_update_at: datetime | None = None


class IncidentEscalated(Value):
    """A person was called. `commands` are what they may type by hand.

    `about` is the id of the action that it is about; empty where it is about the response as a whole, and in
    journals of earlier releases. In a rehearsal (`rehearsed`) nobody was called, but would have been. A call
    that `outlasts` the incident is about what stays as it is although the checks are well.
    """

    type: Literal["IncidentEscalated"] = "IncidentEscalated"
    because: OutsideText
    commands: tuple[OutsideText, ...] = ()
    rehearsed: bool = False
    about: str = ""
    outlasts: bool = False


class WatchStarted(Value):
    """From here on the incident is watched until it is over."""

    type: Literal["WatchStarted"] = "WatchStarted"
    waiting_for: tuple[OutsideLine, ...]


class RecoveryChecked(Value):
    """A look at the recovery whose answer differs from the one before."""

    type: Literal["RecoveryChecked"] = "RecoveryChecked"
    recovered: bool | None
    because: tuple[OutsideText, ...]


class IncidentResolved(Value):
    """The response ended with this outcome: recovered, not_recovered, unknown or false_positive."""

    type: Literal["IncidentResolved"] = "IncidentResolved"
    outcome: str
    because: tuple[OutsideText, ...]


class SwitchChecked(Value):
    """A temporary switch was looked at after the incident's end, to tell people of it unless it is off.

    `switch` is `VARIABLE=value`. `on` is `None` where nobody can tell; `detail` says why. `told` is false
    where there is no channel to tell people in.
    """

    type: Literal["SwitchChecked"] = "SwitchChecked"
    action_id: str
    switch: OutsideLine
    on: bool | None
    detail: OutsideText = ""
    told: bool = True


class ChangeReverted(Value):
    """Somebody else has changed what an action had set, after the action had ended."""

    type: Literal["ChangeReverted"] = "ChangeReverted"
    action_id: str
    reversal: Reversal


class EvidenceCollected(Value):
    """Evidence was written and sealed. `files` maps each name to its SHA-256."""

    type: Literal["EvidenceCollected"] = "EvidenceCollected"
    collection: str
    folder: str
    manifest_sha256: str
    files: dict[str, str]
    missing: dict[OutsideName, OutsideText] = {}


class FileNotWritten(Value):
    """A file of the runbook's own could not be written, or not all of them; the response goes on without it.

    `what` is what people call it: `evidence before-mitigation`, `paper runbook`, `post-mortem`.
    """

    type: Literal["FileNotWritten"] = "FileNotWritten"
    what: str
    path: str
    because: OutsideLine


class PostmortemDrafted(Value):
    """A post-mortem draft was written."""

    type: Literal["PostmortemDrafted"] = "PostmortemDrafted"
    path: str
    sha256: str


class ArtifactPublished(Value):
    """An artifact is to be seen in Prefect. `plan_digest` says which plan it shows, where it shows one."""

    type: Literal["ArtifactPublished"] = "ArtifactPublished"
    key: str
    kind: str
    plan_digest: str = ""


class NoteAdded(Value):
    """A person wrote something into the timeline."""

    type: Literal["NoteAdded"] = "NoteAdded"
    by: OutsideName
    text: OutsideText


class IncidentClosed(Value):
    """Nothing is left to do; a new alert opens a new incident."""

    type: Literal["IncidentClosed"] = "IncidentClosed"
    outcome: str


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
    | IncidentEscalated
    | WatchStarted
    | RecoveryChecked
    | IncidentResolved
    | SwitchChecked
    | ChangeReverted
    | EvidenceCollected
    | FileNotWritten
    | PostmortemDrafted
    | ArtifactPublished
    | NoteAdded
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
