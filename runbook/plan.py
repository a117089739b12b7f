"""Which actions a verdict asks for: the runbook's "Immediate Actions by Error Type" as a table."""

from collections.abc import Iterator

from runbook.actions import ActionName, PlannedAction
from runbook.findings import Check, Findings
from runbook.readings import ProbeOutcome
from runbook.verdict import ErrorType, Verdict

Step = tuple[ActionName, str, dict[str, str]]

HAND_OFFS = {
    "limit": "Ask PostHog support for a higher rate limit (long-term remedy for 429).",
    "dashboard": "Check in the PostHog dashboard whether the key was rotated, by whom and when.",
    "scope": "Ask the PostHog project's admin to give the API key the missing scope.",
    "config": "Check the integration's configuration: the errors are of no type that the runbook knows.",
    "infrastructure": "Look at the cluster: nothing was found that a restart or a rollback would cure.",
}
"""What only a person can do, by topic."""


def make_plan(verdict: Verdict, mix: dict[ErrorType, float], findings: Findings) -> tuple[PlannedAction, ...]:
    """The actions in the order of the runbook; for mixed errors the largest type first, each action once."""
    steps: dict[tuple[ActionName, str], Step] = {}
    for step in _steps(verdict, mix, findings):
        steps.setdefault((step[0], step[2].get("topic", "")), step)
    target = (
        findings[Check.WORKLOAD].source if findings.status(Check.WORKLOAD) != "unknown" else "the workload"
    )
    return tuple(
        PlannedAction(
            id=f"{number}-{name.replace('_', '-')}",
            name=name,
            target="a person" if name is ActionName.HAND_OFF else target,
            because=because,
            parameters=parameters,
        )
        for number, (name, because, parameters) in enumerate(steps.values(), start=1)
    )


def _steps(verdict: Verdict, mix: dict[ErrorType, float], findings: Findings) -> Iterator[Step]:
    match verdict:
        case Verdict.POSTHOG_OUTAGE:
            yield (
                ActionName.ENABLE_FALLBACK,
                "PostHog lists an incident: wait for it with the fallback on",
                {},
            )
        case Verdict.INTEGRATION_ISSUE:
            for kind in mix:
                yield from _for_error_type(kind, findings)
        case Verdict.INFRASTRUCTURE_ISSUE:
            yield from _for_infrastructure(findings)
        case Verdict.RESOLVED_OR_INTERMITTENT | Verdict.UNKNOWN:
            return


def _for_error_type(kind: ErrorType, findings: Findings) -> Iterator[Step]:
    match kind:
        case ErrorType.AUTHENTICATION:
            yield from _for_authentication(findings)
        case ErrorType.RATE_LIMITED:
            yield ActionName.ENABLE_REQUEST_QUEUE, "PostHog limits our request rate: queue requests", {}
            yield _hand_off("limit")
        case ErrorType.POSTHOG_ERRORS:
            yield ActionName.ENABLE_FALLBACK, "PostHog fails without listing it: degrade gracefully", {}
        case _:
            yield ActionName.VERIFY_CREDENTIALS, "errors of an unknown type: check credentials first", {}
            yield _hand_off("config")


def _for_authentication(findings: Findings) -> Iterator[Step]:
    """Replace a key that is rejected; restart pods that hold an older key; a missing scope needs an admin."""
    yield ActionName.VERIFY_CREDENTIALS, "PostHog answers 401 or 403: check the key", {}
    match findings.fact(Check.PROBE, "outcome"):
        case ProbeOutcome.SCOPE_MISSING:
            yield _hand_off("scope")
        case ProbeOutcome.ACCEPTED if _mostly_forbidden(findings):
            yield _hand_off("scope")
        case ProbeOutcome.ACCEPTED:
            because = "PostHog accepts the stored key, so the pods must be running with another one"
            yield ActionName.RESTART_DEPLOYMENT, because, {}
            yield _hand_off("dashboard")
        case ProbeOutcome.KEY_REJECTED:
            yield ActionName.REPLACE_API_KEY, "PostHog rejects the stored key", {}
            yield _hand_off("dashboard")
        case _:
            because = "PostHog answers 401 or 403, and the stored key could not be tried"
            yield ActionName.REPLACE_API_KEY, because, {}
            yield _hand_off("dashboard")


def _mostly_forbidden(findings: Findings) -> bool:
    """Whether 403 outweighs 401: PostHog knows the key, but it may not do what the integration asks."""
    for check in (Check.ERROR_RATE, Check.LOGS):
        counts = findings.fact(check, "errors_by_status")
        if isinstance(counts, dict) and (counts.get("401") or counts.get("403")):
            return float(str(counts.get("403") or 0)) > float(str(counts.get("401") or 0))
    return False


def _for_infrastructure(findings: Findings) -> Iterator[Step]:
    yield ActionName.INSPECT_INFRASTRUCTURE, "our service is unhealthy while PostHog answers", {}
    suspect = findings.fact(Check.WORKLOAD, "recent_rollout")
    crashing = findings.fact(Check.WORKLOAD, "crashing_revisions")
    if suspect and isinstance(crashing, list) and suspect in crashing:
        because = f"revision {suspect} was rolled out shortly before and its pods do not start"
        yield ActionName.ROLL_BACK, because, {"from_revision": str(suspect)}
    elif findings.fact(Check.WORKLOAD, "killed_for_memory"):
        yield ActionName.RESTART_DEPLOYMENT, "pods were killed for memory: a restart frees it for a while", {}
    elif findings.fact(Check.WORKLOAD, "desired") == 0:
        yield _hand_off("infrastructure")
    else:
        yield ActionName.RESTART_DEPLOYMENT, "the service is unhealthy without a named cause", {}


def _hand_off(topic: str) -> Step:
    return ActionName.HAND_OFF, HAND_OFFS[topic], {"topic": topic}
