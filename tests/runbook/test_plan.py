"""The plan holds the runbook's immediate actions, in the runbook's order."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions import ActionName
from runbook.findings import Check, Finding, Findings
from runbook.plan import HAND_OFFS, make_plan
from runbook.readings import ProbeOutcome
from runbook.verdict import ErrorType, Verdict
from tests.runbook.findings_samples import (
    TARGET,
    error_rate,
    gone,
    logs,
    pod,
    probe,
    rollouts,
    triage,
    workload,
)

AUTH, LIMIT, POSTHOG = ErrorType.AUTHENTICATION, ErrorType.RATE_LIMITED, ErrorType.POSTHOG_ERRORS
REJECTED, SCOPE, ACCEPTED = ProbeOutcome.KEY_REJECTED, ProbeOutcome.SCOPE_MISSING, ProbeOutcome.ACCEPTED

OUTAGE, OURS, INSIDE = (
    Verdict.POSTHOG_OUTAGE,
    Verdict.INTEGRATION_ISSUE,
    Verdict.INFRASTRUCTURE_ISSUE,
)
VERIFY, REPLACE, RESTART = "verify_credentials", "replace_api_key", "restart_deployment"
QUEUE, FALLBACK, INSPECT = "enable_request_queue", "enable_fallback", "inspect_infrastructure"

YOUNG = rollouts(timedelta(days=9), timedelta(minutes=10))
CRASHING = pod(waiting="CrashLoopBackOff", ready=False)
KILLED = pod(last_termination="OOMKilled")


def steps(verdict: Verdict, mix: dict[ErrorType, float], findings: Findings) -> list[str]:
    """The plan as words: an action's name, or the topic of a hand-off."""
    return [action.parameters.get("topic", action.name) for action in make_plan(verdict, mix, findings)]


@pytest.mark.parametrize(
    ("verdict", "mix", "found", "plan"),
    [
        (OUTAGE, {POSTHOG: 1.0}, (), [FALLBACK]),
        (OUTAGE, {AUTH: 1.0}, (probe(REJECTED),), [FALLBACK]),
        (Verdict.RESOLVED_OR_INTERMITTENT, {}, (), []),
        (Verdict.UNKNOWN, {AUTH: 1.0}, (), []),
        # 401/403
        (OURS, {AUTH: 1.0}, (probe(REJECTED),), [VERIFY, REPLACE, "dashboard"]),
        (OURS, {AUTH: 1.0}, (probe(SCOPE),), [VERIFY, "scope"]),
        (OURS, {AUTH: 1.0}, (probe(ACCEPTED),), [VERIFY, RESTART, "dashboard"]),
        (OURS, {AUTH: 1.0}, (error_rate({"401": 4.0, "403": 1.0}),), [VERIFY, RESTART, "dashboard"]),
        (OURS, {AUTH: 1.0}, (error_rate({"401": 1.0, "403": 4.0}),), [VERIFY, "scope"]),
        (OURS, {AUTH: 1.0}, (error_rate(None), logs({"403": 9})), [VERIFY, "scope"]),
        (OURS, {AUTH: 1.0}, (probe(ProbeOutcome.UNREACHABLE),), [VERIFY, REPLACE, "dashboard"]),
        (OURS, {AUTH: 1.0}, (gone(Check.PROBE),), [VERIFY, REPLACE, "dashboard"]),
        # 429
        (OURS, {LIMIT: 1.0}, (), [QUEUE, "limit"]),
        # 500/503
        (OURS, {POSTHOG: 1.0}, (), [FALLBACK]),
        # none of the runbook's types
        (OURS, {ErrorType.UNKNOWN: 1.0}, (), [VERIFY, "config"]),
        # mixed: the largest type first, nothing twice
        (OURS, {LIMIT: 0.7, POSTHOG: 0.3}, (), [QUEUE, "limit", FALLBACK]),
        (OURS, {POSTHOG: 0.6, LIMIT: 0.4}, (), [FALLBACK, QUEUE, "limit"]),
        (
            OURS,
            {AUTH: 0.6, ErrorType.UNKNOWN: 0.4},
            (probe(REJECTED),),
            [VERIFY, REPLACE, "dashboard", "config"],
        ),
        # our infrastructure
        (INSIDE, {}, (), [INSPECT, RESTART]),
        (INSIDE, {}, (gone(Check.WORKLOAD),), [INSPECT, RESTART]),
        (INSIDE, {}, (workload(CRASHING, rollouts=YOUNG, ready=1),), [INSPECT, "roll_back"]),
        (INSIDE, {}, (workload(CRASHING, ready=1),), [INSPECT, RESTART]),  # crashes, but not since lately
        (INSIDE, {}, (workload(rollouts=YOUNG),), [INSPECT, RESTART]),  # young, but its pods start
        (INSIDE, {}, (workload(KILLED),), [INSPECT, RESTART]),
        (INSIDE, {}, (workload(KILLED, CRASHING, rollouts=YOUNG, ready=0),), [INSPECT, "roll_back"]),
        (INSIDE, {}, (workload(desired=0, ready=0),), [INSPECT, "infrastructure"]),
    ],
)
def test_plan_has_the_actions_of_the_runbook_in_its_order(
    verdict: Verdict, mix: dict[ErrorType, float], found: tuple[Finding, ...], plan: list[str]
) -> None:
    """Each verdict, error type and probe outcome has its own actions."""
    assert steps(verdict, mix, triage(*found)) == plan


def test_roll_back_says_from_which_revision() -> None:
    """The suspect is a parameter of the action and part of its reason."""
    found = triage(workload(CRASHING, rollouts=YOUNG, ready=1))
    action = make_plan(INSIDE, {}, found)[1]
    assert action.parameters == {"from_revision": "7"}
    assert action.because == "revision 7 was rolled out shortly before and its pods do not start"


@pytest.mark.parametrize(
    ("outcome", "because"),
    [
        (REJECTED, "PostHog rejects the stored key"),
        (ProbeOutcome.UNREACHABLE, "PostHog answers 401 or 403, and the stored key could not be tried"),
        (ProbeOutcome.RATE_LIMITED, "PostHog answers 401 or 403, and the stored key could not be tried"),
    ],
)
def test_replacing_the_key_claims_only_what_was_seen(outcome: ProbeOutcome, because: str) -> None:
    """That PostHog rejects the stored key is said only where the probe saw it."""
    plan = make_plan(OURS, {AUTH: 1.0}, triage(probe(outcome)))
    assert [action.because for action in plan if action.name is ActionName.REPLACE_API_KEY] == [because]


def test_hand_off_is_for_a_person_and_everything_else_for_the_workload() -> None:
    """A hand-off carries its text; the other actions name the object that they are about."""
    plan = make_plan(OURS, {AUTH: 1.0}, triage(probe(REJECTED)))
    assert [action.target for action in plan] == [TARGET, TARGET, "a person"]
    assert plan[-1].because == HAND_OFFS["dashboard"]


def test_plan_is_made_although_the_workload_is_unknown() -> None:
    """Without a look at the cluster the target is named in words."""
    plan = make_plan(OUTAGE, {POSTHOG: 1.0}, triage(gone(Check.WORKLOAD)))
    assert [action.target for action in plan] == ["the workload"]


MIXES = st.permutations([AUTH, LIMIT, POSTHOG, ErrorType.UNKNOWN]).flatmap(
    lambda kinds: st.integers(1, 4).map(lambda size: dict.fromkeys(kinds[:size], 1 / size))
)


@given(verdict=st.sampled_from(Verdict), mix=MIXES, outcome=st.sampled_from(ProbeOutcome))
def test_ids_are_unique_and_numbered_and_no_step_is_planned_twice(
    verdict: Verdict, mix: dict[ErrorType, float], outcome: ProbeOutcome
) -> None:
    """Ids tell the order and the action, and so do for any mix; each action and each topic comes once."""
    plan = make_plan(verdict, mix, triage(probe(outcome)))
    expected = [f"{number}-{action.name.replace('_', '-')}" for number, action in enumerate(plan, start=1)]
    assert [action.id for action in plan] == expected
    words = [(action.name, action.parameters.get("topic")) for action in plan]
    assert len(set(words)) == len(words)
