"""A message of Slack becomes a note: masked, cut, with its author, its time and its link."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.drill.world.channels.slack_views import view_problems
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import EffectSettled
from runbook.interactions.payloads import Shortcut
from runbook.interactions.quotes import (
    InvalidQuote,
    carried,
    carried_quote,
    choice,
    incident_of_thread,
    quote_of,
)
from runbook.policy.policy import Policy
from tests.runbook.journals import LIFE, effect
from tests.runbook.journals import incident as journal

PEOPLE = Policy.model_validate({"people": {"bob": {"logins": ["U0BOB"]}}}).people
URL = "https://hooks.slack.com/actions/T1/1/" + "a" * 24


def shortcut(text: str, **message: Any) -> Shortcut:
    """The shortcut used on such a message."""
    told = {"user": "U0BOB", "text": text, "ts": "1764378000.000100"} | message
    return Shortcut.model_validate(
        {
            "type": "message_action",
            "callback_id": "runbook.add-to-timeline",
            "user": {"id": "U0ANA"},
            "team": {"id": "T1", "domain": "acme"},
            "trigger_id": "1.2.x",
            "response_url": URL,
            "channel": {"id": "C0WAR", "name": "war"},
            "message": told,
        }
    )


def test_the_note_says_who_wrote_what_where_and_when() -> None:
    """People by their names in the settings, also where they are mentioned; Slack's entities are undone."""
    quote = quote_of(shortcut("a &lt; b, <@U0BOB>", thread_ts="1764370000.000001"), PEOPLE)
    link = "https://acme.slack.com/archives/C0WAR/p1764378000000100?thread_ts=1764370000.000001&cid=C0WAR"
    assert quote.text == f"bob wrote in Slack: a < b, @bob\n{link}"
    assert quote.act.at == "2025-11-29T01:00:00.000100+00:00"
    assert quote.key == "slack:message:C0WAR:1764378000.000100"


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"user": "U0ELSE"}, "U0ELSE wrote"),
        ({"user": "", "username": "deploys"}, "deploys wrote"),
        ({"user": ""}, "an app wrote"),
    ],
)
def test_an_author_who_is_not_listed_is_named_by_the_account(message: dict[str, str], says: str) -> None:
    """Or as the app calls itself."""
    assert quote_of(shortcut("x", **message), PEOPLE).text.startswith(says)


def test_a_secret_is_masked_before_the_message_is_cut() -> None:
    """Also one that the cut would take apart."""
    secret = "xoxb-" + "1234567890-" * 2 + "a" * 24
    text = quote_of(shortcut("x" * 2_980 + " " + secret), PEOPLE).text
    assert "xoxb-1234" not in text
    assert len(text) < 4_000


@given(text=st.text(max_size=9_000))
def test_what_the_dialog_carries_fits_and_comes_back(text: str) -> None:
    """Whatever is in the message."""
    metadata = carried(shortcut(text), PEOPLE)
    assert view_problems(choice(metadata, [journal(*LIFE)])) == []
    assert carried_quote(metadata).ts == "1764378000.000100"


@pytest.mark.parametrize("metadata", ["", "null", '{"text": "x", "channel": "C1", "ts": "now"}'])
def test_what_carries_no_message_is_refused(metadata: str) -> None:
    """It quotes nothing."""
    with pytest.raises(InvalidQuote, match="does not carry a message"):
        carried_quote(metadata)


def test_the_thread_tells_the_incident() -> None:
    """By channel and time of what the incident has sent."""
    root = "1764370000.000001"
    sent = effect(EffectOutcome.APPLIED).model_copy(update={"receipt": {"channel": "C0WAR", "ts": root}})
    known = journal(EffectSettled(effect=sent))
    assert incident_of_thread(shortcut("x", thread_ts=root), [journal(), known]) is known
    assert incident_of_thread(shortcut("x", ts=root), [known]) is known
    assert incident_of_thread(shortcut("x"), [known]) is None
    elsewhere = shortcut("x", thread_ts=root)
    elsewhere = elsewhere.model_copy(update={"channel": elsewhere.channel.model_copy(update={"id": "C0X"})})
    assert incident_of_thread(elsewhere, [known]) is None
