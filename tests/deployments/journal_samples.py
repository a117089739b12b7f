"""A made-up journal that holds every type of event once, for tests of what is shown to people."""

from datetime import UTC, datetime, timedelta

from runbook.actions.catalogue import ActionOutcome, ActionResult, ChangePlan, PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.alerts.alert import Alert, AlertStatus
from runbook.approvals.gates import Answer, Choice
from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.verdict import Branch, Counterfactual, Decision, ErrorType, Question, Reply, Verdict
from runbook.incidents import events as e
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.incident import Incident
from runbook.kubernetes.ownership import Writing
from runbook.kubernetes.reversals import Reversal
from runbook.policy.permissions import PermissionChange, Permissions
from runbook.policy.policy import Policy
from tests.runbook.findings_samples import EVERYWHERE
from tests.runbook.public_texts import LIFE as PUBLIC_TEXTS

OPENED_AT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
INCIDENT = "inc-20261122-160000-ab12"
GATE = "1-enable-fallback-1"

ALERT = Alert(
    source="alertmanager",
    service="posthog-integration",
    name="PostHogServerErrors",
    summary="PostHog answers our requests with 5xx",
    severity=Severity.P1,
)

FALLBACK = PlannedAction(
    id="1-enable-fallback",
    name=ENABLE_FALLBACK.name,
    target="deployment/posthog-integration",
    because="PostHog has an outage",
    parameters={"variable": "POSTHOG_FALLBACK", "value": "true"},
)

DIFF = """\
--- deployment/posthog-integration (now)
+++ deployment/posthog-integration (after)
@@ -20,4 +20,6 @@
         env:
         - name: POSTHOG_HOST
           value: https://us.i.posthog.com
+        - name: POSTHOG_FALLBACK
+          value: "true"
-        - name: OLD
"""

PLAN = ChangePlan(
    action=FALLBACK, diff=DIFF, affects=("2 pods restart one after the other",), resource_versions={"d": "17"}
)

FINDINGS = Findings(
    items=(
        Finding(
            check=STATUS_PAGE.name,
            status=Status.BAD,
            summary="US Cloud: elevated error rates (major_outage, investigating)",
            observed_at=OPENED_AT,
            seconds=0.12,
        ),
        Finding(
            check=HEALTH.name, status=Status.OK, summary="says healthy", observed_at=OPENED_AT, seconds=0.05
        ),
        Finding(
            check=ERROR_RATE.name,
            status=Status.BAD,
            summary="19.20 errors/s (97% of requests); 503: 19.20/s",
            observed_at=OPENED_AT,
            seconds=0.31,
        ),
        Finding.unknown(LOGS.name, "no answer within 10 s", observed_at=OPENED_AT, seconds=10.0),
    )
)

DECISION = Decision(
    verdict=Verdict.POSTHOG_OUTAGE,
    error_type=ErrorType.POSTHOG_ERRORS,
    mix={ErrorType.POSTHOG_ERRORS: 0.9, ErrorType.RATE_LIMITED: 0.1},
    path=(
        Branch(
            question=Question.POSTHOG_RETURNING_ERRORS,
            reply=Reply.YES,
            because=("error rate: 19.20 errors/s (97% of requests)",),
        ),
        Branch(
            question=Question.STATUS_PAGE_INCIDENT,
            reply=Reply.YES,
            because=("status page: US Cloud: elevated error rates (major_outage, investigating)",),
        ),
    ),
    severity=SeverityAssessment(
        severity=Severity.P1, because="complete outage: 97% of requests to PostHog fail"
    ),
    plan=(FALLBACK,),
    would_flip=(
        Counterfactual(change="if the status page check reported ok", verdict=Verdict.INTEGRATION_ISSUE),
    ),
)

EFFECT = Effect(
    id="inc/1-enable-fallback/apply",
    kind="kubernetes",
    target="deployment/posthog-integration",
    summary="set POSTHOG_FALLBACK=true on deployment/posthog-integration",
    authority=Authority.approval(GATE, "ana"),
)

EVENTS: tuple[e.Event, ...] = (
    e.IncidentOpened(alert=ALERT),
    e.AlertJoined(alert=ALERT.model_copy(update={"name": "PostHogErrorsHigh"})),
    e.RunStarted(
        flow_run_id="7d4e7d4e-0000-4000-8000-000000000000", url="http://127.0.0.1:4200/runs/flow-run/7d4e"
    ),
    e.TriageStarted(round=1, checks=EVERYWHERE),
    e.TriageCompleted(round=1, findings=FINDINGS),
    e.DecisionMade(round=1, decision=DECISION),
    e.SeverityOverridden(
        assessment=SeverityAssessment(severity=Severity.P2, because="night time traffic", by="ana")
    ),
    e.StatusAnnounced(
        channel="slack",
        state="IDENTIFIED",
        next_update_at=OPENED_AT + timedelta(minutes=15),
        reference="C1/17",
    ),
    e.ActionPreviewed(plan=PLAN, since=OPENED_AT),
    e.ApprovalRequested(
        gate=GATE,
        action_id=FALLBACK.id,
        plan_digest=PLAN.digest,
        question="## Enable the fallback (graceful degradation)?\n\nBecause PostHog has an outage.",
        flow_run_id="7d4e",
    ),
    e.ApprovalRefused(
        gate="0-earlier", action_id=FALLBACK.id, because="the approver is empty: say who decides"
    ),
    e.ApprovalReminded(gate=GATE, escalated=True),
    e.PlanDrifted(
        action_id=FALLBACK.id,
        old_digest="0" * 64,
        new_digest=PLAN.digest,
        because=("-        image: web:1", "+        image: web:2"),
        voided=("bob",),
    ),
    e.ApprovalAnswered(
        gate=GATE,
        action_id=FALLBACK.id,
        plan_digest=PLAN.digest,
        answer=Answer(choice=Choice.APPROVE, approver="ana", reason="go", channel="cli"),
    ),
    e.EffectIntended(effect=EFFECT),
    e.EffectSettled(effect=EFFECT.model_copy(update={"outcome": EffectOutcome.APPLIED})),
    e.ActionFinished(
        result=ActionResult(
            action=FALLBACK,
            outcome=ActionOutcome.RECOVERED,
            detail="no errors for 10 s",
            approved_by="ana",
        )
    ),
    e.WatchStarted(waiting_for=("PostHog to resolve its incident", "errors under 0.1/s for 5 min")),
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
    e.IncidentEscalated(because="no answer for 15 minutes"),
    e.RecoveryChecked(recovered=True, because=("0.00 errors/s",)),
    e.LeadAssigned(lead="ana", by="bob"),
    e.CommsLeadAssigned(lead="cyd", by="ana"),
    e.SupportAssigned(lead="dee", by="ana"),
    e.IncidentAcknowledged(by="ana"),
    e.UpdateRequested(by="ana"),
    e.ClockReminded(clock=e.ClockName.RESPONSE, due_at=OPENED_AT, missed=True),
    e.ReminderSnoozed(clock=e.ClockName.RESPONSE, due_at=OPENED_AT, until=OPENED_AT, by="ana"),
    e.NoteAdded(by="ana", text="called PostHog support"),
    e.StateForced(state="MONITORING", by="ana", because="they rolled back"),
    e.IncidentResolved(outcome="recovered", because=("no errors for 5 min",)),
    e.EvidenceCollected(
        collection="at-resolution",
        folder=f"evidence/{INCIDENT}/at-resolution",
        manifest_sha256="0" * 64,
        files={"logs.txt": "1" * 64, "metrics.json": "2" * 64},
        missing={"status-page.json": "connection refused"},
    ),
    e.FileNotWritten(
        what="paper runbook", path="evidence/paper-runbook.md", because="No space left on device"
    ),
    e.PostmortemDrafted(path=f"evidence/{INCIDENT}/postmortem.md", sha256="3" * 64),
    e.ArtifactPublished(key="triage-ab12", kind="table"),
    e.SwitchChecked(action_id=FALLBACK.id, switch="POSTHOG_FALLBACK=true", on=True),
    e.ChangeReverted(
        action_id=FALLBACK.id,
        reversal=Reversal(
            writing=Writing(by="Flux (kustomize-controller)", at=OPENED_AT),
            detail="env POSTHOG_FALLBACK of app is false again, and was true",
            put_back=True,
        ),
    ),
    e.IncidentClosed(outcome="recovered"),
    e.AlertStormNoted(alerts=32),
    e.FlappingNoted(alert="PostHogErrorsHigh", episodes=6),
    e.MaintenanceNoted(source="status-page", title="EU upgrade", until=None, paging_suppressed=False),
    e.AlertLeft(alert=ALERT.model_copy(update={"status": AlertStatus.RESOLVED})),
    e.AlertsResolved(alerts=2),
    e.PolicyNoted(permissions=Permissions.of(Policy())),
    e.PolicyChanged(
        permissions=Permissions.of(Policy(changes_per_hour=1)),
        changes=(PermissionChange(name="changes_per_hour", before="12", after="1", applied=True),),
    ),
    e.AnswerPlanted(flow_run_id="run-1", answers=1),
    e.ApprovalWithdrawn(gate=GATE, action_id=FALLBACK.id, because="no alert fires any more"),
    e.RunContinued(flow_run_id="7d4e", because="its run failed or crashed"),
    e.ResponseResumed(by="jun", done="rolled back by hand"),
    e.ApprovalLapsed(action_id=FALLBACK.id, plan_digest=PLAN.digest, by=("ana",)),
    e.OutageNoted(action_id=FALLBACK.id, because="Kubernetes: the server does not accept connections"),
    e.ApprovalExpired(action_id=FALLBACK.id, plan_digest=PLAN.digest, by=("ana",)),
    e.OutageEnded(action_id=FALLBACK.id),
)


def journal(events: tuple[e.Event, ...] = EVENTS, *, step_seconds: float = 1.7) -> tuple[e.Recorded, ...]:
    """The events as a journal, one every `step_seconds`."""
    return tuple(
        e.Recorded(seq=number, at=OPENED_AT + timedelta(seconds=(number - 1) * step_seconds), event=event)
        for number, event in enumerate(events, start=1)
    )


def incident(events: tuple[e.Event, ...] = EVENTS) -> Incident:
    """The incident that the events make."""
    return Incident.from_events(INCIDENT, journal(events))
