"""What somebody has acknowledged here is acknowledged at the pager, so that nobody else is woken for it."""

import dataclasses
from datetime import timedelta

import pytest
from pydantic import SecretStr

from runbook.approvals.people import Person
from runbook.approvals.rules import ActRule
from runbook.channels.acknowledging import AcknowledgedPage, due_acknowledgements
from runbook.incidents import events as e
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.policy.policy import Policy
from tasks.channels.page import acknowledge_page, escalate, page_on_opening, resolve_page
from tasks.incident import OpenIncident, now
from tests.tasks.channels.team import Team, team

__all__ = ["team"]  # a fixture, found here

ACK = e.IncidentAcknowledged(by="ana")
WHAT = Escalation(kind=EscalationKind.NO_DECISION, subject="1")


async def due(
    incident: OpenIncident, policy: Policy | None = None, *, later: float = 0
) -> list[AcknowledgedPage]:
    """What the pager has to be told now, or so many seconds later."""
    told, at = await incident.read(), now() + timedelta(seconds=later)
    return due_acknowledgements(told, pagers=["pager"], policy=policy or incident.policy, now=at)


async def test_an_open_page_is_acknowledged_once(team: Team) -> None:
    """Under its own key, as an effect that the journal has; then nothing is due."""
    await page_on_opening(team.incident)
    assert await due(team.incident) == []
    await team.incident.record(ACK)
    [page] = await due(team.incident)
    for _ in range(2):
        assert await acknowledge_page(team.incident, page) == ACK

    [seen] = team.pager.pages
    assert seen.state == "acknowledged"
    assert [event["event_action"] for event in seen.events] == ["trigger", "acknowledge"]
    assert {event["dedup_key"] for event in seen.events} == {f"{team.incident.id}/pager/opened"}
    effect = (await team.incident.read()).effects[f"{team.incident.id}/pager/opened-acknowledged"]
    assert (effect.outcome, effect.summary[:21]) == ("applied", "acknowledge the page:")
    assert await due(team.incident) == []


async def test_every_page_before_it_is_acknowledged_and_none_after_it(team: Team) -> None:
    """A later page is for another reason, which somebody has to see."""
    await page_on_opening(team.incident)
    await escalate(team.incident, WHAT, "the facts do not suffice")
    await team.incident.record(ACK)
    for page in await due(team.incident):
        await acknowledge_page(team.incident, page)
    other = Escalation(kind=EscalationKind.NO_DECISION, subject="2")
    await escalate(team.incident, other, "the undo has failed")
    assert [page.state for page in team.pager.pages] == ["acknowledged", "acknowledged", "triggered"]
    assert await due(team.incident) == []


async def test_the_end_of_the_incident_ends_an_acknowledged_page(team: Team) -> None:
    """Once, and nothing is acknowledged after it."""
    await page_on_opening(team.incident)
    await team.incident.record(ACK)
    [page] = await due(team.incident)
    await acknowledge_page(team.incident, page)
    await team.incident.record_once(e.IncidentResolved(outcome="recovered", because=()))
    await resolve_page(team.incident)
    [seen] = team.pager.pages
    assert seen.state == "resolved"
    assert [event["event_action"] for event in seen.events] == ["trigger", "acknowledge", "resolve"]
    assert await due(team.incident) == []
    assert await acknowledge_page(team.incident, page) is None


async def test_a_pager_that_is_away_is_told_later(team: Team) -> None:
    """The acknowledgement stands here meanwhile; it is tried again after a pause."""
    await page_on_opening(team.incident)
    await team.incident.record(ACK)
    [page] = await due(team.incident)
    pager = team.incident.environment.pager
    assert pager is not None
    broken = pager.model_copy(update={"routing_key": SecretStr("0" * 32)})
    away = OpenIncident(
        id=team.incident.id, environment=dataclasses.replace(team.incident.environment, pager=broken)
    )
    assert await acknowledge_page(away, page) is None
    assert team.pager.pages[0].state == "triggered"
    [again] = await due(team.incident, later=60)
    assert await acknowledge_page(team.incident, again) == ACK
    assert team.pager.pages[0].state == "acknowledged"


@pytest.mark.parametrize(
    "rule", [ActRule(approvers=("bob",)), ActRule(accept_unverified=False)], ids=["who", "proof"]
)
async def test_who_may_not_acknowledges_nothing(rule: ActRule, team: Team) -> None:
    """A line in the database silences no pager."""
    await page_on_opening(team.incident)
    await team.incident.record(ACK)
    assert await due(team.incident, Policy(people={"bob": Person()}, acts=rule)) == []
