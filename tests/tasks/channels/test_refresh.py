"""What stands in Slack is true: a question once, who answered it, and the first message of the thread."""

import dataclasses
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from blocks.channels.slack import Slack
from blocks.transport.errors import Unavailable
from deployments.drill.world.faults import SlackFaults
from runbook.approvals.gates import Choice
from runbook.channels.cards import standing
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.state import IncidentOutcome, State
from tasks.channels import refresh as module
from tasks.channels.communicate import announce
from tasks.channels.refresh import refresh, stale_messages
from tasks.incident import OpenIncident, now
from tasks.lease import exclusively
from tests.runbook.journals import answered, asked, decided, decision
from tests.tasks.channels.team import Team, team

__all__ = ["team"]  # a fixture, found here


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once, so that no test waits."""
    monkeypatch.setattr(standing, "FIRST_PAUSE", timedelta())
    monkeypatch.setattr(standing, "LONGEST_PAUSE", timedelta())
    monkeypatch.setattr(module, "LEASE", timedelta())  # of a killed process: it is over at once


def with_buttons(team: Team) -> OpenIncident:
    """The incident of a team whose Slack has buttons."""
    environment = team.incident.environment
    assert environment.slack is not None
    slack = environment.slack.model_copy(update={"buttons": True})
    return OpenIncident(id=team.incident.id, environment=dataclasses.replace(environment, slack=slack))


def question(team: Team) -> dict[str, Any]:
    """The one message that asks, or asked."""
    (found,) = (it for it in team.slack.messages if "POSTHOG_FALLBACK" in it["text"])
    return found


def buttons(message: dict[str, Any]) -> list[str]:
    """What the buttons of a message say."""
    rows = (block["elements"] for block in message["blocks"] if block["type"] == "actions")
    return [element["text"]["text"] for row in rows for element in row]


async def stale(team: Team) -> list[str]:
    """What the clock would do."""
    at = now() + timedelta(minutes=1)
    return stale_messages(team.incident.environment, await team.incident.read(), at)


async def test_a_question_is_asked_once_with_its_buttons(team: Team) -> None:
    """As a reply that the channel sees, too; nothing is left to do."""
    incident = with_buttons(team)
    await announce(incident, State.INVESTIGATING)
    for _ in range(2):
        await refresh(incident)

    asked_there = question(team)
    assert buttons(asked_there) == ["Approve", "Reject", "Not yet"]
    assert (asked_there["thread_ts"], asked_there["subtype"]) == (
        team.slack.messages[0]["ts"],
        "thread_broadcast",
    )
    assert "runbook approve" in asked_there["text"]
    assert len(team.slack.messages) == 2


async def test_without_a_receiver_for_clicks_there_are_no_buttons(team: Team) -> None:
    """The text says how to answer."""
    await refresh(team.incident)

    assert buttons(question(team)) == []
    assert "runbook approve" in question(team)["text"]


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (answered(Choice.APPROVE), "✅"),
        (answered(Choice.REJECT), "⛔"),
        (e.ApprovalWithdrawn(gate="gate-1", action_id=answered().action_id, because="it is over"), "🚫"),
        (e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=()), "🚫"),
    ],
)
async def test_an_answered_question_shows_it_without_buttons(team: Team, event: e.Event, says: str) -> None:
    """Whoever answered where: it is in the journal. No second message, and nothing more to do."""
    incident = with_buttons(team)
    await refresh(incident)
    await incident.record(event)
    assert await stale(team)

    await refresh(incident)

    assert question(team)["text"].startswith(says)
    assert buttons(question(team)) == []
    assert await refresh(incident) == []


async def test_an_edited_message_is_still_found_by_its_effect(team: Team) -> None:
    """It keeps what it carries."""
    await refresh(team.incident)
    await team.incident.record(answered())
    await refresh(team.incident)

    assert question(team)["metadata"]["event_payload"]["effect_id"].endswith("/slack/question-gate-1")
    assert "edited" in question(team)


async def test_a_second_gate_of_the_same_question_is_in_the_same_message(team: Team) -> None:
    """After a "not yet", the buttons answer the present gate; nobody is told twice."""
    incident = with_buttons(team)
    await refresh(incident)
    await incident.record(answered(Choice.SNOOZE))
    await incident.record_once(asked(gate="gate-2"))
    await refresh(incident)

    assert "alice snoozed" in question(team)["text"]
    values = [
        it["value"] for row in question(team)["blocks"] if row["type"] == "actions" for it in row["elements"]
    ]
    assert values
    assert all('"gate":"gate-2"' in value for value in values)


async def test_the_first_message_is_kept_true(team: Team) -> None:
    """State, severity, lead and question; each step is a reply beside it."""
    incident = with_buttons(team)
    await announce(incident, State.INVESTIGATING)
    first = team.slack.messages[0]
    assert "Asked: Enable the fallback" in first["text"]
    assert buttons(first) == [
        *("Take the lead", "Change severity", "Add a note", "False alarm", "Say the state", "Update now"),
        *("Take the communications lead", "Take support", "Hand over", "Show the hand-over packet"),
    ]

    await incident.record(e.LeadAssigned(lead="ana", by="ana"))
    await incident.record(answered())
    await announce(incident, State.IDENTIFIED)

    assert "Incident commander: @ana" in first["text"]
    assert "Asked:" not in first["text"]
    assert [it["text"][:1] for it in team.slack.messages] == ["⚪", "✅", "⚪"]


async def test_nothing_is_called_where_nothing_has_changed(team: Team) -> None:
    """By the journal alone: Slack may be away."""
    await announce(team.incident, State.INVESTIGATING)
    before = (await team.incident.read()).journal
    team.slack.faults = SlackFaults(error="internal_error")

    assert await refresh(team.incident) == []
    assert (await team.incident.read()).journal == before


async def test_only_the_clock_waits_a_moment_for_a_first_message(team: Team) -> None:
    """While a run is at work, the run changes it at its steps; what a person does is shown at once."""
    await announce(team.incident, State.INVESTIGATING)
    await team.incident.record(decided(decision(severity=Severity.P2)))
    journal = await team.incident.read()
    assert stale_messages(team.incident.environment, journal, now()) == []
    (due,) = await stale(team)
    assert due.startswith("edit-1-of-investigating-1 for the 1. time")

    await team.incident.record(e.LeadAssigned(lead="ana", by="ana"))
    journal = await team.incident.read()
    found = stale_messages(team.incident.environment, journal, now())
    names = ("question-gate-1", "investigating-1")  # both say that a person has responded
    assert found == [f"edit-1-of-{name} for the 1. time, 0" for name in names]


async def test_slack_away_fails_nothing_and_gets_the_present_words_later(team: Team) -> None:
    """Never those of the time at which it was away."""
    incident = with_buttons(team)
    await refresh(incident)
    await incident.record(answered(Choice.SNOOZE))
    team.slack.faults = SlackFaults(error="internal_error")
    assert await refresh(incident) == []
    await incident.record_once(asked(gate="gate-2"))
    await incident.record(answered().model_copy(update={"gate": "gate-2"}))
    team.slack.faults = SlackFaults()

    assert len(await refresh(incident)) == 1
    assert question(team)["text"].startswith("✅")


async def test_a_question_that_is_over_is_not_asked_late(team: Team) -> None:
    """Slack was away as long as it was open."""
    team.slack.faults = SlackFaults(error="internal_error")
    assert await refresh(team.incident) == []
    team.slack.faults = SlackFaults()
    await team.incident.record(answered())

    assert await refresh(team.incident) == []
    assert team.slack.messages == []


async def test_a_failure_is_followed_by_a_pause_that_grows(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first a minute, then two."""
    monkeypatch.setattr(standing, "FIRST_PAUSE", timedelta(minutes=1))
    monkeypatch.setattr(standing, "LONGEST_PAUSE", timedelta(hours=1))
    team.slack.faults = SlackFaults(error="ratelimited")
    await refresh(team.incident)
    await refresh(team.incident)

    journal = await team.incident.read()
    (effect,) = journal.effects.values()
    assert journal.outcomes_of(effect.id) == [EffectOutcome.FAILED]
    assert not standing.may_try(journal, effect.id, now() + timedelta(seconds=50))
    assert standing.may_try(journal, effect.id, now() + timedelta(seconds=61))


@pytest.mark.parametrize(("seconds", "waits"), [(5, 60), (90, 90), (86_400, 3_600)])
async def test_slack_is_asked_again_when_it_wants_to_be(
    team: Team, monkeypatch: pytest.MonkeyPatch, seconds: int, waits: int
) -> None:
    """By its `Retry-After`, whichever process comes next; an hour at the most."""
    monkeypatch.setattr(standing, "FIRST_PAUSE", timedelta(minutes=1))
    monkeypatch.setattr(standing, "LONGEST_PAUSE", timedelta(hours=1))
    limited = Unavailable("Slack", "ratelimited", http_status=429, retry_after_seconds=seconds)
    monkeypatch.setattr(Slack, "say", mock.AsyncMock(side_effect=limited))
    await refresh(team.incident)

    journal = await team.incident.read()
    (failed,) = journal.effects.values()
    assert not standing.may_try(journal, failed.id, now() + timedelta(seconds=waits - 5))
    assert standing.may_try(journal, failed.id, now() + timedelta(seconds=waits + 1))


async def test_one_process_at_a_time_changes_messages(team: Team) -> None:
    """Another one leaves it alone: whoever is at it looks again."""
    what = f"messages of {team.incident.id}"
    async with exclusively(team.incident.environment, what, "another"):
        assert await refresh(team.incident) == []
    assert len(await refresh(team.incident)) == 1


async def test_a_team_that_announces_nothing_is_asked_nothing(team: Team) -> None:
    """The policy says so."""
    environment = team.incident.environment
    policy = environment.runbook_policy.policy.model_copy(update={"announce": False})
    quiet = environment.runbook_policy.model_copy(update={"policy": policy})
    at_work = dataclasses.replace(environment, runbook_policy=quiet)
    assert await refresh(OpenIncident(id=team.incident.id, environment=at_work)) == []
