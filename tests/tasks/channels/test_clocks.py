"""People are told of a clock before its end, and one is paged after it; a restart repeats neither."""

from datetime import timedelta

import pytest

from deployments.drill.world.faults import SlackFaults
from runbook.clocks.promises import DueClock
from runbook.incidents import events as e
from tasks.caretaking.due import due_reminders
from tasks.channels import remind
from tasks.channels.page import resolve_page
from tasks.channels.remind import remind_of_clock
from tests.tasks.channels.team import Team, team

__all__ = ["team"]  # a fixture, found here


async def due_in(team: Team, monkeypatch: pytest.MonkeyPatch, hours: float) -> list[DueClock]:
    """What is due so long after the alert; the steps look at the same clock."""
    at = (await team.incident.read()).opened_at + timedelta(hours=hours)
    monkeypatch.setattr(remind, "now", lambda: at)
    found = await due_reminders(team.incident.environment, at)
    return [clock for _, clock in found.clocks]


async def test_nobody_responds_and_each_step_is_told_once(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First in the thread, then by the pager; the page ends with the incident."""
    [near] = await due_in(team, monkeypatch, 0.9)
    for _ in range(2):
        await remind_of_clock(team.incident, near)
    [said] = team.said()
    assert said.startswith("⏰ @on-call: nobody has done anything")
    assert await due_in(team, monkeypatch, 0.95) == []
    assert team.pager.pages == []

    [missed] = await due_in(team, monkeypatch, 1.1)
    for _ in range(2):
        await remind_of_clock(team.incident, missed)
    assert await due_in(team, monkeypatch, 5) == []
    [page] = team.pager.pages
    assert "somebody was due by" in page.summary
    journal = await team.incident.read()
    assert [event.missed for event in journal.events(e.ClockReminded)] == [False, True]
    await resolve_page(team.incident)
    assert page.state == "resolved"


async def test_whoever_acts_meanwhile_is_not_paged(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also between the look and the step."""
    [missed] = await due_in(team, monkeypatch, 1.1)
    await team.incident.record(e.IncidentAcknowledged(by="ana"))
    assert await remind_of_clock(team.incident, missed) is None
    assert team.pager.pages == []


async def test_what_does_not_get_through_is_due_again(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is journalled as told that nobody has read."""
    [near] = await due_in(team, monkeypatch, 0.9)
    team.slack.faults = SlackFaults(error="internal_error")
    assert await remind_of_clock(team.incident, near) is None
    team.slack.faults = SlackFaults()
    assert await remind_of_clock(team.incident, near) == near.event
