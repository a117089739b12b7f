"""Which actions a verdict asks for: the runbook's "Immediate Actions by Error Type" as a table."""

from collections.abc import Callable, Iterator, Mapping

from runbook.actions.catalogue import PlannedAction
from runbook.actions.spec import ActionKind, ActionSpec
from runbook.actions.specs.delete_pod import DELETE_POD, POD_UID
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.hand_off import HAND_OFF
from runbook.actions.specs.inspect_infrastructure import INSPECT_INFRASTRUCTURE
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.actions.specs.roll_back import FROM_REVISION, ROLL_BACK
from runbook.actions.specs.scale import SCALE
from runbook.actions.specs.verify_credentials import VERIFY_CREDENTIALS
from runbook.checks.findings import Findings, Status
from runbook.checks.readings import CONFIGURATION, ProbeResult
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.workload import WORKLOAD, WorkloadFacts
from runbook.decision.error_types import is_forbidden, is_unauthenticated
from runbook.decision.verdict import ErrorType, Verdict
from runbook.kubernetes.held_rollout import CONTINUES, SOMEBODYS
from runbook.kubernetes.quantities import as_quantity, memory_bytes
from runbook.policy.policy import Policy

Step = tuple[ActionSpec, str, dict[str, str]]

UNKNOWN_TARGET = "the workload"
"""The target of changes where the workload could not be looked at; its preview then shows which one it is."""

HAND_OFFS = {
    "limit": (
        "Ask PostHog support for a higher rate limit (long-term remedy for 429). Ready to send: "
        "“Hello, our project gets 429 responses from your API since {since}. We queue our requests now. "
        "Please raise our rate limit, or tell us which one we hit and what would keep us under it.”"
    ),
    "dashboard": "Check in the PostHog dashboard whether the key was rotated, by whom and when.",
    "scope": (
        "Escalate to admin: the API key lacks a permission. Ready to send: “Please give the API key of our "
        "PostHog integration the scope that it lacks ({detail}). Without it our requests are refused (403); "
        "it can be changed in the PostHog dashboard under the project's settings, API keys.”"
    ),
    "config": "Check the integration's configuration: the runbook does not know this type of error.",
    "infrastructure": "Check the cluster: nothing was found that a restart or a rollback would fix.",
    "container": (
        "Look at {elsewhere}. The runbook changes only the integration's own containers, and restarting its "
        "pods does not cure this."
    ),
}
"""What only a person can do, by topic."""


def make_plan(
    verdict: Verdict, mix: dict[ErrorType, float], findings: Findings, policy: Policy
) -> tuple[PlannedAction, ...]:
    """The actions in the order of the runbook; for mixed errors the largest type first, each action once."""
    steps: dict[tuple[ActionSpec, str], Step] = {}
    for step in _steps(verdict, mix, findings, policy):
        steps.setdefault((step[0], step[2].get("topic", "")), step)
    target = findings[WORKLOAD.name].source if findings.status(WORKLOAD.name) != "unknown" else UNKNOWN_TARGET
    return tuple(
        PlannedAction(
            id=f"{number}-{spec.name.slug}",
            name=spec.name,
            target="a person" if spec.kind is ActionKind.HAND_OFF else target,
            because=because,
            parameters=parameters,
        )
        for number, (spec, because, parameters) in enumerate(steps.values(), start=1)
    )


def _steps(
    verdict: Verdict, mix: dict[ErrorType, float], findings: Findings, policy: Policy
) -> Iterator[Step]:
    match verdict:
        case Verdict.POSTHOG_OUTAGE:
            yield (
                ENABLE_FALLBACK,
                "PostHog lists an incident: wait until it is over, with the fallback on",
                {},
            )
        case Verdict.INTEGRATION_ISSUE:
            for kind in mix:
                yield from _for_error_type(kind, findings)
        case Verdict.INFRASTRUCTURE_ISSUE:
            yield from _for_infrastructure(findings, policy)
        case Verdict.RESOLVED_OR_INTERMITTENT | Verdict.UNKNOWN:
            return


def _for_error_type(kind: ErrorType, findings: Findings) -> Iterator[Step]:
    match kind:
        case ErrorType.AUTHENTICATION:
            yield from _for_authentication(findings)
        case ErrorType.RATE_LIMITED:
            yield ENABLE_REQUEST_QUEUE, "PostHog limits our request rate: queue requests", {}
            yield _hand_off("limit", findings)
        case ErrorType.POSTHOG_ERRORS:
            yield ENABLE_FALLBACK, "PostHog returns errors but lists no incident: degrade gracefully", {}
        case _:
            yield VERIFY_CREDENTIALS, "errors of an unknown type: check credentials first", {}
            yield _hand_off("config", findings)


def _for_authentication(findings: Findings) -> Iterator[Step]:
    """Replace a key that is rejected; restart pods that hold an older key; a missing scope needs an admin."""
    yield VERIFY_CREDENTIALS, "PostHog answers 401 or 403: check the key", {}
    tried = findings.facts(PROBE).key_source != CONFIGURATION  # another key says nothing of this one
    match findings.facts(PROBE).outcome if tried else None:
        case ProbeResult.SCOPE_MISSING:
            yield _hand_off("scope", findings)
        case ProbeResult.ACCEPTED if _mostly_forbidden(findings):
            yield _hand_off("scope", findings)
        case ProbeResult.ACCEPTED:
            because = "PostHog accepts the stored key, so the pods must be running with another one"
            yield RESTART_DEPLOYMENT, because, {}
            yield _hand_off("dashboard", findings)
        case ProbeResult.KEY_REJECTED:
            yield REPLACE_API_KEY, "PostHog rejects the stored key", {}
            yield _hand_off("dashboard", findings)
        case _:
            because = "PostHog answers 401 or 403, and the stored key could not be tested"
            yield REPLACE_API_KEY, because, {}
            yield _hand_off("dashboard", findings)


def _mostly_forbidden(findings: Findings) -> bool:
    """Whether 403 outweighs 401: PostHog knows the key, but it may not do what the integration asks."""
    for facts in (findings.facts(ERROR_RATE), findings.facts(LOGS)):
        counts = facts.errors_by_status or {}
        unknown_key, forbidden = _sum(counts, is_unauthenticated), _sum(counts, is_forbidden)
        if unknown_key or forbidden:
            return forbidden > unknown_key
    return False


def _sum(counts: Mapping[str, float], counted: Callable[[str], bool]) -> float:
    """Errors of the statuses that count, whatever form their label has."""
    return sum(value for status, value in counts.items() if counted(status))


def _for_infrastructure(findings: Findings, policy: Policy) -> Iterator[Step]:
    yield INSPECT_INFRASTRUCTURE, "our service is unhealthy while PostHog answers", {}
    seen = findings.facts(WORKLOAD)
    if seen.recent_rollout and seen.recent_rollout in seen.crashing_revisions:
        because = f"revision {seen.recent_rollout} was rolled out shortly before and its pods do not start"
        yield ROLL_BACK, because, {FROM_REVISION: seen.recent_rollout}
    elif seen.killed_for_memory:
        yield _for_memory(seen, policy)
    elif seen.rollout_waits_for:
        yield _for_held_rollout(seen.rollout_waits_for, seen)
    elif seen.desired == 0:
        because = "the workload is scaled to zero: if that was not intended, scale it up"
        yield SCALE, because, {"replicas": "1"}
        yield _hand_off("infrastructure", findings)
    elif stuck := seen.stuck_pod:
        uid = {POD_UID: seen.stuck_pod_uid} if seen.stuck_pod_uid else {}
        yield DELETE_POD, f"{stuck} is not ready, while the other pods are", {"pod": stuck, **uid}
    elif seen.elsewhere:
        yield _hand_off("container", findings)
    else:
        yield RESTART_DEPLOYMENT, "the service is unhealthy without a named cause", {}


def _for_held_rollout(pod: str, seen: WorkloadFacts) -> Step:
    """A fix was rolled out, and waits for a broken pod; or the same was, which is no better."""
    suspect = seen.recent_rollout
    if suspect and seen.waits_for_the_same:
        because = f"revision {suspect} was rolled out shortly before, with the image of {pod}, which fails"
        return ROLL_BACK, because, {FROM_REVISION: suspect}
    because = f"the newest rollout waits until {pod} is deleted, a pod of an older revision that is not ready"
    return DELETE_POD, because, {"pod": pod, CONTINUES: SOMEBODYS}


def _for_memory(seen: WorkloadFacts, policy: Policy) -> Step:
    """Twice the limit, as far as the ceiling goes; a restart only frees memory for a while."""
    present = seen.memory_limit
    if present and seen.killed_container:
        ceiling = memory_bytes(policy.memory_ceiling)
        wanted = min(2 * memory_bytes(present), ceiling)
        if wanted > memory_bytes(present):
            container = seen.killed_container
            because = f"pods were killed for memory: container {container} has a limit of {present}"
            parameters = {"memory": as_quantity(wanted), "container": container}
            return RAISE_MEMORY_LIMIT, because, parameters
    return RESTART_DEPLOYMENT, "pods were killed for memory: a restart frees it for a while", {}


def _hand_off(topic: str, findings: Findings) -> Step:
    probe = findings[PROBE.name]
    lacking = probe.summary if probe.status is Status.BAD else "it answers 403 to our requests"
    words = {
        "since": f"{probe.observed_at:%Y-%m-%d %H:%M} UTC",
        "detail": lacking,
        "elsewhere": "; ".join(findings.facts(WORKLOAD).elsewhere),
    }
    return HAND_OFF, HAND_OFFS[topic].format(**words), {"topic": topic}
