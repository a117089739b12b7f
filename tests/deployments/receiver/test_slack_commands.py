"""`/incident` in Slack lists what is open, to those whom the settings know."""

import pytest

from runbook.incidents import events as e
from tests.deployments.cli.test_gates import MEMORY, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, MALLORY, Chat, typed


def test_the_open_incidents_are_listed_with_what_waits(chat: Chat, kept: Store) -> None:
    """Only to who has asked, in Slack's three seconds."""
    chat.receiver.forget()
    asks = opened(kept, *asking(MEMORY))
    closed = opened(kept, *asking(MEMORY), e.IncidentClosed(outcome="recovered"))
    told = typed(chat, ANA)
    assert (told.status, told.body["response_type"], told.seconds < 3) == (200, "ephemeral", True)
    assert told.body["text"].startswith("1 incident open:")
    assert asks in told.body["text"]
    assert "asks: " in told.body["text"]
    assert closed not in told.body["text"]


def test_nothing_open_is_told(chat: Chat, kept: Store) -> None:
    """In a sentence."""
    chat.receiver.forget()
    assert typed(chat, ANA).body["text"] == "No incident is open."
    assert kept is not None


def test_an_account_that_is_not_listed_learns_nothing(chat: Chat, kept: Store) -> None:
    """Also where it calls itself like somebody who is."""
    incident = opened(kept, *asking(MEMORY))
    told = typed(chat, MALLORY)
    assert told.status == 200
    assert incident not in told.body["text"]
    assert "U0MALLORY is not among the logins" in told.body["text"]


def test_a_command_that_is_too_long_is_answered_with_what_to_do(chat: Chat, kept: Store) -> None:
    """Slack shows its person nothing of a refusal."""
    incident = opened(kept, *asking(MEMORY))
    told = typed(chat, ANA, text=f"note {incident} {'x' * 3000}")
    assert (told.status, "write it as several notes" in told.body["text"]) == (200, True)
    assert kept.read(incident).events(e.NoteAdded) == []


@pytest.mark.parametrize(
    "other", [{"user_id": "ana"}, {"team_id": ""}, {"command": ""}, {"text": "x" * 40_001}]
)
def test_a_command_that_cannot_be_read_is_refused(other: dict[str, str], chat: Chat) -> None:
    """Missing fields, and names that are no ids."""
    assert typed(chat, ANA, **other).status == 422
