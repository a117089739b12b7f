"""Quick Triage: all checks at once, each with its deadline, its retries and its fallback.

A check never fails the triage: what cannot be known becomes an unknown finding with the reason.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

import stamina

from blocks.ahead import Ahead
from blocks.environment import Environment
from blocks.logs import own_lines
from blocks.transport.errors import OutsideError, Unavailable
from runbook.checks.catalogue import CHECKS
from runbook.checks.findings import Finding, Findings
from runbook.checks.spec import CheckName
from runbook.incidents.events import TriageCompleted, TriageStarted
from tasks.checks.making import MakeOnce, checks_made
from tasks.incident import OpenIncident, now

log = own_lines(logging.getLogger("runbook.triage"))

MakeCheck = Callable[[Environment, CheckName], Awaitable[Finding]]


EARLY: Ahead[Finding] = Ahead()
"""Checks that have begun while the run was being started, each by its environment's name and its own."""


async def make_check(environment: Environment, check: CheckName) -> Finding:
    """Make one check; one that has begun early is not made twice."""
    early = await EARLY.take((environment.name, check))
    return early or await within_deadline(environment, check, checks_made(environment)[check])


def begin_checks(environment: Environment) -> None:
    """Begin all checks, for a triage that comes within seconds: they only read, so no run has to be there.

    Those of the cluster, whose logs and probe take longest, are on their way first.
    """
    for check in reversed(checks_of(environment)):
        making = within_deadline(environment, check, checks_made(environment)[check])
        _ = EARLY.begin((environment.name, check), making)


async def triage_incident(
    incident: OpenIncident, *, round: int = 1, make: MakeCheck = make_check
) -> Findings:
    """Make all checks and journal what they found; a triage that is in the journal is not made again.

    `make` makes one check.
    """
    for event in (await incident.read()).events(TriageCompleted):
        if event.round == round:
            return event.findings
    checks = checks_of(incident.environment)
    await incident.record_once(TriageStarted(round=round, checks=checks))
    findings = await make_checks(incident.environment, checks, make=make)
    recorded = await incident.record_once(TriageCompleted(round=round, findings=findings))
    return recorded.event.findings if isinstance(recorded.event, TriageCompleted) else findings


def checks_of(environment: Environment) -> tuple[CheckName, ...]:
    """The checks that can be made in this environment, in the order of Quick Triage."""
    made = checks_made(environment)
    return tuple(check for check in CHECKS if check in made)


async def make_checks(
    environment: Environment, checks: Sequence[CheckName], *, make: MakeCheck = make_check
) -> Findings:
    """Make some checks at once; `make` makes each, such as `tasks.checks.shown.make_check`, a task."""
    return Findings(items=tuple(await asyncio.gather(*(make(environment, check) for check in checks))))


async def within_deadline(environment: Environment, check: CheckName, make_once: MakeOnce) -> Finding:
    """One check: retried while it may heal, until its deadline; then it is unknown, with the last reason."""
    deadline = environment.runbook_policy.policy.check_deadline_seconds
    started, reasons = time.monotonic(), [f"no answer from {CHECKS[check].asked}"]
    try:
        async with asyncio.timeout(deadline):
            async for attempt in stamina.retry_context(on=Unavailable, attempts=3, timeout=deadline):
                with attempt:
                    finding = await _noting_the_reason(make_once(environment), reasons)
                    return finding.model_copy(update={"seconds": _since(started)})
    except OutsideError as error:
        reasons.append(str(error))
    except TimeoutError:
        reasons.append(f"not known within {deadline:g} s: {reasons[-1]}")
    except Exception as error:  # a defect in one check must not lose the answers of the others
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
