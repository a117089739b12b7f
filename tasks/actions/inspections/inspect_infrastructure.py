"""Pods, memory and network."""

from blocks.environment import Environment
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.inspect_infrastructure import INSPECT_INFRASTRUCTURE
from runbook.checks.findings import Check, Status
from tasks.actions.inspections.base import Inspections
from tasks.checks.triage import look


async def inspect_infrastructure(environment: Environment) -> tuple[ActionOutcome, str]:
    """The runbook's "check pods, memory, network"."""
    findings = await look(environment, (Check.WORKLOAD, Check.HEALTH, Check.PROBE))
    limit = findings.fact(Check.WORKLOAD, "memory_limit")
    words = [
        f"pods: {findings[Check.WORKLOAD].summary}",
        f"memory: limit {limit or 'none'}",
        f"network: PostHog {findings[Check.PROBE].summary}",
        f"service: {findings[Check.HEALTH].summary}",
    ]
    unknown = findings.status(Check.WORKLOAD) is Status.UNKNOWN
    return (ActionOutcome.UNKNOWN if unknown else ActionOutcome.DONE), "; ".join(words)


INSPECTIONS: Inspections = {INSPECT_INFRASTRUCTURE: inspect_infrastructure}
