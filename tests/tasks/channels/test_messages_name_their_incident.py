"""A message that stands in no thread of its incident names it, by id and title, and says where it is."""

import json
from datetime import UTC, datetime

import pytest

from blocks.channels.channel import Post
from blocks.channels.notifications.sides import Side
from blocks.channels.slack import Slack
from runbook.channels.messages import About, Message, escalation_message
from runbook.channels.reminders import LeadNews
from runbook.channels.samples.messages import message_names, sample_of
from runbook.incidents import events as e
from runbook.incidents.state import State
from runbook.policy.policy import Policy
from tasks.channels.communicate import announce
from tasks.channels.remind import tell_of_lead
from tests.tasks.channels.audience import Audience, audience
from tests.tasks.channels.readers import SUPPORT, TEAM, Readers, readers

__all__ = ["audience", "readers"]

LINK = "https://prefect.example/runs/flow-run/1"
ABOUT = About(incident="inc-20261122-150000-0a1b", title="PostHog Integration", link=LINK)
POST = Post(id="inc-1/email/opened", since=datetime(2026, 11, 22, tzinfo=UTC), about=ABOUT)
KINDS = sorted({name.partition(".")[0] for name in message_names()} - {"external", "root"})


def content(kind: str) -> Message:
    """A message of that kind about some incident, as `runbook render` shows it."""
    side = "text" if kind == "support" else "slack"
    made = sample_of(f"{kind}.{side}.j2", None, policy=Policy(), now=datetime.now(UTC)).content
    assert isinstance(made, Message)
    return made


def names_it(text: str) -> bool:
    """Whether a reader who has this message alone finds the incident."""
    return all(part in text for part in (ABOUT.incident, ABOUT.title, LINK))


@pytest.mark.parametrize("kind", KINDS)
async def test_each_message_in_an_email_and_in_teams_names_its_incident(readers: Readers, kind: str) -> None:
    """Whatever its template says; so does the subject of an e-mail, which is all that a phone shows."""
    for block in (readers.email_block, readers.teams_block):
        for side in block.sides:
            assert isinstance(side, Side)
            await side._send(content(kind), POST)
    for mail in readers.mail.taken:
        assert names_it(mail.text)
        assert mail.subject.count(ABOUT.incident) == 1
    for posted in readers.teams.posted:
        assert names_it(posted)
    assert len(readers.mail.taken) == len(readers.teams.posted) == 2


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"support"}))
async def test_a_message_that_opens_the_thread_in_slack_names_its_incident(
    audience: Audience, kind: str
) -> None:
    """The first message may not have arrived; what stands below it has it above."""
    slack = audience.incident.environment.slack
    assert isinstance(slack, Slack)
    await slack.say(content(kind), POST)
    (said,) = audience.slack.messages
    shown = json.dumps([said["text"], said.get("blocks")])
    assert names_it(shown) or ("inc-" in shown and "prefect.example" in shown)


@pytest.mark.parametrize("text", ["x" * 60_000, "x y\n" * 8_000])
async def test_a_message_that_is_cut_still_names_its_incident(readers: Readers, text: str) -> None:
    """The end of what was said is left out, not that line."""
    for block in (readers.email_block, readers.teams_block):
        await block.sides[0]._send(Message("hand_off", {"text": text}), POST)  # type: ignore[attr-defined]
    assert all(names_it(mail.text) for mail in readers.mail.taken)
    assert all(names_it(posted) for posted in readers.teams.posted)


@pytest.mark.parametrize("linked", [True, False])
async def test_an_address_is_told_once(readers: Readers, linked: bool) -> None:
    """Where the message has it, the last line names the incident alone."""
    for block in (readers.email_block, readers.teams_block):
        message = escalation_message("x", link=LINK if linked else "")
        await block.sides[0]._send(message, POST)  # type: ignore[attr-defined]
    assert [text.count(LINK) for text in (readers.mail.taken[0].text, *readers.teams.posted)] == [1, 1]


async def test_whoever_hears_of_the_lead_by_email_knows_of_which_incident(readers: Readers) -> None:
    """So does support of each state: what is delivered knows what it is about."""
    incident = readers.incident
    await incident.record(e.RunStarted(flow_run_id="run-1", url=LINK))
    await announce(incident, State.INVESTIGATING)
    await incident.record(e.LeadAssigned(lead="ana", by="ana"))
    news = LeadNews(assigned=e.LeadAssigned(lead="ana", by="ana"), number=1)
    assert await tell_of_lead(incident, news) is not None
    *_, told = readers.mails_to(TEAM)
    assert told.startswith("ana (unproven claim) is the lead now")
    for text in (told, *readers.mails_to(SUPPORT)):
        assert f"Incident: Service Of Inc 1, {incident.id}" in text
        assert LINK in text
