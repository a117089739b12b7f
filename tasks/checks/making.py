"""How each check is made once: which blocks read what it judges."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from blocks.checks.reader import Reader
from blocks.environment import Environment
from blocks.transport.errors import OutsideError
from runbook.checks.findings import Finding
from runbook.checks.log_lines import summarise
from runbook.checks.readings import (
    CONFIGURATION,
    ErrorRateReading,
    HealthReading,
    LogReading,
    ProbeReading,
    StatusPageReading,
    WorkloadReading,
)
from runbook.checks.spec import CheckName, CheckSpec
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.checks.specs.workload import WORKLOAD
from tasks.incident import now

LOGS_SHARE = 0.8
"""Of a check's deadline for the reading of all logs: what was read by then counts, and the rest is named."""

MakeOnce = Callable[[Environment], Awaitable[Finding]]
R = TypeVar("R")


async def read_status_page(environment: Environment) -> StatusPageReading:
    """PostHog's status page, directly or by one of its other routes (the runbook's "use mobile or VPN")."""
    page = environment.status_page
    return (await page.read_any()).model_copy(update={"our_regions": tuple(page.regions)})


async def read_health(environment: Environment) -> HealthReading:
    """The integration's health endpoint: the runbook's `jq '.services.posthog'`."""
    return await environment.integration.read_health()


async def read_error_rate(environment: Environment) -> ErrorRateReading:
    """The error rate by HTTP status, from Prometheus or its backup."""
    return await environment.prometheus.read_error_rate()


async def read_logs(environment: Environment) -> LogReading:
    """Recent error lines of all pods, all lines of the window."""
    policy = environment.runbook_policy.policy
    logs = await environment.cluster.logs.read(
        policy.log_window_seconds, within_seconds=LOGS_SHARE * policy.check_deadline_seconds
    )
    # in a thread: ten thousand lines take a second, in which the other checks go on
    return await asyncio.to_thread(summarise, logs, window_seconds=policy.log_window_seconds)


async def probe(environment: Environment) -> ProbeReading:
    """One authenticated request to PostHog with the key that the integration uses, where it can be read."""
    source = f"Secret {environment.cluster.secret_name}"
    half = environment.runbook_policy.policy.check_deadline_seconds / 2  # leaves time for the other key
    try:
        async with asyncio.timeout(half if environment.posthog.api_key else None):
            key = await environment.cluster.secret.read_api_key()
    except (OutsideError, TimeoutError):
        if environment.posthog.api_key is None:
            raise  # without a key nothing can be asked, which says nothing about PostHog
        key, source = environment.posthog.api_key, CONFIGURATION
    return await environment.posthog.probe(key, source)


async def read_workload(environment: Environment) -> WorkloadReading:
    """Pods, restarts, memory kills and rollouts of the integration's workload."""
    return await environment.cluster.read_workload()


def _made_by(
    check: CheckSpec[Any, R], read: Callable[[Environment], Awaitable[R]]
) -> tuple[CheckName, MakeOnce]:
    async def make_once(environment: Environment) -> Finding:
        reading = await read(environment)
        return check.judge(reading, environment.runbook_policy.policy, now())

    return check.name, make_once


STANDARD_CHECKS: Mapping[CheckName, MakeOnce] = dict(
    (
        _made_by(STATUS_PAGE, read_status_page),
        _made_by(HEALTH, read_health),
        _made_by(ERROR_RATE, read_error_rate),
        _made_by(LOGS, read_logs),
        _made_by(PROBE, probe),
        _made_by(WORKLOAD, read_workload),
    )
)
"""The checks that every environment makes."""


def checks_made(environment: Environment) -> Mapping[CheckName, MakeOnce]:
    """All checks that this environment makes: those, and the ones that it has a block for."""
    return {**STANDARD_CHECKS, **dict(_made_by_reader(reader) for reader in environment.readers)}


def _made_by_reader(reader: Reader) -> tuple[CheckName, MakeOnce]:
    async def read(_: Environment) -> Any:
        return await reader.read()

    return _made_by(reader.check, read)
