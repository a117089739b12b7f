"""The read-only actions of the catalogue: they change nothing, so they need no approval."""

from collections.abc import Awaitable, Callable

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.environment import Environment
from blocks.posthog import well_formed
from blocks.transport.errors import OutsideError
from runbook.actions.catalogue import ActionName, ActionOutcome, ActionResult, PlannedAction
from runbook.checks.findings import Check, Status
from tasks.actions.mitigate import finish
from tasks.checks.triage import look
from tasks.incident import OpenIncident

Inspection = Callable[[Environment], Awaitable[tuple[ActionOutcome, str]]]


@task(name="inspect", task_run_name="inspect {action.name}", cache_policy=NO_CACHE)
async def inspect(incident: OpenIncident, action: PlannedAction) -> ActionResult:
    """Make an inspection and journal what it saw; one that is in the journal is not made again."""
    journal = await incident.read()
    if done := journal.results.get(action.id):
        return done
    try:
        outcome, detail = await INSPECTIONS[action.name](incident.environment)
    except OutsideError as error:
        outcome, detail = ActionOutcome.UNKNOWN, str(error)
    return await finish(incident, action, outcome, detail)


async def verify_credentials(environment: Environment) -> tuple[ActionOutcome, str]:
    """The runbook's "verify API key is set", and more: present, well formed, accepted by PostHog."""
    cluster = environment.cluster
    key = await cluster.read_api_key()
    if key is None:
        return ActionOutcome.DONE, f"Secret {cluster.secret_name} has no {cluster.secret_key}"
    if flaw := well_formed(key.get_secret_value()):
        return ActionOutcome.DONE, f"the key is present but not well formed: {flaw}"
    reading = await environment.posthog.probe(key, f"Secret {cluster.secret_name}")
    answer = reading.outcome.replace("_", " ")
    words = f"the key is present and well formed; PostHog: {answer}"
    return ActionOutcome.DONE, f"{words} ({reading.detail})" if reading.detail else words


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


INSPECTIONS: dict[ActionName, Inspection] = {
    ActionName.VERIFY_CREDENTIALS: verify_credentials,
    ActionName.INSPECT_INFRASTRUCTURE: inspect_infrastructure,
}
