"""People hear of what waits for them, once, and only of what is so."""

from uuid import uuid4

from deployments.drill.world.faults import SlackFaults
from runbook.approvals.gates import Choice
from runbook.incidents import events as e
from runbook.incidents.state import State
from tasks.channels.communicate import announce
from tasks.channels.page import page_on_opening, resolve_page
from tasks.channels.remind import remind_of_gate, tell_of_lead
from tasks.incident import OpenIncident
from tasks.lease import exclusively
from tests.runbook.journals import answered
from tests.tasks.channels.team import LINK, Team, team

__all__ = ["team"]  # a fixture, found here


async def reminders(incident: OpenIncident) -> list[bool]:
    """The notices in the journal: whether each was an escalation."""
    return [event.escalated for event in (await incident.read()).events(e.ApprovalReminded)]


async def test_a_reminder_is_seen_in_thread_and_channel(team: Team) -> None:
    """It says what is asked and where to answer, and is journalled, so that it is due no more."""
    await announce(team.incident, State.INVESTIGATING)
    notice = await team.notice()
    assert notice == await team.due(escalated=False)

    assert await remind_of_gate(team.incident, notice) is not None

    opening, asked, reminder = team.slack.messages
    assert asked["text"].startswith("❓ Enable the fallback")
    assert reminder["text"].startswith("⏰ Nobody has answered yet: Enable the fallback")
    digest = notice.gate.plan_digest[:12]
    how = f"`runbook approve {team.incident.id} --plan {digest}` (or reject, edit, snooze), or at <{LINK}>"
    assert how in reminder["text"]
    assert (reminder["thread_ts"], reminder["subtype"]) == (opening["ts"], "thread_broadcast")
    assert await reminders(team.incident) == [False]
    assert await team.notice() is None
    assert team.pager.pages == []


async def test_an_escalation_pages_beside_the_open_call(team: Team) -> None:
    """An open call does not swallow it: it is an alert of its own, and ends with the incident."""
    await page_on_opening(team.incident)
    await remind_of_gate(team.incident, await team.due(escalated=True))

    opening, page = team.pager.pages
    assert "nobody has answered gate-1 since" in page.summary
    assert "Enable the fallback" in page.summary
    assert await reminders(team.incident) == [True]

    await resolve_page(team.incident)
    assert (opening.state, page.state) == ("resolved", "resolved")


async def test_a_notice_is_given_once(team: Team) -> None:
    """A run that died before it could journal the notice is followed by one that does not repeat it."""
    for escalated in (False, True):
        for _ in range(2):
            await remind_of_gate(team.incident, await team.due(escalated=escalated))

    assert len(team.slack.messages) == 2
    assert len(team.pager.pages) == 1
    assert await reminders(team.incident) == [False, True]


async def test_whoever_has_answered_is_not_reminded(team: Team) -> None:
    """An answer that came after the look at the clock counts."""
    notice = await team.due(escalated=True)
    await team.incident.record(answered(Choice.REJECT))

    assert await remind_of_gate(team.incident, notice) is None
    assert (team.slack.messages, team.pager.pages) == ([], [])
    assert await reminders(team.incident) == []


async def test_whoever_has_acknowledged_is_not_reminded(team: Team) -> None:
    """An acknowledgement that came after the look at the clock counts; nobody is paged about it either."""
    notice = await team.due(escalated=True)
    await team.incident.record(e.IncidentAcknowledged(by="ana"))

    assert await team.notice() is None
    assert await remind_of_gate(team.incident, notice) is None
    assert (team.slack.messages, team.pager.pages) == ([], [])


async def test_the_lead_is_told_once_in_the_thread(team: Team) -> None:
    """As one message that the journal has, and as the commander of the next update."""
    await announce(team.incident, State.INVESTIGATING)
    await team.incident.record(e.LeadAssigned(lead="ana", by="ana"))
    news = await team.lead()
    assert news is not None
    for _ in range(2):
        assert await tell_of_lead(team.incident, news) == e.LeadAssigned(lead="ana", by="ana")

    opening, _, told = team.slack.messages
    assert told["text"].startswith("ana (unproven claim) is the lead now")
    assert told["thread_ts"] == opening["ts"]
    assert await team.lead() is None

    await announce(team.incident, State.IDENTIFIED)
    assert "Incident commander: @ana" in team.slack.messages[-1]["text"]


async def test_a_lead_that_the_team_was_not_told_is_due_again(team: Team) -> None:
    """The channel may be away for a while."""
    await announce(team.incident, State.INVESTIGATING)
    await team.incident.record(e.LeadAssigned(lead="ana", by="ana"))
    news = await team.lead()
    assert news is not None
    team.slack.faults = SlackFaults(error="is_archived")
    assert await tell_of_lead(team.incident, news) is None
    team.slack.faults = SlackFaults()
    assert await tell_of_lead(team.incident, news) is not None
    assert await team.lead() is None


async def test_a_notice_that_does_not_get_through_is_due_again(team: Team) -> None:
    """The journal does not claim that people were told, and the next try tells them."""
    team.slack.faults = SlackFaults(error="is_archived")
    notice = await team.due(escalated=False)
    assert await remind_of_gate(team.incident, notice) is None
    assert await reminders(team.incident) == []

    team.slack.faults = SlackFaults()
    assert await remind_of_gate(team.incident, notice) is not None
    assert len(team.slack.messages) == 1


async def test_a_team_without_slack_is_paged_all_the_same(team: Team) -> None:
    """Nobody can be reminded without a channel; the page still comes."""
    bare = team.without("slack")
    assert await remind_of_gate(bare, await team.due(escalated=False)) is None
    assert await remind_of_gate(bare, await team.due(escalated=True)) is not None
    assert len(team.pager.pages) == 1
    assert await reminders(team.incident) == [True]


async def test_a_team_without_any_channel_is_not_said_to_be_told(team: Team) -> None:
    """An escalation that reached nobody stays due."""
    assert await remind_of_gate(team.without("slack", "pager"), await team.due(escalated=True)) is None
    assert await reminders(team.incident) == []


async def test_one_run_at_a_time_reminds(team: Team) -> None:
    """A run that comes while another is at it does nothing; the next one has its turn."""
    environment = team.incident.environment
    async with (
        exclusively(environment, "reminders", str(uuid4())) as first,
        exclusively(environment, "reminders", str(uuid4())) as second,
    ):
        assert (first, second) == (True, False)
    async with exclusively(environment, "reminders", str(uuid4())) as third:
        assert third
