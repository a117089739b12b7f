"""Quick Triage: all checks at once, each with its deadline, its retries and its fallback.

A check never fails the triage: what cannot be known becomes an unknown finding with the reason.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

import stamina

from blocks.environment import Environment
from blocks.logs import own_lines
from blocks.transport.errors import OutsideError, Unavailable
from runbook.checks.findings import Check, Finding, Findings
from runbook.checks.log_lines import summarise
from runbook.checks.readings import CONFIGURATION
from runbook.checks.triage import judge_error_rate, judge_health, judge_logs, judge_probe, judge_status_page
from runbook.checks.workload import judge_workload
from runbook.incidents.events import TriageCompleted, TriageStarted
from tasks.incident import OpenIncident, now

log = own_lines(logging.getLogger("runbook.triage"))

LOGS_SHARE = 0.8
"""Of a check's deadline for the reading of all logs: what was read by then counts, and the rest is named."""

Look = Callable[[Environment], Awaitable[Finding]]
MakeCheck = Callable[[Environment, Check], Awaitable[Finding]]


async def make_check(environment: Environment, check: Check) -> Finding:
    """Make one check."""
    return await within_deadline(environment, check, LOOKS[check])


async def triage_incident(
    incident: OpenIncident, *, round: int = 1, make: MakeCheck = make_check
) -> Findings:
    """Make all checks and journal what they found; a triage that is in the journal is not made again.

    `make` makes one check.
    """
    for event in (await incident.read()).events(TriageCompleted):
        if event.round == round:
            return event.findings
    checks = tuple(Check)
    await incident.record_once(TriageStarted(round=round, checks=checks))
    findings = await look(incident.environment, checks, make=make)
    recorded = await incident.record_once(TriageCompleted(round=round, findings=findings))
    return recorded.event.findings if isinstance(recorded.event, TriageCompleted) else findings


async def look(
    environment: Environment, checks: Sequence[Check], *, make: MakeCheck = make_check
) -> Findings:
    """Make some checks at once; `make` makes each, such as `tasks.checks.shown.make_check`, a task."""
    return Findings(items=tuple(await asyncio.gather(*(make(environment, check) for check in checks))))


async def within_deadline(environment: Environment, check: Check, look_once: Look) -> Finding:
    """One check: retried while it may heal, until its deadline; then it is unknown, with the last reason."""
    deadline = environment.runbook_policy.policy.check_deadline_seconds
    started, reasons = time.monotonic(), [f"no answer from {ASKED[check]}"]
    try:
        async with asyncio.timeout(deadline):
            async for attempt in stamina.retry_context(on=Unavailable, attempts=3, timeout=deadline):
                with attempt:
                    finding = await _noting_the_reason(look_once(environment), reasons)
                    return finding.model_copy(update={"seconds": _since(started)})
    except OutsideError as error:
        reasons.append(str(error))
    except TimeoutError:
        reasons.append(f"not known within {deadline:g} s: {reasons[-1]}")
    except Exception as error:  # a fault of ours in one check must not cost the others their answers
        log.exception("check %s failed", check)
        reasons.append(f"the check itself failed ({type(error).__name__}); its log says more")
    return Finding.unknown(check, reasons[-1], observed_at=now(), seconds=_since(started))


async def _noting_the_reason(finding: Awaitable[Finding], reasons: list[str]) -> Finding:
    """Keep why an attempt failed, for when the deadline cuts off the next one."""
    try:
        return await finding
    except OutsideError as error:
        reasons.append(str(error))
        raise


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


async def look_at_status_page(environment: Environment) -> Finding:
    """PostHog's status page, directly or by one of its other routes (the runbook's "use mobile or VPN")."""
    reading = await environment.status_page.read_any()
    return judge_status_page(reading, regions=tuple(environment.status_page.regions), now=now())


async def look_at_health(environment: Environment) -> Finding:
    """The integration's health endpoint: the runbook's `jq '.services.posthog'`."""
    reading = await environment.integration.read_health()
    return judge_health(reading, policy=environment.runbook_policy.policy, now=now())


async def look_at_error_rate(environment: Environment) -> Finding:
    """The error rate by HTTP status, from Prometheus or its backup."""
    reading = await environment.prometheus.read_error_rate()
    return judge_error_rate(reading, policy=environment.runbook_policy.policy, now=now())


async def look_at_logs(environment: Environment) -> Finding:
    """Recent error lines of all pods, all lines of the window."""
    policy = environment.runbook_policy.policy
    logs = await environment.cluster.read_logs(
        policy.log_window_seconds, within_seconds=LOGS_SHARE * policy.check_deadline_seconds
    )
    # in a thread: ten thousand lines take a second, in which the other checks go on
    reading = await asyncio.to_thread(summarise, logs, window_seconds=policy.log_window_seconds)
    return judge_logs(reading, policy=policy, now=now())


async def look_by_probe(environment: Environment) -> Finding:
    """One authenticated request to PostHog with the key that the integration uses, where it can be read."""
    source = f"Secret {environment.cluster.secret_name}"
    half = environment.runbook_policy.policy.check_deadline_seconds / 2  # leaves time for the other key
    try:
        async with asyncio.timeout(half if environment.posthog.api_key else None):
            key = await environment.cluster.read_api_key()
    except (OutsideError, TimeoutError):
        if environment.posthog.api_key is None:
            raise  # without a key nothing can be asked, which says nothing about PostHog
        key, source = environment.posthog.api_key, CONFIGURATION
    return judge_probe(await environment.posthog.probe(key, source), now=now())


async def look_at_workload(environment: Environment) -> Finding:
    """Pods, restarts, memory kills and rollouts of the integration's Deployment."""
    reading = await environment.cluster.read_workload()
    return judge_workload(reading, policy=environment.runbook_policy.policy, now=now())


ASKED = {
    Check.STATUS_PAGE: "PostHog's status page",
    Check.HEALTH: "the integration",
    Check.ERROR_RATE: "Prometheus",
    Check.LOGS: "Kubernetes",
    Check.PROBE: "Kubernetes, for the key, or PostHog",
    Check.WORKLOAD: "Kubernetes",
}
"""Who is to blame where a deadline passes without a word."""

LOOKS: dict[Check, Look] = {
    Check.STATUS_PAGE: look_at_status_page,
    Check.HEALTH: look_at_health,
    Check.ERROR_RATE: look_at_error_rate,
    Check.LOGS: look_at_logs,
    Check.PROBE: look_by_probe,
    Check.WORKLOAD: look_at_workload,
}
