"""The judge of a drill compares how an incident ended with what its scenario expects."""

import pytest

from deployments.drill.run.judge import judge
from deployments.drill.run.scenario import Expect
from runbook.actions.catalogue import ActionOutcome, ActionResult
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.approvals.gates import Answer, Choice
from runbook.decision.severity import Severity
from runbook.decision.verdict import ErrorType, Verdict
from runbook.incidents import events as e
from runbook.incidents.state import IncidentOutcome
from runbook.kubernetes.ownership import Writing
from tests.deployments.journal_samples import EVENTS, FALLBACK, GATE, PLAN, incident

AS_EXPECTED = Expect(
    verdict=Verdict.POSTHOG_OUTAGE,
    error_type=ErrorType.POSTHOG_ERRORS,
    path=("posthog_returning_errors: yes", "status_page_incident: yes"),
    outcome=IncidentOutcome.RECOVERED,
    severity=Severity.P2,
    actions=((ENABLE_FALLBACK.name, ActionOutcome.RECOVERED),),
    clocks=((e.ClockName.RESPONSE, "missed"),),
)


def test_an_incident_that_ended_as_expected_has_no_differences() -> None:
    """Everything that is judged agrees: the drill has passed."""
    assert judge(incident(), AS_EXPECTED) == []


@pytest.mark.parametrize(
    ("change", "what", "expected", "actual"),
    [
        ({"verdict": "unknown"}, "verdict", "unknown", "posthog_outage"),
        ({"error_type": "authentication"}, "error type", "authentication", "posthog_errors"),
        (
            {"path": ("posthog_returning_errors: no",)},
            "path",
            "posthog_returning_errors: no",
            "posthog_returning_errors: yes\nstatus_page_incident: yes",
        ),
        ({"severity": "P1"}, "severity", "P1", "P2"),
        ({"outcome": "not_recovered"}, "outcome", "not_recovered", "recovered"),
        ({"actions": ()}, "actions", "nothing", "enable_fallback: recovered"),
        ({"clocks": ()}, "clocks", "nothing", "response missed"),
        (
            {"actions": (("enable_fallback", "not_recovered"),)},
            "actions",
            "enable_fallback: not_recovered",
            "enable_fallback: recovered",
        ),
    ],
)
def test_each_difference_is_told(change: dict[str, object], what: str, expected: str, actual: str) -> None:
    """One thing that differs is one row, with both sides."""
    [difference] = judge(incident(), AS_EXPECTED.model_copy(update=change))
    assert (difference.what, difference.expected, difference.actual) == (what, expected, actual)


def test_an_incident_that_stopped_early_differs_in_everything() -> None:
    """An incident without a decision is judged too, not a crash of the judge."""
    differences = judge(incident(EVENTS[:1]), AS_EXPECTED)
    assert [item.what for item in differences] == [
        "verdict",
        "error type",
        "path",
        "severity",
        "actions",
        "outcome",
        "clocks",
    ]
    assert {item.actual for item in differences} == {"nothing"}


def rejected(outcome: ActionOutcome) -> tuple[e.Event, ...]:
    """The sample's events, with the change rejected and its action ended in this way."""
    answer = Answer(choice=Choice.REJECT, approver="drill", reason="drill", channel="drill")
    instead: dict[type, e.Event] = {
        e.ApprovalAnswered: e.ApprovalAnswered(
            gate=GATE, action_id=FALLBACK.id, plan_digest=PLAN.digest, answer=answer
        ),
        e.ActionFinished: e.ActionFinished(
            result=ActionResult(action=FALLBACK, outcome=outcome, detail="", approved_by="drill")
        ),
        e.IncidentResolved: e.IncidentResolved(outcome="not_recovered", because=()),
    }
    return tuple(instead.get(type(event), event) for event in EVENTS)


def test_after_a_rejection_the_outcome_is_not_judged() -> None:
    """Who rejects the mitigation takes the incident off the scenario's way; the verdict still counts."""
    journal = incident(rejected(ActionOutcome.REJECTED))
    assert judge(journal, AS_EXPECTED) == []
    [difference] = judge(journal, AS_EXPECTED.model_copy(update={"verdict": "unknown"}))
    assert difference.what == "verdict"


def test_a_rejected_change_that_was_made_all_the_same_fails_the_drill() -> None:
    """A no means that nothing is changed."""
    [difference] = judge(incident(rejected(ActionOutcome.RECOVERED)), AS_EXPECTED)
    assert (difference.what, difference.expected, difference.actual) == (
        f"action {FALLBACK.id}",
        "rejected",
        "recovered",
    )


def test_a_scenario_can_expect_a_rejection_and_what_is_done_by_hand() -> None:
    """Then the outcome counts, and that the journal tells who has changed the workload."""
    expect = AS_EXPECTED.model_copy(
        update={
            "actions": ((ENABLE_FALLBACK.name, ActionOutcome.REJECTED),),
            "changed_by_hand": "kubectl",
            "outcome": "not_recovered",
        }
    )
    events = rejected(ActionOutcome.REJECTED)
    [difference] = judge(incident(events), expect)
    assert (difference.what, difference.expected, difference.actual) == (
        "changed by hand with",
        "kubectl",
        "nothing",
    )
    seen = e.ManualChangeSeen(target="default/deployment/x", writing=Writing(by="kubectl"))
    assert judge(incident((*events[:-1], seen, events[-1])), expect) == []
    [difference] = judge(incident((*events, seen)), expect.model_copy(update={"outcome": "recovered"}))
    assert difference.what == "outcome"
