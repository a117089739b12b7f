"""The plan holds the runbook's immediate actions, in the runbook's order."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT, memory_flaw
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.checks.findings import Finding, Findings
from runbook.checks.readings import CONFIGURATION, ContainerReading, ContainerRole, ProbeResult
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.workload import WORKLOAD
from runbook.decision.plan import HAND_OFFS, make_plan
from runbook.decision.verdict import ErrorType, Verdict
from runbook.kubernetes.quantities import memory_bytes
from runbook.policy.policy import Policy
from tests.runbook.findings_samples import (
    POLICY,
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
REJECTED, SCOPE, ACCEPTED = ProbeResult.KEY_REJECTED, ProbeResult.SCOPE_MISSING, ProbeResult.ACCEPTED

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
STUCK = pod("web-2", ready=False)
OLD_ONES = rollouts(timedelta(days=9), timedelta(days=8))
SAME_IMAGE = tuple(item.model_copy(update={"image": "app:2"}) for item in YOUNG)
OLD_FAILS = pod(waiting="CrashLoopBackOff", ready=False, revision="6")
HELD: dict[str, Any] = {"ready": 1, "waits_for": "web-1"}
IN_SIDECAR = pod(
    containers=(
        ContainerReading(name="app"),
        ContainerReading(name="istio-proxy", role=ContainerRole.INJECTED, waiting="CrashLoopBackOff"),
    )
)


def steps(verdict: Verdict, mix: dict[ErrorType, float], findings: Findings) -> list[str]:
    """The plan as words: an action's name, or the topic of a hand-off."""
    return [
        action.parameters.get("topic", action.name) for action in make_plan(verdict, mix, findings, POLICY)
    ]


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
        (OURS, {AUTH: 1.0}, (probe(ACCEPTED, CONFIGURATION),), [VERIFY, REPLACE, "dashboard"]),  # another key
        (OURS, {AUTH: 1.0}, (error_rate({"401": 4.0, "403": 1.0}),), [VERIFY, RESTART, "dashboard"]),
        (OURS, {AUTH: 1.0}, (error_rate({"401": 1.0, "403": 4.0}),), [VERIFY, "scope"]),
        (OURS, {AUTH: 1.0}, (error_rate(None), logs({"403": 9})), [VERIFY, "scope"]),
        (
            OURS,
            {AUTH: 1.0},
            (error_rate({"403 Forbidden": 4.0, "401 Unauthorized": 1.0}),),
            [VERIFY, "scope"],
        ),
        (OURS, {AUTH: 1.0}, (error_rate({"PERMISSION_DENIED": 4.0, "HTTP_401": 1.0}),), [VERIFY, "scope"]),
        (
            OURS,
            {AUTH: 1.0},
            (error_rate({"HTTP 401": 3.0, "unauthenticated": 2.0, "403": 4.0}),),
            [VERIFY, RESTART, "dashboard"],
        ),
        (OURS, {AUTH: 1.0}, (probe(ProbeResult.UNREACHABLE),), [VERIFY, REPLACE, "dashboard"]),
        (OURS, {AUTH: 1.0}, (gone(PROBE.name),), [VERIFY, REPLACE, "dashboard"]),
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
        (INSIDE, {}, (gone(WORKLOAD.name),), [INSPECT, RESTART]),
        (INSIDE, {}, (workload(CRASHING, rollouts=YOUNG, ready=1),), [INSPECT, "roll_back"]),
        (INSIDE, {}, (workload(CRASHING, ready=1),), [INSPECT, RESTART]),  # crashes, but not since lately
        (INSIDE, {}, (workload(rollouts=YOUNG),), [INSPECT, RESTART]),  # young, but its pods start
        (INSIDE, {}, (workload(KILLED),), [INSPECT, RESTART]),  # without a limit there is none to raise
        (INSIDE, {}, (workload(KILLED, memory_limit="256Mi"),), [INSPECT, "raise_memory_limit"]),
        (INSIDE, {}, (workload(KILLED, memory_limit="2Gi"),), [INSPECT, RESTART]),  # at the ceiling
        (INSIDE, {}, (workload(memory_limit="256Mi"),), [INSPECT, RESTART]),  # nothing was killed
        (INSIDE, {}, (workload(KILLED, CRASHING, rollouts=YOUNG, ready=0),), [INSPECT, "roll_back"]),
        (INSIDE, {}, (workload(desired=0, ready=0),), [INSPECT, "scale", "infrastructure"]),
        (INSIDE, {}, (workload(pod("web-1"), STUCK, ready=1),), [INSPECT, "delete_pod"]),
        # a StatefulSet's rollout that waits for a broken pod: a fix waits for its end, the same is no fix
        (INSIDE, {}, (workload(OLD_FAILS, rollouts=YOUNG, **HELD),), [INSPECT, "delete_pod"]),
        (INSIDE, {}, (workload(OLD_FAILS, rollouts=SAME_IMAGE, **HELD),), [INSPECT, "roll_back"]),
        (INSIDE, {}, (workload(OLD_FAILS, rollouts=OLD_ONES, **HELD),), [INSPECT, "delete_pod"]),
        (INSIDE, {}, (workload(IN_SIDECAR),), [INSPECT, "container"]),  # a restart would not cure it
        (INSIDE, {}, (workload(IN_SIDECAR, CRASHING),), [INSPECT, RESTART]),
        (INSIDE, {}, (workload(STUCK, pod("web-3", ready=False), ready=0),), [INSPECT, RESTART]),
        (
            INSIDE,
            {},
            (workload(KILLED, STUCK, ready=1, memory_limit="1Gi"),),
            [INSPECT, "raise_memory_limit"],
        ),
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
    action = make_plan(INSIDE, {}, found, POLICY)[1]
    assert action.parameters == {"from_revision": "7"}
    assert action.because == "revision 7 was rolled out shortly before and its pods do not start"


@pytest.mark.parametrize(
    ("limit", "ceiling", "wanted"),
    [
        ("256Mi", "2Gi", "512Mi"),
        ("512Mi", "2Gi", "1Gi"),  # written as the cluster will give it back
        ("1Gi", "2Gi", "2Gi"),
        ("1.5Gi", "2Gi", "2Gi"),  # as far as the ceiling goes
        ("1900Mi", "2G", "2G"),
        ("100M", "2Gi", "200M"),
        ("128974848", "2Gi", "246Mi"),
        ("400Ki", "2Gi", "800Ki"),
        ("2Gi", "2Gi", None),
        ("3Gi", "2Gi", None),  # raised by hand, past the ceiling
        ("2147483648", "2Gi", None),
        ("", "2Gi", None),
        (None, "2Gi", None),
    ],
)
def test_memory_limit_is_doubled_up_to_the_ceiling(
    limit: str | None, ceiling: str, wanted: str | None
) -> None:
    """Where the limit cannot be raised, a restart frees the memory for a while, and says so."""
    found = triage(workload(KILLED, memory_limit=limit))
    action = make_plan(INSIDE, {}, found, Policy(memory_ceiling=ceiling))[1]
    if wanted is None:
        assert (action.name, action.parameters) == (RESTART_DEPLOYMENT.name, {})
        assert action.because == "pods were killed for memory: a restart frees it for a while"
    else:
        assert (action.name, action.parameters) == (
            RAISE_MEMORY_LIMIT.name,
            {"memory": wanted, "container": "app"},
        )
        assert action.because == f"pods were killed for memory: container app has a limit of {limit}"


@given(limit=st.integers(1, 2**33), ceiling=st.integers(1, 2**33))
def test_planned_memory_limit_is_one_that_can_be_set(limit: int, ceiling: int) -> None:
    """More than the present limit, at most twice as much, and never above the ceiling."""
    policy = Policy(memory_ceiling=str(ceiling))
    action = make_plan(INSIDE, {}, triage(workload(KILLED, memory_limit=str(limit))), policy)[1]
    assert (action.name == RAISE_MEMORY_LIMIT.name) is (limit < ceiling)
    if limit < ceiling:
        wanted = action.parameters["memory"]
        assert limit < memory_bytes(wanted) <= min(2 * limit, ceiling)
        assert memory_flaw(wanted, policy) is None


def test_workload_at_zero_is_brought_back_by_one_pod_and_a_person_looks() -> None:
    """Somebody may have meant it: one pod, and the question for a person."""
    plan = make_plan(INSIDE, {}, triage(workload(desired=0, ready=0)), POLICY)
    assert plan[1].parameters == {"replicas": "1"}
    assert plan[1].because == "the workload is scaled to zero: if that was not intended, scale it up"
    assert plan[2].because == HAND_OFFS["infrastructure"]


def test_stuck_pod_is_deleted_by_its_name() -> None:
    """The one pod that triage saw, and no other."""
    found = triage(workload(pod("web-1"), STUCK, ready=1))
    action = make_plan(INSIDE, {}, found, POLICY)[1]
    assert action.parameters == {"pod": "web-2"}
    assert action.because == "web-2 is not ready, while the other pods are"


def test_stuck_pod_is_told_from_a_later_one_of_its_name() -> None:
    """By its uid, since a StatefulSet gives the name again."""
    found = triage(workload(pod("web-1"), pod("web-2", ready=False, uid="a-b"), ready=1))
    assert make_plan(INSIDE, {}, found, POLICY)[1].parameters == {"pod": "web-2", "uid": "a-b"}


@pytest.mark.parametrize(
    ("mix", "found", "parts"),
    [
        ({LIMIT: 1.0}, (), ("Please raise our rate limit", "since 2026-11-22 15:00 UTC.")),
        ({AUTH: 1.0}, (probe(SCOPE),), ("the scope that it lacks (scope missing (HTTP 403))",)),
        (
            {AUTH: 1.0},
            (error_rate({"401": 1.0, "403": 4.0}),),
            ("the scope that it lacks (it answers 403 to our requests)",),
        ),
    ],
)
def test_hand_off_is_ready_to_be_sent(
    mix: dict[ErrorType, float], found: tuple[Finding, ...], parts: tuple[str, ...]
) -> None:
    """The text for PostHog or an admin has the facts in it, and nothing is left to fill in."""
    text = make_plan(OURS, mix, triage(*found), POLICY)[-1].because
    assert "Ready to send: “" in text
    assert text.endswith("”")
    for part in parts:
        assert part in text
    assert not set("{}") & set(text)


@pytest.mark.parametrize(
    ("outcome", "because"),
    [
        (REJECTED, "PostHog rejects the stored key"),
        (ProbeResult.UNREACHABLE, "PostHog answers 401 or 403, and the stored key could not be tested"),
        (ProbeResult.RATE_LIMITED, "PostHog answers 401 or 403, and the stored key could not be tested"),
    ],
)
def test_replacing_the_key_claims_only_what_was_seen(outcome: ProbeResult, because: str) -> None:
    """That PostHog rejects the stored key is said only where the probe saw it."""
    plan = make_plan(OURS, {AUTH: 1.0}, triage(probe(outcome)), POLICY)
    assert [action.because for action in plan if action.name == REPLACE_API_KEY.name] == [because]


def test_hand_off_is_for_a_person_and_everything_else_for_the_workload() -> None:
    """A hand-off carries its text; the other actions name the object that they are about."""
    plan = make_plan(OURS, {AUTH: 1.0}, triage(probe(REJECTED)), POLICY)
    assert [action.target for action in plan] == [TARGET, TARGET, "a person"]
    assert plan[-1].because == HAND_OFFS["dashboard"]


def test_plan_is_made_although_the_workload_is_unknown() -> None:
    """Without a look at the cluster the target is named in words."""
    plan = make_plan(OUTAGE, {POSTHOG: 1.0}, triage(gone(WORKLOAD.name)), POLICY)
    assert [action.target for action in plan] == ["the workload"]


MIXES = st.permutations([AUTH, LIMIT, POSTHOG, ErrorType.UNKNOWN]).flatmap(
    lambda kinds: st.integers(1, 4).map(lambda size: dict.fromkeys(kinds[:size], 1 / size))
)


@given(verdict=st.sampled_from(Verdict), mix=MIXES, outcome=st.sampled_from(ProbeResult))
def test_ids_are_unique_and_numbered_and_no_step_is_planned_twice(
    verdict: Verdict, mix: dict[ErrorType, float], outcome: ProbeResult
) -> None:
    """Ids tell the order and the action, and so do for any mix; each action and each topic comes once."""
    plan = make_plan(verdict, mix, triage(probe(outcome)), POLICY)
    expected = [f"{number}-{action.name.replace('_', '-')}" for number, action in enumerate(plan, start=1)]
    assert [action.id for action in plan] == expected
    words = [(action.name, action.parameters.get("topic")) for action in plan]
    assert len(set(words)) == len(words)
