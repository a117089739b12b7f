"""People are told of a clock before its end, and one is paged after it; a restart repeats neither."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from blocks.channels.notifications.teams import Teams
from deployments.drill.world.faults import SlackFaults
from runbook.channels.cards.clock_reminders import given_reminders
from runbook.clocks.promises import DueClock
from runbook.incidents import events as e
from tasks.caretaking.due import due_reminders
from tasks.channels import refresh, remind
from tasks.channels.page import resolve_page
from tasks.channels.remind import remind_of_clock
from tests.tasks.channels.readers import with_channels
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


async def test_a_reminder_is_snoozed_shown_so_and_sent_once_more(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message says until when and by whom, without the button; the page comes all the same."""
    slack = team.incident.environment.slack
    assert slack is not None
    slack.buttons = True
    [near] = await due_in(team, monkeypatch, 0.9)
    await remind_of_clock(team.incident, near)
    [shown] = [it for it in team.slack.messages if "nobody has done anything" in it["text"]]
    assert buttons_of(shown) == ["runbook.ack", "runbook.later"]
    opened = (await team.incident.read()).opened_at
    until = opened + timedelta(hours=0.95)
    monkeypatch.setattr(refresh, "now", lambda: opened + timedelta(hours=0.92))
    await team.incident.record(e.ReminderSnoozed(clock=near.clock, due_at=near.due_at, until=until, by="ana"))
    await refresh.refresh(team.incident)
    assert f"💤 Snoozed until {until:%H:%M} UTC by ana" in shown["text"]
    assert buttons_of(shown) == ["runbook.ack"]

    assert await due_in(team, monkeypatch, 0.94) == []
    [again] = await due_in(team, monkeypatch, 0.95)
    for _ in range(2):
        await remind_of_clock(team.incident, again)
    assert sum("nobody has done anything" in it["text"] for it in team.slack.messages) == 2
    assert await due_in(team, monkeypatch, 0.99) == []
    [missed] = await due_in(team, monkeypatch, 1.1)
    assert missed.missed
    await team.incident.record(e.IncidentAcknowledged(by="bob"))
    await refresh.refresh(team.incident)
    newest = [it for it in team.slack.messages if "nobody has done anything" in it["text"]][-1]
    assert ("Over: bob has acted" in newest["text"], buttons_of(newest)) == (True, [])


def buttons_of(message: dict[str, Any]) -> list[str]:
    """The buttons under a message, by their actions."""
    elements = [each for block in message["blocks"] for each in block.get("elements", ())]
    return [each["action_id"] for each in elements if each["type"] == "button"]


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


async def test_a_reminder_that_one_channel_took_is_given(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its button is there, so that it can be snoozed; of a channel that is away nobody waits."""
    away = Teams(url=SecretStr("https://127.0.0.1:1/workflows/x/triggers/manual/paths/invoke?sig=y"))
    both = with_channels(team.incident, away)
    [near] = await due_in(team, monkeypatch, 0.9)
    assert await remind_of_clock(both, near) == near.event
    assert await due_in(team, monkeypatch, 0.95) == []
    journal = await team.incident.read()
    assert [it.snoozed for it in given_reminders(journal, team.incident.policy)] == [None]
