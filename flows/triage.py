"""Quick Triage and the decision tree on their own: read-only, without an incident."""

from prefect import flow

from blocks.environment import Environment
from flows.parameters import checked, run_name
from runbook.checks.findings import Findings
from runbook.decision.decide import decide
from runbook.decision.verdict import Decision
from tasks.artifacts import publish_look
from tasks.checks import shown
from tasks.checks.triage import MakeCheck, checks_of, make_check, make_checks


@flow(name="triage", flow_run_name=run_name("triage {environment}"), validate_parameters=False)
@checked
async def triage(environment: str = "default") -> Decision:
    """Make all checks and say what the runbook would conclude. Changes nothing.

    Args:
        environment: Which configuration to use: the name that `runbook configure` saved it under.
    """
    blocks = await Environment.load(environment)
    findings, decision = await triage_and_decide(blocks, make=shown.make_check)
    await publish_look(environment, findings, decision)
    return decision


async def triage_and_decide(
    environment: Environment, *, make: MakeCheck = make_check
) -> tuple[Findings, Decision]:
    """All checks, each made by `make`, and the decision that they lead to."""
    findings = await make_checks(environment, checks_of(environment), make=make)
    return findings, decide(findings, claimed=None, policy=environment.runbook_policy.policy)
