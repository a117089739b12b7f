"""An approval holds for one plan: what drifts or is edited is shown and asked about anew."""

import copy
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deployments.drill.world.integration.manifests import DEPLOYMENT
from deployments.services.answering import answer_gate
from deployments.services.runs import PrefectRuns
from deployments.services.speaker import Speaker
from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.signatures import public_text
from runbook.incidents.events import ApprovalAnswered, ApprovalRefused, PlanDrifted
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

TWO_PEOPLE = '{ medium = { count = 2, approvers = ["ana", "jun"] } }\npeople = { ana = {}, jun = {} }'


def yes(approver: str) -> Answer:
    """A person's yes from the command line."""
    seen = Identity(name=approver, how=Proof.OS_PEER)
    return Answer(choice=Choice.APPROVE, approver=approver, channel="cli", identity=seen)


def somebody_sets(response: Case, variable: str, value: str) -> None:
    """Another person changes the Deployment, as `kubectl set env` does."""
    cluster = response.world.systems.cluster
    deployment = copy.deepcopy(cluster.get("Deployment", DEPLOYMENT))
    environment = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    next(item for item in environment if item["name"] == variable)["value"] = value
    cluster.apply(deployment)


async def test_a_target_that_drifted_voids_the_approval(engine: Engine, tmp_path: Path) -> None:
    """Somebody changes the Deployment while the question is open: the yes is void, and it is asked anew."""
    async with case(engine, "posthog-outage", tmp_path, real_prometheus=False) as response:
        await response.alert()
        first = await response.gate()
        somebody_sets(response, "LOG_LEVEL", "debug")

        await response.answer(yes("ana"))
        second = await response.gate(other_than=first.gate)

        incident = await response.read()
        drifted = incident.last(PlanDrifted)
        assert drifted is not None
        assert (drifted.old_digest, drifted.new_digest) == (first.plan_digest, second.plan_digest)
        assert drifted.voided == ("ana",)
        assert any(line.startswith("+") and "debug" in line for line in drifted.because)
        assert response.changes() == []

        await response.answer(yes("jun"))
        incident = await response.until(lambda it: bool(it.results))
        (result,) = incident.results.values()
        assert (result.outcome, result.approved_by) == (ActionOutcome.RECOVERED, "jun")


async def test_an_edit_leads_to_a_new_plan(engine: Engine, tmp_path: Path) -> None:
    """The approver takes a smaller limit: the new change is shown, and only its approval makes it."""
    async with case(engine, "out-of-memory", tmp_path, real_prometheus=False) as response:
        await response.alert()
        first = await response.gate()
        assert await response.fill_in(first, approver="ana", decision="edit", memory="9Ti")
        second = await response.gate(other_than=first.gate)
        refused = (await response.read()).last(ApprovalRefused)
        assert refused is not None
        assert "above the ceiling of 2Gi" in refused.because

        assert await response.fill_in(second, approver="ana", decision="edit", memory="320Mi")
        third = await response.gate(other_than=second.gate)
        incident = await response.read()
        assert "+            memory: 320Mi" in incident.previews[third.action_id].diff
        assert response.changes() == []

        await response.answer(yes("ana"))
        incident = await response.until(lambda it: third.action_id in it.results)
        assert incident.results[third.action_id].outcome is ActionOutcome.RECOVERED
        (change,) = response.changes()
        assert "320Mi" in str(change["body"])


async def test_two_people_have_to_approve_where_policy_says_so(engine: Engine, tmp_path: Path) -> None:
    """One yes changes nothing yet, a stranger's is refused, the second person's makes the change."""
    policy = {"approvals": TWO_PEOPLE}
    async with case(engine, "posthog-outage", tmp_path, policy=policy, real_prometheus=False) as response:
        await response.alert()
        first = await response.gate()
        assert await response.fill_in(first, decision="approve", approver="eve")
        second = await response.gate(other_than=first.gate)
        refused = (await response.read()).last(ApprovalRefused)
        assert refused is not None
        assert "eve may not approve" in refused.because

        await response.answer(yes("ana"))
        await response.gate(other_than=second.gate)
        assert response.changes() == []

        await response.answer(yes("jun"))
        incident = await response.until(lambda it: bool(it.results))
        (result,) = incident.results.values()
        assert result.outcome is ActionOutcome.RECOVERED
        said = [event.answer.approver for event in incident.events(ApprovalAnswered)]
        assert said == ["ana", "jun"]
        assert len(response.changes()) == 1


async def test_people_with_signing_keys_approve_in_a_run(engine: Engine, tmp_path: Path) -> None:
    """With keys in `[policy.people]` a run comes to its question, and a signature is one of two approvals."""
    key = Ed25519PrivateKey.generate()
    people = f'{{ ana = {{ keys = ["{public_text(key.public_key())}"] }}, jun = {{}} }}'
    rules = f'{{ medium = {{ count = 2, approvers = ["ana", "jun"] }} }}\npeople = {people}'
    policy = {"approvals": rules}
    async with case(engine, "posthog-outage", tmp_path, policy=policy, real_prometheus=False) as response:
        await response.alert()
        first = await response.gate()
        ana = Speaker("ana", Identity(name="ana", how=Proof.SIGNING_KEY), key)
        signed = Answer(choice=Choice.APPROVE, approver="ana", channel="cli")
        runs = PrefectRuns(response.client)
        await answer_gate(
            response.store, await response.read(), signed, policy=response.policy, runs=runs, speaker=ana
        )
        await response.gate(other_than=first.gate)
        assert response.changes() == []

        await response.answer(yes("jun"))
        incident = await response.until(lambda it: bool(it.results))
        (result,) = incident.results.values()
        assert result.outcome is ActionOutcome.RECOVERED
        proofs = [event.answer.identity for event in incident.events(ApprovalAnswered)]
        assert [proof and proof.how for proof in proofs] == [Proof.SIGNING_KEY, Proof.OS_PEER]
        assert len(response.changes()) == 1
