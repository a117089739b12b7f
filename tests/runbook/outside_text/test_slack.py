"""Messages in Slack say what text from outside says, and mention, link and format nothing for it."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.approvals.gates import PendingGate
from runbook.caretaking.self_watch import page_text, relief_text
from runbook.channels.messages import (
    escalation_message,
    hand_off_message,
    in_slack,
    message_facts,
    update_message,
)
from runbook.channels.reminders import reminder_message, switch_message
from runbook.incidents import events as e
from runbook.incidents.state import State
from runbook.outside_text.slack import (
    SlackText,
    cut_message,
    said,
    slack,
    slack_code,
    slack_code_block,
    slack_lines,
    slack_link,
)
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, FALLBACK, OPENED, incident, resolved

PIECES = st.sampled_from(
    [
        *("<!channel>", "<!here|x>", "<@U012AB3CD>", "<#C012AB3CD>", "<!subteam^S1>", "<!date^1^{date}|x>"),
        *("<https://evil.example|https://ours>", "&lt;!channel&gt;", "&", "<", ">", "|", "@here"),
        *("*bold*", "_italic_", "~gone~", "`code`", "```", "*", "_", "~", "`", "**", "a_b", "2*3", "_*"),
        *("> quote", ">>> all", "\n", "\r", "\u2028", ":white_check_mark:", ":+1:", ":100:", ":", "10:30:45"),
        *(
            "Status: RESOLVED",
            "https://evil.example",
            "\x1b[31m",
            "\u202e",
            "\u200b",
            " phx_abcdef123456",
            " ",
        ),
    ]
)
TEXTS = st.lists(st.text(max_size=6) | PIECES, max_size=7).map("".join)

RUN = "http://prefect.example/runs/flow-run/1?a=b&c=d"
OUR_LINK = "<http://prefect.example/runs/flow-run/1?a=b&amp;c=d>"

FORMATS = re.compile(r"(?<![^\W_])([*_~])(?=\S)[^\n]*?(?<=\S)\1(?![^\W_])")
"""A pair of signs at the edges of words, as Slack formats by."""


def assert_says_only_text(message: str) -> None:
    """Asserts that Slack makes nothing of it but text."""
    assert not set(message) & set("<>`")
    assert not re.search(r"&(?!(?:amp|lt|gt);)", message)
    assert not FORMATS.search(message)
    assert not re.search(r"^\s*&gt;", message, re.MULTILINE)
    assert not re.search(r":(?:(?!\d+:)[\w+'-]+|100|1234):", message)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e\u2028]", message)
    assert "phx_abcdef" not in message


@given(text=TEXTS)
def test_text_is_only_text(text: str) -> None:
    """On one line or several, nothing in it is markup."""
    assert_says_only_text(slack(text))
    assert_says_only_text(slack_lines(text))
    assert len(slack(text).splitlines()) <= 1


@given(text=TEXTS)
def test_code_is_only_text(text: str) -> None:
    """A command ends neither its code nor its block, and is what it was but for the backticks."""
    inside = slack_code(text)
    assert not set(str(inside)[1:-1]) & set("<>`\n")
    block = str(slack_code_block(text))
    assert (block.count("```"), block.startswith("```\n"), block.endswith("\n```")) == (2, True, True)
    assert not set(block) & set("<>")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("errors & more", "errors &amp; more"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("<https://evil|https://ours>", "&lt;https://evil|https://ours&gt;"),
        ("&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;"),
        ("POSTHOG_API_KEY, posthog_errors_total, 2*3", "POSTHOG_API_KEY, posthog_errors_total, 2*3"),
        ("*all fine*", "\N{ASTERISK OPERATOR}all fine\N{ASTERISK OPERATOR}"),
        ("> quoted", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} quoted"),
        ("a > b", "a &gt; b"),
        (":white_check_mark: at 10:30:45", "\N{RATIO}white_check_mark: at 10:30:45"),
        ("x\nStatus: RESOLVED", "x Status: RESOLVED"),
    ],
)
def test_what_would_format_looks_alike(text: str, shown: str) -> None:
    """Names of metrics and variables can still be copied."""
    assert slack(text) == shown


@pytest.mark.parametrize(
    ("url", "link"),
    [
        (RUN, OUR_LINK),
        ("http://x/<!channel>", "http://x/&lt;!channel&gt;"),
        ("http://x/|evil", "http://x/|evil"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("!channel", "!channel"),
        ("", ""),
    ],
)
def test_only_an_address_is_a_link(url: str, link: str) -> None:
    """What cannot be one is shown as text."""
    assert slack_link(url) == link


def announcement(text: str) -> SlackText:
    """The update of an incident that is full of it."""
    alert = ALERT.model_copy(update={"service": text.strip() or "s", "name": text, "summary": text})
    made = message_facts(
        incident(alert=alert),
        state=State.INVESTIGATING,
        policy=Policy(),
        now=OPENED + timedelta(minutes=10),
        commander=text,
        update_interval=timedelta(minutes=15),
        link=RUN,
    )
    return in_slack(update_message(made.model_copy(update={"impact": text, "current_action": text})))


def escalation(text: str) -> SlackText:
    """A call, with a reason and commands that are full of it."""
    return in_slack(escalation_message(text, commands=(text,), link=RUN))


def hand_off(text: str) -> SlackText:
    """A hand-over to a person."""
    return in_slack(hand_off_message(text))


def reminder(text: str) -> SlackText:
    """The reminder of a question, asked for somebody."""
    alert = ALERT.model_copy(update={"requested_by": text})
    gate = PendingGate(
        gate="g", action_id="a", plan_digest="d", question=text, flow_run_id="r", asked_at=OPENED
    )
    return in_slack(reminder_message(incident(alert=alert), gate, needed=text, link=RUN, time_zone="UTC"))


def switch_report(text: str) -> SlackText:
    """The report of a switch whose state nobody can tell."""
    check = e.SwitchChecked(action_id="a", switch=text, on=None, detail=text)
    action = FALLBACK.model_copy(update={"target": text})
    return in_slack(switch_message(incident(resolved()), action, check, command=text, time_zone="UTC"))


def self_watch_call(text: str) -> SlackText:
    """The call because the runbook itself does not work."""
    return slack(page_text(text))


def self_watch_relief(_text: str) -> SlackText:
    """That it works again, which has nothing from outside."""
    return slack(relief_text(since=OPENED, now=OPENED))


MESSAGES = (
    *(announcement, escalation, hand_off, reminder, switch_report),
    *(self_watch_call, self_watch_relief),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
@given(text=TEXTS)
def test_no_message_does_more_for_a_text_than_say_it(message: object, text: str) -> None:
    """In each kind of message, our own link and our own code are all the markup there is."""
    assert callable(message)
    made = str(message(text)).replace(OUR_LINK, "")
    made = re.sub(r"```\n.*?\n```", "", made, flags=re.DOTALL)
    made = re.sub(r"`[^`\n]+`", "", made)
    assert_says_only_text(made)
    assert len(re.findall("^Status: ", made, re.MULTILINE)) <= 1 or message is hand_off


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
def test_a_message_has_its_own_links_and_commands(message: object) -> None:
    """The address of the run stays a link, and a command stays code."""
    assert callable(message)
    made = message("kubectl get pods > x")
    assert (OUR_LINK in made) is (message in (announcement, escalation, reminder))
    assert ("kubectl get pods &gt; x" in made) is (message is not self_watch_relief)
    assert ("```\nkubectl get pods &gt; x\n```" in made) is (message is escalation)


@given(text=TEXTS, more=st.integers(0, 400), limit=st.integers(60, 200))
def test_a_message_is_cut_between_things(text: str, more: int, limit: int) -> None:
    """Never within a link, an entity or a mark; a block of code that is cut is ended."""
    whole = SlackText(f"{slack_link(RUN)} {slack(text)} {'&amp;' * more} {slack_code_block(text)}")
    made = cut_message(whole, limit)
    assert len(made) <= limit
    if made != whole:
        assert made.endswith("(cut)")
        kept = str(made).removesuffix(" … (cut)")
        assert kept.count("```") % 2 == 0
        assert not re.search(r"&[a-z]{0,3}$|<[^>]*$|\[redacted:[^\]]*$", kept)


def test_the_journal_has_the_first_line_in_plain_words() -> None:
    """Not as Slack has it."""
    assert said(SlackText("a &amp; <http://x/y>\nsecond")) == "a & http://x/y"
    assert said(slack("x" * 500)).endswith("…")
