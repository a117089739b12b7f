"""A person asks for an update, and the channel is told where things stand."""

from datetime import timedelta

from deployments.drill.world.faults import SlackFaults
from runbook.channels.updates import due_update
from runbook.incidents import events as e
from runbook.incidents.state import State
from tasks.caretaking.due import due_reminders
from tasks.channels.communicate import announce, announce_now
from tasks.incident import now
from tests.tasks.channels.team import Team, team

__all__ = ["team"]

ASKED = e.UpdateRequested(by="ana")


async def test_the_channel_is_told_once_and_promised_a_next_update(team: Team) -> None:
    """Beside the announcements of the run, whatever was promised; who looks again tells nothing."""
    await announce(team.incident, State.INVESTIGATING)
    before = len(team.slack.messages)
    await team.incident.record(ASKED)
    [(found, due)] = (await due_reminders(team.incident.environment, now())).updates
    assert (found.id, due.channels) == (team.incident.id, ("slack",))
    for _ in range(2):
        assert await announce_now(team.incident, due) == ASKED
        assert not (await due_reminders(team.incident.environment, now())).updates
    told = team.slack.messages[before:]
    assert [message["thread_ts"] for message in told] == [team.slack.messages[0]["ts"]]
    assert "Next update:" in told[0]["text"]
    journal = await team.incident.read()
    assert [item.next_update_at is not None for item in journal.announcements] == [True, True]


async def test_an_update_that_does_not_get_through_is_due_again(team: Team) -> None:
    """After a pause, with what is true by then."""
    await announce(team.incident, State.INVESTIGATING)
    await team.incident.record(ASKED)
    [(_, due)] = (await due_reminders(team.incident.environment, now())).updates
    team.slack.faults = SlackFaults(error="is_archived")
    assert await announce_now(team.incident, due) is None
    team.slack.faults = SlackFaults()
    policy, later = team.incident.policy, now() + timedelta(hours=2)
    again = due_update(await team.incident.read(), channels=["slack"], policy=policy, now=later)
    assert again == due
    assert await announce_now(team.incident, again) == ASKED
