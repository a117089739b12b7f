"""The team on Mattermost hears of an incident as the team on Slack does."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks.channels.mattermost import Mattermost
from blocks.environment import OPTIONAL, Environment, block_types
from deployments.drill.world.channels.mattermost import CHANNEL_ID, TOKEN
from deployments.drill.world.channels.mattermost import Mattermost as Server
from deployments.drill.world.servers.wire import listening
from deployments.prefect.configure import blocks
from deployments.settings.settings import check_settings
from runbook.actions.catalogue import ActionOutcome
from runbook.channels.reminders import Notice
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.state import IncidentOutcome, State
from tasks.channels.communicate import announce, hand_over, update
from tasks.channels.direct_pages import page_and_say
from tasks.channels.page import escalate, page_on_opening, resolve_page
from tasks.channels.refresh import refresh
from tasks.channels.remind import remind_of_gate, report_switch
from tasks.channels.warn import warn_of_answers
from tasks.incident import OpenIncident, now
from tests.runbook.journals import FALLBACK, PLAN, asked, decision, finished
from tests.tasks.environments import NOWHERE, environment, open_incident

UNDECIDED = Escalation(kind=EscalationKind.NO_DECISION)


@dataclasses.dataclass
class Team:
    """An incident of a team that has Mattermost and nothing else."""

    incident: OpenIncident
    server: Server

    def said(self) -> list[str]:
        """The first lines of all posts."""
        return [post["message"].splitlines()[0] for post in self.server.posts]


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    """The team, with Mattermost imitated at the wire."""
    server, opened = Server(), await open_incident(tmp_path)
    async with listening(server.app) as url:
        channel = Mattermost(url=url, token=SecretStr(TOKEN), channel_id=CHANNEL_ID)
        at_work = dataclasses.replace(opened.environment, more_channels=(channel,))
        yield Team(OpenIncident(id=opened.id, environment=at_work), server)


async def test_an_incident_is_told_from_beginning_to_end(team: Team) -> None:
    """Announcements are one thread; what somebody has to do stands by itself."""
    incident = team.incident
    await announce(incident, State.INVESTIGATING)
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    await page_on_opening(incident)
    await announce(incident, State.IDENTIFIED)
    assert await hand_over(incident, "4-hand-off", "Ask PostHog's support @channel")
    await incident.record(e.ActionPreviewed(plan=PLAN, since=now()))
    await incident.record_once(asked())
    await refresh(incident)
    gate = (await incident.read()).pending_gate
    assert gate is not None
    assert await remind_of_gate(incident, Notice(gate=gate, escalated=False))
    assert await remind_of_gate(incident, Notice(gate=gate, escalated=True))
    await warn_of_answers(incident)
    await incident.record_once(finished(ActionOutcome.RECOVERED))
    await announce(incident, State.MONITORING)
    await update(incident)
    await incident.record_once(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=()))
    assert await report_switch(incident, FALLBACK)
    await announce(incident, State.RESOLVED)
    await resolve_page(incident)

    beginnings = [line.partition(":")[0] for line in team.said()]
    assert beginnings == [
        "⚪ **INCIDENT",
        "🔴 **P1 INCIDENT",
        "🙋 Ask PostHog's support \N{FULLWIDTH COMMERCIAL AT}channel",
        "❓ **Enable the fallback (graceful degradation)**",
        "⏰ **Nobody has answered yet",
        "☎️ **A person is needed",
        "🚫 An answer was rejected",
        "🔴 **P1 INCIDENT",
        "🔌 **May still be on",
        "✅ **P1 INCIDENT",
    ]
    first = team.server.posts[0]["id"]
    loud = [post["root_id"] == "" for post in team.server.posts]
    assert loud == [True, False, False, True, True, True, True, False, True, False]
    assert {post["root_id"] for post in team.server.posts} == {"", first}
    journal = await incident.read()
    assert {effect.kind for effect in journal.effects.values()} == {"mattermost"}
    assert {effect.outcome for effect in journal.effects.values()} == {EffectOutcome.APPLIED}
    told = [str(state) for state in State if state.told is state]
    assert [item.state for item in journal.announcements] == told


async def test_what_is_there_already_is_not_posted_again(team: Team) -> None:
    """Its answer was lost, and the channel is read back by the effect's id."""
    team.server.loses_answers = True
    await escalate(team.incident, UNDECIDED, "the facts do not suffice")
    team.server.loses_answers = False
    assert await escalate(team.incident, UNDECIDED, "nobody can tell what is wrong")

    assert team.said() == ["☎️ **A person is needed:** the facts do not suffice"]
    (effect,) = (await team.incident.read()).effects.values()
    assert (effect.outcome, effect.summary) == (EffectOutcome.APPLIED, team.said()[0].replace("️", ""))


async def test_a_call_about_the_runbook_itself_arrives_once(team: Team) -> None:
    """It has no journal; the channel itself tells whether it was said."""
    at_work, since = team.incident.environment, now() - timedelta(minutes=1)
    for _ in range(2):
        assert await page_and_say(
            at_work, key="k", message="self-watch/test/1", text="it does not work", since=since
        )
    assert team.said() == ["it does not work"]


async def test_a_section_of_the_settings_makes_the_block(tmp_path: Path) -> None:
    """A new channel is optional, configured as all systems are, and in the environment that a run loads."""
    assert (block_types()["mattermost"], "mattermost" in OPTIONAL) == (Mattermost, True)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "kubeconfig").write_text("apiVersion: v1\nkind: Config\n")
    tables = {
        "status_page": {"url": NOWHERE},
        "posthog": {"app_url": NOWHERE, "ingest_url": NOWHERE, "api_key": {"file": "token"}},
        "integration": {"health_url": NOWHERE},
        "prometheus": {"url": NOWHERE},
        "cluster": {"kubeconfig": "kubeconfig"},
        "mattermost": {"url": NOWHERE, "token": {"file": "token"}, "channel_id": CHANNEL_ID},
    }
    made = blocks(check_settings(tables, origin=tmp_path / "runbook.toml"))
    (channel,) = Environment.of("test", made).channels
    assert isinstance(channel, Mattermost)
    assert channel.token.get_secret_value() == TOKEN


async def test_a_team_without_it_is_as_before(tmp_path: Path) -> None:
    """Nothing is told to a channel that nobody has."""
    assert environment(tmp_path).channels == ()
