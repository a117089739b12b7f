"""Pods, memory and network."""

from blocks.environment import Environment
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.inspect_infrastructure import INSPECT_INFRASTRUCTURE
from runbook.checks.findings import Status
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.workload import WORKLOAD
from tasks.actions.inspections.base import Inspections
from tasks.checks.triage import make_checks


async def inspect_infrastructure(environment: Environment) -> tuple[ActionOutcome, str]:
    """The runbook's "check pods, memory, network"."""
    findings = await make_checks(environment, (WORKLOAD.name, HEALTH.name, PROBE.name))
    limit = findings.facts(WORKLOAD).memory_limit
    words = [
        f"pods: {findings[WORKLOAD.name].summary}",
        f"memory: limit {limit or 'none'}",
        f"network: PostHog {findings[PROBE.name].summary}",
        f"service: {findings[HEALTH.name].summary}",
    ]
    unknown = findings.status(WORKLOAD.name) is Status.UNKNOWN
    return (ActionOutcome.UNKNOWN if unknown else ActionOutcome.DONE), "; ".join(words)


INSPECTIONS: Inspections = {INSPECT_INFRASTRUCTURE: inspect_infrastructure}
