"""People hear of what waits for them, once, and only of what is so."""

import dataclasses
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from blocks.channels.pager import Pager
from blocks.channels.slack import Slack
from deployments.drill.world.channels.pagerduty import PagerDuty
from deployments.drill.world.channels.slack import CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.faults import SlackFaults
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.fallback import DISABLE_FALLBACK
from runbook.approvals.gates import Choice
from runbook.channels.reminders import LeadNews, Notice, due_lead, due_notice, due_reports
from runbook.incidents import events as e
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.sentences import sentence
from runbook.incidents.state import State
from tasks.channels.communicate import announce, escalate, page_on_opening, resolve_page
from tasks.channels.remind import remind_of_gate, report_switch, tell_of_lead
from tasks.incident import OpenIncident, now
from tasks.lease import exclusively
from tests.blocks.cluster_world import ClusterWorld, cluster_world
from tests.runbook.journals import FALLBACK, PLAN, answered, asked, finished, resolved
from tests.tasks.environments import environment, open_incident

KEYS = Keys.generated(random.Random(7))  # noqa: S311 - repeatable on purpose
LINK = "http://prefect.example/runs/1"


@dataclasses.dataclass
class Team:
    """An incident and who is told of it."""

    incident: OpenIncident
    slack: Workspace
    pager: PagerDuty

    def said(self) -> list[str]:
        """The first lines of all messages in the channel."""
        return [message["text"].splitlines()[0] for message in self.slack.messages]

    def without(self, *systems: str) -> OpenIncident:
        """The incident of a team that does not have these systems."""
        nothing = dict.fromkeys(systems)
        changed = dataclasses.replace(self.incident.environment, **nothing)  # type: ignore[arg-type]
        return OpenIncident(id=self.incident.id, environment=changed)

    async def notice(self) -> Notice | None:
        """What is due now."""
        return due_notice(await self.incident.read(), policy=self.incident.policy, now=now())

    async def lead(self) -> LeadNews | None:
        """The lead of whom the team has to be told now."""
        kinds = [channel.kind for channel in self.incident.environment.speakers]
        told, policy = await self.incident.read(), self.incident.policy
        return due_lead(told, channels=kinds, policy=policy, now=now())

    async def due(self, *, escalated: bool) -> Notice:
        """The notice, whether or not it is due."""
        gate = (await self.incident.read()).pending_gate
        assert gate is not None
        return Notice(gate=gate, escalated=escalated)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    """An incident at a gate, with Slack and a pager imitated at the wire; reminders are due at once."""
    slack, pager = Workspace(KEYS), PagerDuty(KEYS)
    opened = await open_incident(tmp_path, remind_after_seconds=1, escalate_after_seconds=3600)
    async with listening(slack.app) as slack_url, listening(pager.app) as pager_url:
        at_work = dataclasses.replace(
            opened.environment,
            slack=Slack(token=KEYS.slack_token, channel=CHANNEL_ID, base_url=f"{slack_url}/api/"),
            pager=Pager(routing_key=KEYS.pagerduty_routing_key, base_url=pager_url),
        )
        incident = OpenIncident(id=opened.id, environment=at_work)
        await incident.record(e.RunStarted(flow_run_id="run-1", url=LINK))
        await incident.record(e.ActionPreviewed(plan=PLAN, since=now()))
        await write(incident, asked(), at=now() - timedelta(minutes=10))
        yield Team(incident, slack, pager)


async def write(incident: OpenIncident, event: e.Event, *, at: datetime) -> None:
    """Journal an event of another time."""
    await incident.environment.store.append(incident.id, event, at=at)


async def reminders(incident: OpenIncident) -> list[bool]:
    """The notices in the journal: whether each was an escalation."""
    return [event.escalated for event in (await incident.read()).events(e.ApprovalReminded)]


async def test_a_reminder_is_seen_in_thread_and_channel(team: Team) -> None:
    """It says what is asked and where to answer, and is journalled, so that it is due no more."""
    await announce(team.incident, State.INVESTIGATING)
    notice = await team.notice()
    assert notice == await team.due(escalated=False)

    assert await remind_of_gate(team.incident, notice) is not None

    opening, reminder = team.slack.messages
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

    opening, told = team.slack.messages
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
    assert first == second
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
