"""The team and support hear of an incident by e-mail and in Microsoft Teams, at most once of each thing."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from blocks.channels.channel import Post, Speaker
from blocks.transport.errors import OutsideError, Refused, Unavailable
from runbook.actions.catalogue import ActionOutcome
from runbook.channels.cards.root import root_card
from runbook.channels.messages import Message, escalation_message, hand_off_message, notice_message
from runbook.channels.untold import failing_channels, untold
from runbook.incidents import events as e
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome, State
from runbook.policy.policy import Policy
from tasks.caretaking.due import due_reminders
from tasks.channels.communicate import announce, announce_missed, hand_over
from tasks.channels.page import escalate
from tasks.channels.refresh import refresh
from tasks.incident import OpenIncident, now
from tests.fixtures.smtp_server import LONGEST_LINE
from tests.fixtures.teams_workflow import MOST_BYTES, SIGNATURE
from tests.runbook.journals import PLAN, asked, decision, finished
from tests.tasks.channels.readers import LEAD, LOGIN, SUPPORT, TEAM, Readers, readers, with_channels
from tests.tasks.environments import open_incident

__all__ = ["readers"]

POST = Post(id="inc-1/email/opened", since=datetime(2026, 11, 22, tzinfo=UTC))
HOSTILE = "down\r\nBcc: all@example.com\n# h [a](http://b.example) *b* <at>all@example.com</at> <b>x"


async def effects(incident: OpenIncident) -> dict[str, Effect]:
    """The effects of the incident, by their ids without the incident."""
    journal = await incident.read()
    return {effect.id.partition("/")[2]: effect for effect in journal.effects.values()}


def speaker(block: object) -> Speaker:
    """The side of a block that the team is told by."""
    (side,) = [side for side in getattr(block, "sides", ()) if isinstance(side, Speaker)]
    return side


async def test_an_incident_is_told_from_beginning_to_end(readers: Readers) -> None:
    """Each thing is one message to each audience, and each message an effect of the journal."""
    incident = readers.incident
    await announce(incident, State.INVESTIGATING)
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    await announce(incident, State.IDENTIFIED)
    await announce(incident, State.IDENTIFIED)
    await incident.record(e.ActionPreviewed(plan=PLAN, since=now()))
    await incident.record_once(asked())
    await refresh(incident)
    assert await hand_over(incident, "4-hand-off", "Ask PostHog's support")
    await incident.record_once(finished(ActionOutcome.RECOVERED))
    await incident.record_once(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=()))
    await announce(incident, State.RESOLVED)

    beginnings = [each.subject.partition(":")[0] for each in readers.mail.taken if TEAM in each.readers]
    assert beginnings == [
        "⚪ INCIDENT",
        "🔴 P1 INCIDENT",
        "❓ Enable the fallback (graceful degradation)",
        "🙋 Ask PostHog's support",
        "✅ P1 INCIDENT",
    ]
    supported = [text.splitlines()[0] for text in readers.mails_to(SUPPORT)]
    assert supported == [
        f"{mark} For support: our PostHog integration: {state}"
        for mark, state in (("⚪", "INVESTIGATING"), ("🔴", "IDENTIFIED"), ("✅", "RESOLVED"))
    ]
    assert len(readers.teams.posted) == len(readers.mail.taken)
    assert {tuple(each.readers) for each in readers.mail.taken} == {(TEAM, LEAD), (SUPPORT,)}
    threads = {each.message["References"] for each in readers.mail.taken}
    assert threads == {"<inc-1@example.com>"}
    told = await effects(incident)
    assert {effect.outcome for effect in told.values()} == {EffectOutcome.APPLIED}
    assert {effect.kind for effect in told.values()} == {"email", "email-support", "teams", "teams-support"}


async def test_support_is_not_told_of_a_rehearsal(readers: Readers, tmp_path: object) -> None:
    """It would tell users; the team is told that it is one."""
    folder = tmp_path / "rehearsal"  # type: ignore[operator]
    folder.mkdir()
    rehearsed = await open_incident(folder, dry_run=True)
    await announce(with_channels(rehearsed, readers.email_block), State.INVESTIGATING)
    (mail,) = readers.mail.taken
    assert mail.readers == [TEAM, LEAD]
    assert mail.subject.startswith("REHEARSAL: ⚪ INCIDENT")
    assert mail.text.startswith("REHEARSAL: nothing will be changed\n")


async def test_what_may_have_been_sent_is_not_sent_again(readers: Readers) -> None:
    """Its answer was lost and nobody can look: it stays in doubt, in Teams it went through."""
    incident, what = readers.incident, Escalation(kind=EscalationKind.NO_DECISION)
    readers.mail.loses_answers = True
    assert await escalate(incident, what, "the facts do not suffice")
    readers.mail.loses_answers = False
    length = len((await incident.read()).journal)
    for _ in range(2):
        assert await escalate(incident, what, "the facts do not suffice")

    assert len(readers.mail.taken) == len(readers.teams.posted) == 1
    told = await effects(incident)
    assert told["email/escalated-1"].outcome is EffectOutcome.UNSETTLED
    assert "nobody can look there" in told["email/escalated-1"].detail
    assert told["teams/escalated-1"].outcome is EffectOutcome.APPLIED
    assert len((await incident.read()).journal) == length


async def test_where_all_is_in_doubt_nobody_is_taken_for_told(readers: Readers) -> None:
    """It does not count as got through; nor does the journal say that nobody could be told."""
    incident, what = readers.incident, Escalation(kind=EscalationKind.NO_DECISION)
    readers.mail.loses_answers, readers.teams.answers = True, [500]
    for _ in range(2):
        assert not await escalate(incident, what, "the facts do not suffice")
    assert len(readers.mail.taken) == len(readers.teams.posted) == 1
    assert untold(await incident.read()) == ()


async def test_what_a_killed_process_was_about_to_send_is_not_sent_again(readers: Readers) -> None:
    """The journal has the intent alone; the next state is told."""
    incident = readers.incident
    await announce(incident, State.INVESTIGATING)
    sent = (await effects(incident))["email/investigating-1"]
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    killed = sent.model_copy(update={"id": "inc-1/email/identified-2", "outcome": None, "receipt": {}})
    await incident.record(e.EffectIntended(effect=killed))
    await announce(incident, State.IDENTIFIED)
    assert len(readers.mails_to(TEAM)) == 1
    assert (await effects(incident))["email/identified-2"].outcome is EffectOutcome.UNSETTLED
    await incident.record_once(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=()))
    await announce(incident, State.RESOLVED)
    assert len(readers.mails_to(TEAM)) == 2


async def test_a_channel_that_was_away_gets_todays_words(readers: Readers) -> None:
    """What failed for certain is not told any more once the state is another."""
    incident = readers.incident
    readers.mail.refuses = {"MAIL": "451 4.3.0 later"}
    await announce(incident, State.INVESTIGATING)
    told = await effects(incident)
    assert told["email/investigating-1"].outcome is EffectOutcome.FAILED
    assert told["teams/investigating-1"].outcome is EffectOutcome.APPLIED
    readers.mail.refuses = {}
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    await announce(incident, State.IDENTIFIED)
    assert [text.splitlines()[0] for text in readers.mails_to(TEAM)] == [
        "🔴 P1 INCIDENT: Service Of Inc 1: IDENTIFIED"
    ]


async def test_a_channel_that_is_back_is_told_where_things_stand(readers: Readers) -> None:
    """The reminders look after it, with a pause that grows; what went through elsewhere is not told again."""
    incident = readers.incident
    readers.mail.refuses = {"MAIL": "451 4.3.0 later"}
    await announce(incident, State.INVESTIGATING)
    assert (await due_reminders(incident.environment, now())).missed == []
    found = (await due_reminders(incident.environment, now() + timedelta(minutes=2))).missed
    assert [channel for _, channel in found] == ["email", "email-support"]
    assert await announce_missed(incident, "email") is None  # the pause is not over
    readers.mail.refuses = {}
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    journal = await incident.read()
    later = now() + timedelta(minutes=2)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tasks.channels.communicate.now", lambda: later)
        told = await announce_missed(incident, "email")
    assert told is not None
    assert (told.channel, told.state) == ("email", journal.state.told)
    assert len(readers.mails_to(TEAM)) == 1
    assert len(readers.teams.posted) == 2
    left = (await due_reminders(incident.environment, later)).missed
    assert [channel for _, channel in left] == ["email-support"]


async def test_the_first_message_elsewhere_says_which_channel_fails(readers: Readers) -> None:
    """Until that channel takes a message again; what is in doubt is called so."""
    incident = readers.incident
    readers.mail.refuses, readers.teams.answers = {"MAIL": "451 4.3.0 later"}, [500]
    await announce(incident, State.INVESTIGATING)
    said = failing_channels(await incident.read(), besides="slack")
    assert [sentence.partition(":")[0] for sentence in said] == [
        "email does not take messages",
        "email support does not take messages",
        "teams may or may not have taken the last message",
    ]
    readers.mail.refuses = {}
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    await announce(incident, State.IDENTIFIED)
    assert failing_channels(await incident.read(), besides="slack") == ()


async def test_what_colleagues_are_told_is_not_taken_for_the_status_page(readers: Readers) -> None:
    """The first message in Slack says what the public was told, not support."""
    incident = readers.incident
    await announce(incident, State.INVESTIGATING)
    assert _shown_of_the_page(await incident.read()) == ""
    await incident.record(e.StatusAnnounced(channel="status-page", state="INVESTIGATING", reference="p1"))
    await incident.record_once(e.DecisionMade(round=1, decision=decision()))
    await announce(incident, State.IDENTIFIED)
    assert _shown_of_the_page(await incident.read()) == "INVESTIGATING"


def _shown_of_the_page(journal: Incident) -> object:
    card = root_card(journal, channel="slack", policy=Policy(), now=now(), link="")
    return card.values["status_page"]


@pytest.mark.parametrize(
    ("fault", "kind", "landed"),
    [
        ({"refuses": {"RCPT": "550 5.1.1 nobody here"}}, Refused, False),
        ({"refuses": {"DATA": "451 4.7.1 greylisted"}}, Unavailable, False),
        ({"login": ("somebody", "else")}, Refused, False),
        ({"loses_answers": True}, Unavailable, True),
        ({"is_slow": True}, Unavailable, True),
    ],
    ids=["reader", "later", "login", "lost", "slow"],
)
async def test_an_email_that_fails_says_whether_it_may_have_arrived(
    readers: Readers, fault: dict[str, object], kind: type[OutsideError], landed: bool
) -> None:
    """What the server refuses was not sent; no password is in the reason."""
    for name, value in fault.items():
        setattr(readers.mail, name, value)
    with pytest.raises(kind) as failed:
        await speaker(readers.email_block).say(notice_message("x"), POST)
    assert getattr(failed.value, "may_have_landed", False) is landed
    assert LOGIN[1] not in str(failed.value)


@pytest.mark.parametrize(
    ("status", "kind", "landed"),
    [
        (401, Refused, False),
        (413, Refused, False),
        (302, Refused, False),
        (429, Unavailable, False),
        (502, Unavailable, True),
        (0, Unavailable, True),
    ],
)
async def test_a_message_in_teams_that_fails_says_whether_it_may_have_arrived(
    readers: Readers, status: int, kind: type[OutsideError], landed: bool
) -> None:
    """0 is no answer in time. The address, which is a credential, is in no reason."""
    readers.teams.answers, readers.teams.is_slow = ([status] if status else []), not status
    with pytest.raises(kind) as failed:
        await speaker(readers.teams_block).say(notice_message("x"), POST)
    assert getattr(failed.value, "may_have_landed", False) is landed
    assert SIGNATURE not in str(failed.value)


async def test_text_from_outside_formats_nothing_and_begins_no_header(readers: Readers) -> None:
    """It stays on its line, in the subject and in the text; in Teams nothing of it is a link or a mention."""
    for block in (readers.email_block, readers.teams_block):
        await speaker(block).say(escalation_message(HOSTILE, link="https://p.example/a"), POST)
    (mail,) = readers.mail.taken
    assert mail.readers == [TEAM, LEAD]
    assert (mail.message["Bcc"], mail.text.count("\n")) == (None, 1)
    assert "Bcc:" in mail.subject
    (posted,) = readers.teams.posted
    first, link = posted.split("\n\n")
    assert r"[a]\(http\://b.example) \*b\*" in first
    assert "<" not in first
    assert link == "[open](https://p.example/a)"


@pytest.mark.parametrize("text", ["ü" * 30_000, "x" * 30_000, "\n".join(["🙂" * 90] * 300)])
async def test_what_is_too_long_is_cut_for_both(readers: Readers, text: str) -> None:
    """The servers refuse longer lines and messages, so a message that arrives kept their limits."""
    message = Message("hand_off", {"text": text})
    for block in (readers.email_block, readers.teams_block):
        await speaker(block).say(message, POST)
    assert len(readers.mail.taken) == len(readers.teams.posted) == 1
    assert max(map(len, readers.mail.taken[0].text.splitlines())) < LONGEST_LINE
    assert len(readers.teams.posted[0]) * 6 > MOST_BYTES / 8


async def test_messages_at_the_same_time_are_told_apart_and_leave_no_thread(readers: Readers) -> None:
    """One that fails says its own reason; the threads are the event loop's, however many were sent."""
    readers.teams.answers = [401]
    both = (readers.email_block, readers.teams_block)
    outcomes = await asyncio.gather(
        *(speaker(block).say(hand_off_message("x"), POST) for block in both), return_exceptions=True
    )
    assert [isinstance(each, Exception) for each in outcomes] == [False, True]
    assert "HTTP 401" in str(outcomes[1])
    before = 0
    for number in range(24):
        await speaker(readers.email_block).say(hand_off_message("x"), POST)
        before = threading.active_count() if number == 11 else before
    assert threading.active_count() <= before


@pytest.mark.parametrize("number", [0, 1])
async def test_a_channel_can_be_tried_without_a_message(readers: Readers, number: int) -> None:
    """An e-mail server says whom it takes e-mails for; of a workflow nothing but its address is known."""
    said, proven = await readers.email_block.try_out(support=bool(number))
    assert proven
    assert said.endswith((f"takes e-mails to {TEAM}, {LEAD}", f"takes e-mails to {SUPPORT}")[number])
    assert (await readers.teams_block.try_out(support=bool(number)))[1] is False
    readers.mail.refuses = {"RCPT": "550 5.1.1 nobody here"}
    with pytest.raises(Refused):
        await readers.email_block.try_out(support=bool(number))
    assert readers.mail.taken == []
