"""Journals of made-up incidents, for the tests of everything that is rendered from one."""

from datetime import UTC, datetime, timedelta

from runbook.actions.catalogue import ActionOutcome, ActionResult, ChangePlan, PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.hand_off import HAND_OFF as HAND_OFF_SPEC
from runbook.alerts.alert import Alert
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity
from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.spec import CheckName
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.verdict import Branch, Decision, ErrorType, Question, Reply, Verdict
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.incident import Incident
from runbook.kubernetes.ownership import Writing
from runbook.kubernetes.reversals import Reversal
from runbook.policy.permissions import PermissionChange, Permissions
from runbook.policy.policy import Policy
from tests.runbook.findings_samples import EVERYWHERE
from tests.runbook.public_texts import LIFE as PUBLIC_TEXTS

OPENED = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
TARGET = "deployment/posthog-integration"

FALLBACK = PlannedAction(
    id="1-enable-fallback",
    name=ENABLE_FALLBACK.name,
    target=TARGET,
    because="PostHog lists an incident: wait for it with the fallback on",
)
HAND_OFF = PlannedAction(
    id="2-hand-off",
    name=HAND_OFF_SPEC.name,
    target="a person",
    because="Ask PostHog support for a higher rate limit (long-term remedy for 429).",
)
PLAN = ChangePlan(
    action=FALLBACK,
    diff='--- live\n+++ after\n+        - name: POSTHOG_FALLBACK\n+          value: "true"',
    affects=("3 pods restart one after the other",),
)
ALERT = Alert(
    source="alertmanager",
    service="posthog-integration",
    name="PostHogServerErrors",
    summary="PostHog answers 5xx",
    severity=Severity.P2,
    starts_at=OPENED - timedelta(minutes=2),
)


def finding(check: CheckName, status: Status = Status.OK, summary: str = "as expected") -> Finding:
    """A finding of a check."""
    return Finding(check=check, status=status, summary=summary, observed_at=OPENED, seconds=0.25)


def findings(**statuses: Status) -> Findings:
    """One finding per check, ok unless said otherwise."""
    return Findings(items=tuple(finding(check, statuses.get(check, Status.OK)) for check in EVERYWHERE))


def decision(
    verdict: Verdict = Verdict.POSTHOG_OUTAGE,
    *,
    error_type: ErrorType = ErrorType.POSTHOG_ERRORS,
    severity: Severity = Severity.P1,
    plan: tuple[PlannedAction, ...] = (FALLBACK,),
) -> Decision:
    """A decision with a path that leads to its verdict."""
    return Decision(
        verdict=verdict,
        error_type=error_type,
        mix={error_type: 1.0},
        path=PATHS[verdict],
        severity=SeverityAssessment(severity=severity, because="all requests fail"),
        plan=plan,
    )


def _path(*steps: tuple[Question, Reply]) -> tuple[Branch, ...]:
    return tuple(
        Branch(question=question, reply=reply, because=(f"fact of {question}",)) for question, reply in steps
    )


PATHS = {
    Verdict.POSTHOG_OUTAGE: _path(
        (Question.POSTHOG_RETURNING_ERRORS, Reply.YES), (Question.STATUS_PAGE_INCIDENT, Reply.YES)
    ),
    Verdict.INTEGRATION_ISSUE: _path(
        (Question.POSTHOG_RETURNING_ERRORS, Reply.YES), (Question.STATUS_PAGE_INCIDENT, Reply.NO)
    ),
    Verdict.RESOLVED_OR_INTERMITTENT: _path(
        (Question.POSTHOG_RETURNING_ERRORS, Reply.NO), (Question.SERVICE_HEALTHY, Reply.YES)
    ),
    Verdict.INFRASTRUCTURE_ISSUE: _path(
        (Question.POSTHOG_RETURNING_ERRORS, Reply.NO), (Question.SERVICE_HEALTHY, Reply.NO)
    ),
    Verdict.UNKNOWN: _path((Question.POSTHOG_RETURNING_ERRORS, Reply.UNKNOWN)),
}


def incident(*events: e.Event, alert: Alert = ALERT, step: timedelta = timedelta(seconds=30)) -> Incident:
    """An incident that was opened and to which these events happened, one `step` after the other."""
    journal = [e.IncidentOpened(alert=alert, states_identities=True), *events]
    recorded = [e.Recorded(seq=n, at=OPENED + n * step, event=event) for n, event in enumerate(journal)]
    return Incident.from_events("inc-20261122-1500", recorded)


def triaged(**statuses: Status) -> e.TriageCompleted:
    """A triage that was completed."""
    return e.TriageCompleted(round=1, findings=findings(**statuses))


def decided(made: Decision | None = None) -> e.DecisionMade:
    """A decision that was made."""
    return e.DecisionMade(round=1, decision=made or decision())


def asked(plan: ChangePlan = PLAN, *, gate: str = "gate-1") -> e.ApprovalRequested:
    """An approval that was asked for."""
    return e.ApprovalRequested(
        gate=gate,
        action_id=plan.action.id,
        plan_digest=plan.digest,
        question=f"## {plan.action.spec.title}?",
        flow_run_id="run-1",
    )


def answered(choice: Choice = Choice.APPROVE, plan: ChangePlan = PLAN) -> e.ApprovalAnswered:
    """An answer that was given."""
    answer = Answer(choice=choice, approver="alice", reason="we know this outage")
    return e.ApprovalAnswered(gate="gate-1", action_id=plan.action.id, plan_digest=plan.digest, answer=answer)


def finished(outcome: ActionOutcome, action: PlannedAction = FALLBACK) -> e.ActionFinished:
    """An action that ended."""
    return e.ActionFinished(
        result=ActionResult(action=action, outcome=outcome, detail="errors fell", approved_by="alice")
    )


def resolved(outcome: str = "recovered") -> e.IncidentResolved:
    """A response that ended."""
    return e.IncidentResolved(outcome=outcome, because=("errors stayed under the threshold",))


def effect(outcome: EffectOutcome | None = None, *, kind: str = "kubernetes") -> Effect:
    """An effect on the integration's Deployment."""
    return Effect(
        id="effect-1",
        kind=kind,
        target=TARGET,
        summary="set POSTHOG_FALLBACK=true",
        authority=Authority.approval("gate-1", "alice"),
        outcome=outcome,
    )


LIFE: tuple[e.Event, ...] = (
    e.ResponsePaused(
        because="there are not enough facts for a decision; nothing was changed",
        next_look_at=OPENED + timedelta(minutes=9),
    ),
    e.ManualChangeSeen(target=TARGET, writing=Writing(by="kubectl (kubectl-edit)", at=OPENED)),
    e.FactsChecked(round=1, verdict=Verdict.UNKNOWN),
    e.FactsChecked(
        round=1,
        verdict=Verdict.POSTHOG_OUTAGE,
        plan=("Enable fallback (deployment/posthog-integration)",),
        changes=("the verdict would be posthog_outage, not unknown",),
    ),
    e.FactsChanged(round=2, because=("the verdict would be posthog_outage, not unknown",)),
    e.FactsChanged(round=3, because=("PostHog is fine, our proxy is not",), by="ana"),
    e.IncidentResolved(
        outcome="not_ours",
        because=("the proxy team has it",),
        by="ana",
        identity=Identity(name="ana"),
        done="moved the traffic",
    ),
    e.IncidentMerged(into="inc-20261122-1", by="ana", identity=Identity(name="ana"), because="one deploy"),
    e.IncidentAbsorbed(
        incident="inc-20261122-2", service="checkout", by="ana", identity=Identity(name="ana")
    ),
    e.IncidentReopened(because="it times out again", by="ana", identity=Identity(name="ana")),
    e.IncidentReopened(because="PostHogErrorsHigh fires again", reopened=2),
)
"""What leads an incident through its life beside that: pauses, looks, people's ends, and a reopening."""


def every_event() -> tuple[e.Event, ...]:
    """One event of each type but the opening, in the order in which they can happen."""
    return (
        e.AlertJoined(alert=ALERT),
        e.RunStarted(flow_run_id="run-1", url="http://prefect.example/runs/1"),
        e.TriageStarted(round=1, checks=EVERYWHERE),
        triaged(probe=Status.BAD, status_page=Status.UNKNOWN),
        decided(decision(plan=(FALLBACK, HAND_OFF))),
        e.SeverityOverridden(
            assessment=SeverityAssessment(severity=Severity.P2, because="one region", by="bob")
        ),
        e.ActionPreviewed(plan=PLAN, since=OPENED),
        asked(),
        e.ApprovalRefused(gate="gate-0", action_id=FALLBACK.id, because="the approver is empty"),
        e.ApprovalReminded(gate="gate-1"),
        e.PlanDrifted(
            action_id=FALLBACK.id,
            old_digest="0" * 64,
            new_digest=PLAN.digest,
            because=("-image: web:1", "+image: web:2"),
            voided=("alice",),
        ),
        answered(),
        e.EffectIntended(effect=effect()),
        e.EffectSettled(effect=effect(EffectOutcome.APPLIED)),
        finished(ActionOutcome.RECOVERED),
        e.StatusAnnounced(channel="slack", state="IDENTIFIED"),
        e.IncidentEscalated(because="no answer for 10 minutes"),
        e.WatchStarted(waiting_for=("the error rate stays under its threshold",)),
        e.RecoveryChecked(recovered=None, because=("no data",)),
        e.EvidenceCollected(
            collection="1",
            folder="evidence/1",
            manifest_sha256="ab" * 32,
            files={"logs.txt": "cd" * 32},
            missing={"metrics.json": "Prometheus did not answer"},
        ),
        e.NoteAdded(by="bob", text="PostHog says that they roll back"),
        resolved(),
        e.SwitchChecked(action_id=FALLBACK.id, switch="POSTHOG_FALLBACK=true", on=True),
        e.ChangeReverted(
            action_id=FALLBACK.id,
            reversal=Reversal(
                writing=Writing(by="Flux (kustomize-controller)", at=OPENED),
                detail="env POSTHOG_FALLBACK of app is false again, and was true",
                put_back=True,
            ),
        ),
        e.FileNotWritten(what="paper runbook", path="paper-runbook.md", because="No space left on device"),
        e.PostmortemDrafted(path="postmortem.md", sha256="ef" * 32),
        e.ArtifactPublished(key="decision-1", kind="markdown"),
        e.AlertStormNoted(alerts=32),
        e.FlappingNoted(alert="PostHogErrorsHigh", episodes=6),
        e.MaintenanceNoted(
            source="configured",
            title="Cluster upgrade",
            until=OPENED + timedelta(hours=1),
            paging_suppressed=True,
        ),
        e.ApprovalWithdrawn(gate="gate-2", action_id=FALLBACK.id, because="no alert fires any more"),
        e.AlertLeft(alert=ALERT),
        e.AlertsResolved(alerts=1),
        e.RunContinued(flow_run_id="run-1", because="its process shows no sign of life"),
        e.ResponseResumed(by="bob", done="restarted the pods"),
        e.ApprovalLapsed(action_id=FALLBACK.id, plan_digest=PLAN.digest, by=("alice",)),
        e.OutageNoted(action_id=FALLBACK.id, because="Kubernetes: the server does not accept connections"),
        e.ApprovalExpired(action_id=FALLBACK.id, plan_digest=PLAN.digest, by=("alice",)),
        e.OutageEnded(action_id=FALLBACK.id),
        e.PolicyNoted(permissions=Permissions.of(Policy())),
        e.PolicyChanged(
            permissions=Permissions.of(Policy(announce=False)),
            changes=(PermissionChange(name="announce", before="true", after="false", applied=True),),
        ),
        e.AnswerPlanted(flow_run_id="run-1", answers=2),
        e.LeadAssigned(lead="ana", by="bob", identity=Identity(name="bob")),
        e.CommsLeadAssigned(lead="cyd", by="ana"),
        e.SupportAssigned(lead="dee", by="ana"),
        e.IncidentAcknowledged(by="ana"),
        e.PublicIncidentSeen(
            channel="status-page", reference="inc-9", title="Down", link="https://status.example/inc-9"
        ),
        e.PublicTextRefused(
            channel="status-page", state="IDENTIFIED", because=("placeholder '[x]': Put in what is meant",)
        ),
        *PUBLIC_TEXTS,
        e.PublicUpdateSeen(
            channel="status-page", reference="upd-9", status="monitoring", text="PostHog rolls back"
        ),
        e.UpdateRequested(by="ana"),
        e.ClockReminded(clock=e.ClockName.RESPONSE, due_at=OPENED),
        e.ReminderSnoozed(clock=e.ClockName.RESPONSE, due_at=OPENED, until=OPENED, by="ana"),
        e.StateForced(state="MONITORING", by="ana", because="they rolled back"),
        e.NoteAdded(
            by="bob",
            text="their engineer called",
            identity=Identity(name="bob"),
            happened_at=OPENED - timedelta(minutes=3),
        ),
        e.IncidentClosed(outcome="recovered"),
    )
