"""The clock behind the gates, as a flow on a real Prefect server: it tells everything that is due, once."""

import dataclasses
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from prefect import flow

from blocks.channels.slack import Slack, SlackMessage
from blocks.environment import Environment
from deployments.drill.world.channels.pagerduty import PagerDuty
from deployments.drill.world.channels.slack import CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening
from deployments.prefect.configure import configure
from deployments.settings.settings import check_settings
from flows.remind import remind, remind_of_everything
from runbook.actions.catalogue import ActionOutcome
from runbook.incidents import events as e
from runbook.outside_text.slack import SlackText
from tasks.channels.page import page_on_opening
from tasks.incident import OpenIncident, now
from tasks.lease import REMINDERS, exclusively, next_turn
from tests.runbook.journals import ALERT, asked, finished, resolved

KEYS = Keys.generated(random.Random(5))  # noqa: S311 - repeatable on purpose
NAME = "reminding"

pytestmark = [
    pytest.mark.real,
    pytest.mark.usefixtures("prefect_api"),
]


@pytest.fixture
async def slack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workspace]:
    """The channel of a configured environment in which no cluster answers."""
    workspace = Workspace(KEYS)
    monkeypatch.setenv("SLACK_TOKEN", KEYS.slack_token.get_secret_value())
    async with listening(workspace.app) as url:
        tables = {
            "prefect": {"environment": NAME},
            "integration": {"health_url": "http://127.0.0.1:9/health"},
            "cluster": {"kubeconfig": str(tmp_path / "kubeconfig")},
            "slack": {"token": {"env": "SLACK_TOKEN"}, "channel": CHANNEL_ID, "base_url": f"{url}/api/"},
        }
        await configure(check_settings(tables, origin=tmp_path / "runbook.toml"), deployments=[])
        yield workspace


async def opened(name: str, *events: e.Event, environment: str = NAME) -> None:
    """Another incident of the environment to which these events happened two days ago."""
    store = (await Environment.load(NAME)).store
    alert, at = ALERT.model_copy(update={"service": name}), now() - timedelta(days=2)
    await store.open_incident(alert, incident_id=name, at=at, environment=environment)
    for event in events:
        key = f"finished:{event.result.action.id}" if isinstance(event, e.ActionFinished) else None
        await store.append(name, event, at=at, key=key)


async def test_everything_that_is_due_is_told_once(slack: Workspace) -> None:
    """Gates of open incidents and switches of ended ones; those of another environment are left alone."""
    await opened("inc-1", asked())
    await opened(
        "inc-2", finished(ActionOutcome.RECOVERED), resolved(), e.IncidentClosed(outcome="recovered")
    )
    await opened("inc-3", asked(), environment="another")

    told = await remind(environment=NAME)
    assert [sentence.partition(": cannot")[0] for sentence in sorted(told)] == [
        "inc-1: A person was paged: gate-1 is unanswered",
        "inc-2: POSTHOG_FALLBACK=true may still be on: Kubernetes",
    ]
    assert await remind(environment=NAME) == []
    assert len(slack.messages) == 2


async def test_a_new_lead_is_told_once(slack: Workspace) -> None:
    """With the reminders, as one message."""
    announced = e.StatusAnnounced(channel="slack", state="INVESTIGATING")
    await opened("inc-1", announced, e.LeadAssigned(lead="ana", by="bob"))
    assert await remind(environment=NAME) == ["inc-1: bob (unproven claim) made ana the lead"]
    assert await remind(environment=NAME) == []
    [message] = slack.messages
    assert message["text"].startswith("bob (unproven claim) made ana the lead")


async def test_a_run_beside_another_tells_nothing(slack: Workspace) -> None:
    """Where runs overlap, one of them tells; the next one would, and repeats none."""
    await opened("inc-1", asked())
    blocks = await Environment.load(NAME)
    before = await next_turn(blocks, REMINDERS, at=now())
    async with exclusively(blocks, REMINDERS, str(uuid4())):
        assert await next_turn(blocks, REMINDERS, at=now()) is None
        assert await remind(environment=NAME) == []
    assert slack.messages == []
    assert await next_turn(blocks, REMINDERS, at=now()) not in (None, before)
    assert len(await remind(environment=NAME)) == 1


class SlackWithAFault(Slack):
    """Slack whose code has a fault that only one incident runs into."""

    _block_type_slug: ClassVar[str] = "slack-with-a-fault"

    async def post(self, text: SlackText, *, effect_id: str, **how: Any) -> SlackMessage:
        """Post unless it is of that incident."""
        if effect_id.startswith("inc-1/"):
            raise RuntimeError("a fault")
        return await super().post(text, effect_id=effect_id, **how)


async def test_what_fails_for_one_incident_costs_no_other_its_reminder(slack: Workspace) -> None:
    """The run fails, so that somebody looks; everybody else has been told."""
    await opened("inc-1", asked())
    await opened("inc-2", asked())
    blocks = await Environment.load(NAME)
    assert blocks.slack is not None
    faulty = SlackWithAFault.model_validate(blocks.slack.model_dump(include=set(Slack.model_fields)))

    @flow
    async def remind_with_a_fault() -> list[str]:
        return await remind_of_everything(dataclasses.replace(blocks, slack=faulty))

    with pytest.raises(ExceptionGroup, match="not all reminders could be sent"):
        await remind_with_a_fault()
    (message,) = slack.messages
    assert "runbook approve inc-2" in message["text"]


async def test_the_pager_is_told_who_has_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the flow that tells people everything else, once."""
    pager = PagerDuty(KEYS)
    monkeypatch.setenv("ROUTING_KEY", KEYS.pagerduty_routing_key.get_secret_value())
    async with listening(pager.app) as url:
        tables = {
            "prefect": {"environment": NAME},
            "integration": {"health_url": "http://127.0.0.1:9/health"},
            "cluster": {"kubeconfig": str(tmp_path / "kubeconfig")},
            "pager": {"routing_key": {"env": "ROUTING_KEY"}, "base_url": url},
        }
        await configure(check_settings(tables, origin=tmp_path / "runbook.toml"), deployments=[])
        blocks = await Environment.load(NAME)
        await opened("inc-1")
        await page_on_opening(OpenIncident(id="inc-1", environment=blocks))
        await blocks.store.append("inc-1", e.IncidentAcknowledged(by="ana"), at=now())
        assert await remind(environment=NAME) == ["inc-1: ana (unproven claim) acknowledged the incident"]
        assert await remind(environment=NAME) == []
    [page] = pager.pages
    assert [event["event_action"] for event in page.events] == ["trigger", "acknowledge"]
