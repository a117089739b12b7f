"""Whoever can edit Prefect's blocks does not choose the policy of an incident that is open."""

from functools import partial
from pathlib import Path

import pytest

from blocks.policy import RunbookPolicy
from deployments.prefect.configure import configure
from deployments.settings.settings import load_settings
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.spec import Risk
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.rules import ApprovalRule
from runbook.incidents.events import ApprovalRefused, PolicyChanged, RunStarted
from tasks.caretaking.runs import DEPLOYMENT
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import eventually

SEEN = Identity(name="ana", how=Proof.OS_PEER)
pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

PROVEN = "{ medium = { accept_unverified = false } }"
FORM = {"decision": "approve", "approver": "eve", "reason": "trust me"}


async def edit_policy(response: Case) -> None:
    """As anybody can in Prefect's UI."""
    block: RunbookPolicy = await RunbookPolicy.aload(response.environment)
    lax = block.policy.model_copy(update={"approvals": {Risk.MEDIUM: ApprovalRule(accept_unverified=True)}})
    await RunbookPolicy(policy=lax).asave(response.environment, overwrite=True)


async def test_an_edited_policy_block_lets_nobody_approve_who_could_not_before(
    engine: Engine, tmp_path: Path
) -> None:
    """A name that nobody proved is refused as before; the edit is in the journal and beside the question."""
    async with case(
        engine, "posthog-outage", tmp_path, policy={"approvals": PROVEN}, real_prometheus=False
    ) as response:
        await response.alert()
        first = await response.gate()
        await edit_policy(response)

        assert await response.fill_in(first, **FORM)
        second = await response.gate(other_than=first.gate)

        incident = await response.read()
        refused = incident.last(ApprovalRefused)
        assert refused is not None
        assert "it is not proven that this is eve" in refused.because
        (changed,) = incident.events(PolicyChanged)
        (change,) = changed.changes
        told = (change.name, change.before, change.after, change.applied)
        assert told == ("approvals.medium.accept_unverified", "false", "true", False)
        assert "approvals.medium.accept_unverified: false → true (not for this incident" in await asked(
            response
        )
        assert response.changes() == []

        await response.answer(Answer(choice=Choice.APPROVE, approver="ana", channel="cli", identity=SEEN))
        incident = await response.until(lambda it: second.action_id in it.results)
        result = incident.results[second.action_id]
        assert (result.outcome, result.approved_by) == (ActionOutcome.RECOVERED, "ana")


async def asked(response: Case) -> str:
    """What the form of the sleeping run says."""
    keyset = (await response.run_state()).state_details.run_input_keyset
    assert keyset is not None
    return str(await response.client.read_flow_run_input(await response.run_id(), keyset["description"]))


@pytest.mark.slow
async def test_a_run_with_another_environment_or_kind_is_refused(engine: Engine, tmp_path: Path) -> None:
    """`respond` for the open incident, with a laxer environment or as a rehearsal: it fails, and says why."""
    async with case(
        engine, "posthog-outage", tmp_path, policy={"approvals": PROVEN}, real_prometheus=False
    ) as response:
        await response.alert()
        gate = await response.gate()
        text = response.config.read_text().replace(response.environment, f"{response.environment}-lax")
        lax = tmp_path / "lax.toml"
        lax.write_text(text.replace("accept_unverified = false", "accept_unverified = true"))
        await configure(load_settings(lax), deployments=[])

        deployment = await response.client.read_deployment_by_name(DEPLOYMENT)
        for parameters, why in (
            ({"environment": f"{response.environment}-lax"}, "belongs to environment"),
            ({"environment": response.environment, "dry_run": True}, "is no rehearsal"),
        ):
            run = await response.client.create_flow_run_from_deployment(
                deployment.id, parameters={"incident": response.incident_id, **parameters}
            )
            seen = await eventually(
                partial(response.client.read_flow_run, run.id),
                lambda run: run.state is not None and run.state.is_final(),
            )
            assert seen.state is not None
            assert seen.state.is_failed()
            assert why in str(seen.state.message)

        incident = await response.read()
        assert incident.pending_gate == gate
        assert len({event.flow_run_id for event in incident.events(RunStarted)}) == 1
