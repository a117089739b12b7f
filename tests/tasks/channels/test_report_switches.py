"""A switch that was left on is reported with what takes it off, as long as it may be on."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from deployments.drill.world.faults import SlackFaults
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.fallback import DISABLE_FALLBACK
from runbook.channels.reminders import due_reports
from runbook.incidents import events as e
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.sentences import sentence
from tasks.channels.page import escalate
from tasks.channels.remind import report_switch
from tasks.incident import OpenIncident, now
from tests.blocks.cluster_world import ClusterWorld, cluster_world
from tests.runbook.journals import FALLBACK, finished, resolved
from tests.tasks.channels.team import Team, team, write
from tests.tasks.environments import environment

__all__ = ["team"]  # a fixture, found here


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """A cluster with the integration in it."""
    async with cluster_world() as running:
        yield running


@pytest.fixture
async def ended(team: Team, world: ClusterWorld) -> OpenIncident:
    """The incident, two days after it has ended and left the fallback on."""
    at = now() - timedelta(days=2)
    await write(team.incident, finished(ActionOutcome.RECOVERED), at=at)
    await write(team.incident, resolved(), at=at)
    cluster = world.block_with(container="app")
    environment = dataclasses.replace(team.incident.environment, cluster=cluster)
    return OpenIncident(id=team.incident.id, environment=environment)


async def set_fallback(world: ClusterWorld, entry: dict[str, object]) -> None:
    """Someone sets the variable of the fallback."""
    containers = [{"name": "app", "env": [{"name": "POSTHOG_FALLBACK", **entry}]}]
    await world.block.changes.patch_workload({"spec": {"template": {"spec": {"containers": containers}}}})


async def checks(incident: OpenIncident) -> list[bool | None]:
    """What the journal says of the switch, oldest first."""
    return [event.on for event in (await incident.read()).events(e.SwitchChecked)]


async def test_a_switch_that_is_still_on_is_reported(
    team: Team, world: ClusterWorld, ended: OpenIncident
) -> None:
    """The channel hears what is on and what takes it off; another day is another message."""
    await set_fallback(world, {"value": "true"})
    changes = world.asked("PATCH")
    for _ in range(2):
        await report_switch(ended, FALLBACK)

    first, second = (message["text"] for message in team.slack.messages)
    named = f"Incident: Service Of Inc 1, `{ended.id}`: <http://prefect.example/runs/1|the run in Prefect>"
    assert first == f"{second}\n\n{named}"  # it opens the thread, in which the other stands
    assert first.startswith("🔌 Still on: POSTHOG_FALLBACK=true on deployment/posthog-integration")
    command = "kubectl -n default set env deployment/posthog-integration -c app POSTHOG_FALLBACK-"
    assert f"`{command}`" in first
    assert await checks(ended) == [True, True]
    assert world.asked("PATCH") == changes, "time alone takes nothing off"


@pytest.mark.parametrize(
    "entry", [{"value": "false"}, {"$patch": "delete"}], ids=["another value", "not set"]
)
async def test_a_switch_that_is_off_by_now_is_noted_and_not_reported(
    team: Team, world: ClusterWorld, ended: OpenIncident, entry: dict[str, object]
) -> None:
    """Somebody has taken it off since: the journal says so, and the channel is left alone for good."""
    await set_fallback(world, entry)
    removal = FALLBACK.model_copy(update={"id": f"{FALLBACK.id}-off", "name": DISABLE_FALLBACK.name})
    await ended.record(finished(ActionOutcome.FAILED, removal))
    what = Escalation(kind=EscalationKind.ACTION, subject=removal.id)
    await escalate(ended, what, "Disable fallback: failed", about=removal.id)
    team.slack.messages.clear()
    await report_switch(ended, FALLBACK)

    assert [call.state for call in team.pager.pages] == ["resolved"], "what it was about is settled by now"
    assert team.slack.messages == []
    assert await checks(ended) == [False]
    assert due_reports([await ended.read()], now=now() + timedelta(days=9)) == []


async def test_a_switch_that_cannot_be_read_may_still_be_on(team: Team, ended: OpenIncident) -> None:
    """What nobody can see is reported as unknown, with the reason."""
    blind = environment(Path("unused")).cluster
    unseen = OpenIncident(id=ended.id, environment=dataclasses.replace(ended.environment, cluster=blind))
    await report_switch(unseen, FALLBACK)

    assert "🔌 May still be on: POSTHOG_FALLBACK=true" in team.said()[0]
    assert "Kubernetes: " in team.said()[0]
    assert await checks(ended) == [None]


async def test_a_switch_from_a_reference_may_still_be_on(
    team: Team, world: ClusterWorld, ended: OpenIncident
) -> None:
    """The value behind a reference is not read, so nobody says that it is off."""
    reference = {"secretKeyRef": {"name": "posthog-secrets", "key": "api-key"}}
    await set_fallback(world, {"value": None, "valueFrom": reference})
    await report_switch(ended, FALLBACK)

    assert "valueFrom" in team.said()[0]
    assert await checks(ended) == [None]


async def test_a_report_that_does_not_get_through_is_due_again(
    team: Team, world: ClusterWorld, ended: OpenIncident
) -> None:
    """Nothing is journalled that people have not heard."""
    await set_fallback(world, {"value": "true"})
    team.slack.faults = SlackFaults(error="is_archived")
    assert await report_switch(ended, FALLBACK) is None
    assert await checks(ended) == []


async def test_a_switch_is_not_said_to_be_reported_where_there_is_no_channel(
    team: Team, world: ClusterWorld, ended: OpenIncident
) -> None:
    """It is noted that it is on and that nobody was told, and looked at again a day later."""
    await set_fallback(world, {"value": "true"})
    bare = dataclasses.replace(ended, environment=dataclasses.replace(ended.environment, slack=None))
    await report_switch(bare, FALLBACK)

    [checked] = (await ended.read()).events(e.SwitchChecked)
    assert (checked.on, checked.told) == (True, False)
    assert "is still on (nobody was notified: [slack] is not configured)" in sentence(checked)
    assert due_reports([await ended.read()], now=now() + timedelta(days=1)) != []
    assert team.slack.messages == []
