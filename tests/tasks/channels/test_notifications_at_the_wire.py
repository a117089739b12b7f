"""E-mails and messages in Teams at the wire: what they hold, their limits, and what a failure says."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from blocks.channels.channel import Post, Speaker
from blocks.transport.errors import OutsideError, Refused, Unavailable
from deployments.drill.world.channels.mail import LONGEST_LINE
from deployments.drill.world.channels.teams import MOST_BYTES
from runbook.channels.messages import Message, escalation_message, hand_off_message, notice_message
from tests.fixtures.teams_workflow import SIGNATURE
from tests.tasks.channels.readers import LEAD, LOGIN, SUPPORT, TEAM, Readers, readers

__all__ = ["readers"]

POST = Post(id="inc-1/email/opened", since=datetime(2026, 11, 22, tzinfo=UTC))
HOSTILE = "down\r\nBcc: all@example.com\n# h [a](http://b.example) *b* <at>all@example.com</at> <b>x"


def speaker(block: object) -> Speaker:
    """The side of a block that the team is told by."""
    (side,) = [side for side in getattr(block, "sides", ()) if isinstance(side, Speaker)]
    return side


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
    assert not any(
        sign in first for sign in ("<", "&lt;")
    )  # no tag, and no entity that a phone shows as it is
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
