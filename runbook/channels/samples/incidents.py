"""Sample incidents: together they have everything that a message can be about."""

from datetime import UTC, datetime, timedelta

from runbook.actions.catalogue import ActionOutcome, ActionResult, ChangePlan, PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.hand_off import HAND_OFF
from runbook.alerts.alert import Alert
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.decision.verdict import Branch, Decision, ErrorType, Question, Reply, Verdict
from runbook.incidents import events as e
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome, State
from runbook.kubernetes.fields import EnvironmentVariable, Setting
from runbook.public.areas import ProductArea

BEGUN = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
"""When the sample incidents began."""

NOW = BEGUN + timedelta(minutes=20)
"""The time at which they are shown."""

_STEP = timedelta(seconds=40)
_TARGET = "deployment/posthog-integration"
_GATE = "1-enable-fallback"
_FALLBACK = PlannedAction(
    id=_GATE,
    name=ENABLE_FALLBACK.name,
    target=_TARGET,
    because="PostHog lists an incident: wait for it with the fallback on",
)
_HAND_OFF = PlannedAction(
    id="2-hand-off",
    name=HAND_OFF.name,
    target="a person",
    because="Write to PostHog support: events of project 4711 fail with HTTP 503 since 14:05 UTC.",
)
_PLAN = ChangePlan(
    action=_FALLBACK,
    diff='--- live\n+++ after\n+        - name: POSTHOG_FALLBACK\n+          value: "true"',
    setting=Setting(
        field=EnvironmentVariable(container="integration", variable="POSTHOG_FALLBACK"), value="true"
    ),
    affects=("3 pods restart one after the other",),
)
_ALERT = Alert(
    source="alertmanager",
    service="posthog-integration",
    name="PostHogServerErrors",
    summary="PostHog answers with HTTP 503",
    severity=Severity.P2,
    starts_at=BEGUN - timedelta(minutes=2),
)
_DECISION = Decision(
    verdict=Verdict.POSTHOG_OUTAGE,
    error_type=ErrorType.POSTHOG_ERRORS,
    mix={ErrorType.POSTHOG_ERRORS: 1.0},
    path=(
        Branch(
            question=Question.POSTHOG_RETURNING_ERRORS,
            reply=Reply.YES,
            because=("2.40 errors/s (38% of requests); 503: 2.40/s",),
        ),
        Branch(
            question=Question.STATUS_PAGE_INCIDENT,
            reply=Reply.YES,
            because=("the status page lists: Elevated errors in US Cloud",),
        ),
    ),
    severity=SeverityAssessment(severity=Severity.P2, because="38% of requests fail"),
    plan=(_FALLBACK, _HAND_OFF),
)


def sample_incidents() -> tuple[Incident, ...]:
    """One waits for an answer, one was decided again, and one is over with a switch left on."""
    announced = e.StatusAnnounced(
        channel="slack", state=State.INVESTIGATING, next_update_at=BEGUN + timedelta(minutes=30)
    )
    begun = (announced, e.LeadAssigned(lead="ana", by="ana"), e.DecisionMade(round=1, decision=_DECISION))
    previewed = e.ActionPreviewed(plan=_PLAN, since=BEGUN)
    asked = e.ApprovalRequested(
        gate=_GATE,
        action_id=_FALLBACK.id,
        plan_digest=_PLAN.digest,
        question=f"{ENABLE_FALLBACK.title} on {_TARGET}?",
        flow_run_id="00000000-0000-0000-0000-000000000000",
    )
    text = e.PublicTextProposed(
        channel="status-page",
        state=State.IDENTIFIED,
        message="identified",
        title="PostHog Integration Issue",
        body="Some users may experience missing analytics events.\nLast updated: 2026-03-02 14:07 UTC",
        worded_at=BEGUN,
        areas=(ProductArea.INGESTION,),
    )
    paged = e.IncidentEscalated(
        because=f"nobody has answered {_GATE} since 14:08: {ENABLE_FALLBACK.title} on {_TARGET}?",
        commands=(f"kubectl set env {_TARGET} POSTHOG_FALLBACK=true",),
        what=Escalation(kind=EscalationKind.UNANSWERED_GATE, subject=_GATE),
    )
    changed = e.ActionFinished(
        result=ActionResult(
            action=_FALLBACK,
            outcome=ActionOutcome.REJECTED,
            detail="the status page no longer lists an incident",
            outdated=True,
        )
    )
    done = e.ActionFinished(result=ActionResult(action=_FALLBACK, outcome=ActionOutcome.RECOVERED, detail=""))
    over = e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("all checks are well",))
    left_on = e.SwitchChecked(action_id=_FALLBACK.id, switch="POSTHOG_FALLBACK=true", on=True)
    return (
        _incident(*begun, text, previewed, asked),
        _incident(*begun, paged, changed),
        _incident(*begun, previewed, done, over, left_on),
    )


def _incident(*events: e.Event) -> Incident:
    journal = (e.IncidentOpened(alert=_ALERT, states_identities=True), *events)
    recorded = [e.Recorded(seq=n, at=BEGUN + n * _STEP, event=event) for n, event in enumerate(journal)]
    return Incident.from_events("inc-20260302-140500-0000", recorded)
