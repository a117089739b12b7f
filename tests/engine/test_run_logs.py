"""The log of a response's run tells what happened, to whoever opens it in Prefect."""

import logging
from pathlib import Path

import pytest
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import Log
from prefect.client.schemas.sorting import LogSort

from runbook.actions.essence import essence
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import eventually

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


async def logs(response: Case) -> list[Log]:
    """What the run's page shows, oldest first."""
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[await response.run_id()]))
    found: list[Log] = []
    while len(page := await response.client.read_logs(wanted, offset=len(found), sort=LogSort.TIMESTAMP_ASC)):
        found += page
    return found


async def test_a_run_s_log_tells_the_story_and_no_gate_is_an_error(engine: Engine, tmp_path: Path) -> None:
    """Incident, triage, decision, question, answer, change and end, each in one line; none is an error."""
    policy = {"watch_limit_seconds": 3}
    async with case(engine, "posthog-outage", tmp_path, policy=policy, real_prometheus=False) as response:
        await response.alert()
        gate = await response.gate()
        plan = (await response.read()).previews[gate.action_id]
        assert await response.fill_in(gate, decision="approve", approver="ana", reason="users wait")
        removal = await response.gate(other_than=gate.gate)
        assert await response.fill_in(removal, decision="approve", approver="ana")
        await response.until(lambda it: it.closed)
        told = await eventually(
            lambda: logs(response), lambda found: any("Incident closed" in it.message for it in found)
        )
        lines = [it.message for it in told]
        in_order = [
            f"Works on {response.incident_id}: ",
            "Triage 1 completed: 1 ok, 5 bad, 0 unknown; bad: Status page (",
            "Decision 1: PostHog outage, P1; plan: Enable the fallback (graceful degradation); because ",
            f"Asks: {plan.action.spec.title} on {plan.action.target}? {essence(plan)} (",
            "Suspending flow run",
            "ana approved 1-enable-fallback",
            "Done: env POSTHOG_FALLBACK of integration: true",
            "Incident closed: recovered",
        ]
        places = [
            next((n for n, line in enumerate(lines) if line.startswith(start)), -1) for start in in_order
        ]
        assert -1 not in places, dict(zip(in_order, places, strict=True))
        assert places == sorted(places)
        assert [it.message for it in told if it.level >= logging.ERROR] == []
