"""The collection of evidence that is due, as a flow on a real Prefect server."""

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from prefect import flow

from blocks.environment import Environment
from flows.collect_evidence import collect_everything_due
from runbook.incidents import events as e
from runbook.incidents.state import IncidentOutcome
from tasks.incident import OpenIncident, now
from tasks.opening import close, resolve
from tests.runbook.journals import ALERT
from tests.tasks.environments import environment

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("prefect_api")]


async def ended(at_work: Environment, name: str) -> OpenIncident:
    """An incident of this environment that was resolved and closed just now."""
    alert, at = ALERT.model_copy(update={"service": name}), now() - timedelta(minutes=30)
    await at_work.store.open_incident(alert, incident_id=name, at=at, environment=at_work.name)
    incident = OpenIncident(id=name, environment=at_work)
    await resolve(incident, IncidentOutcome.RECOVERED, ())
    await close(incident, IncidentOutcome.RECOVERED)
    return incident


async def collections(incident: OpenIncident) -> list[str]:
    """What was collected of it."""
    return [event.collection for event in (await incident.read()).events(e.EvidenceCollected)]


async def test_what_fails_for_one_incident_costs_no_other_its_evidence(tmp_path: Path) -> None:
    """The run fails, so that somebody looks. Another environment's incident is left to its own schedule."""
    ours = environment(tmp_path)
    older, failing = await ended(ours, "inc-1"), await ended(ours, "inc-2")
    others = await ended(dataclasses.replace(ours, name="another"), "inc-3")
    (tmp_path / "inc-2").write_text("a file where its folder should be")

    @flow
    async def collect_now() -> list[str]:
        return await collect_everything_due(ours)

    with pytest.raises(ExceptionGroup, match="not all evidence that is due could be collected") as raised:
        await collect_now()
    assert len(raised.value.exceptions) == 1
    assert await collections(older) == ["resolution"]
    assert await collections(failing) == await collections(others) == []

    (tmp_path / "inc-2").unlink()
    assert await collect_now() == [f"{tmp_path}/inc-2/resolution"]
