"""The shortcut "Add to timeline": a message of Slack becomes a note, once."""

import time
from datetime import UTC, datetime
from typing import Any

from runbook.incidents import events as e
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.interactions.quotes import ADD_TO_TIMELINE
from tests.deployments.cli.test_gates import MEMORY, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, BOB, MALLORY, Chat
from tests.runbook.journals import effect

CHANNEL = "C0INCIDENTS"


def written(chat: Chat, text: str, thread: str | None = None) -> dict[str, Any]:
    """A message of bob's, in that thread."""
    message = {"type": "message", "user": BOB, "text": text, "ts": chat.workspace.next_ts()}
    return message | ({"thread_ts": thread} if thread else {})


def rooted(ts: str) -> e.EffectSettled:
    """The first message of the thread as the journal knows it."""
    sent: Effect = effect(EffectOutcome.APPLIED)
    receipt = {"channel": CHANNEL, "ts": ts}
    return e.EffectSettled(effect=sent.model_copy(update={"receipt": receipt}))


def test_a_message_of_an_incidents_thread_is_noted_once(chat: Chat, kept: Store) -> None:
    """At its own time, by whoever adds it; a second time its person is told that it is there."""
    root = chat.workspace.next_ts()
    incident = opened(kept, *asking(MEMORY), rooted(root))
    message = written(chat, "we roll <@U0ANA> back &amp; wait", root)
    assert chat.send(chat.workspace.people.quoted(ANA, message, ADD_TO_TIMELINE)).status == 200
    assert incident in chat.told(ANA)
    assert chat.send(chat.workspace.people.quoted(BOB, message, ADD_TO_TIMELINE)).status == 200
    assert "it was so already" in chat.told(BOB).lower()
    (note,) = kept.read(incident).events(e.NoteAdded)
    link = f"https://drill.slack.com/archives/{CHANNEL}/p{message['ts'].replace('.', '')}"
    assert note.text == f"bob wrote in Slack: we roll @ana back & wait\n{link}?thread_ts={root}&cid={CHANNEL}"
    assert (note.by, note.happened_at) == ("ana", datetime.fromtimestamp(float(message["ts"]), UTC))


def test_a_closed_incidents_thread_takes_a_note(chat: Chat, kept: Store) -> None:
    """What is found out later belongs there."""
    root = chat.workspace.next_ts()
    incident = opened(kept, *asking(MEMORY), rooted(root), e.IncidentClosed(outcome="recovered"))
    chat.send(chat.workspace.people.quoted(ANA, written(chat, "it was DNS", root), ADD_TO_TIMELINE))
    assert incident in chat.told(ANA)
    assert len(kept.read(incident).events(e.NoteAdded)) == 1


def test_a_message_elsewhere_asks_for_the_incident(chat: Chat, kept: Store) -> None:
    """Of the open ones; the dialog sent twice is one note."""
    chat.receiver.forget()
    incident = opened(kept, *asking(MEMORY))
    message = written(chat, "token = hunter2hunter2hunter2")
    chat.send(chat.workspace.people.quoted(ANA, message, ADD_TO_TIMELINE))
    dialog = chat.dialog(ANA)
    assert [option["value"] for option in dialog["blocks"][1]["element"]["options"]] == [incident]
    sent = chat.workspace.people.submitted(ANA, dialog, {"incident": incident})
    assert chat.send(sent).body is None
    chat.told(ANA)
    assert chat.send(sent).body is None
    assert "it was so already" in chat.told(ANA, 2).lower()
    (note,) = kept.read(incident).events(e.NoteAdded)
    assert "hunter2" not in note.text


def test_an_account_that_is_not_listed_learns_of_no_incident(chat: Chat, kept: Store) -> None:
    """No dialog opens."""
    incident = opened(kept, *asking(MEMORY))
    chat.send(chat.workspace.people.quoted(MALLORY, written(chat, "x"), ADD_TO_TIMELINE))
    assert "U0MALLORY is not among the logins" in chat.told(MALLORY)
    assert incident not in chat.told(MALLORY)
    assert chat.workspace.people.dialogs == {}


def test_a_message_of_long_before_is_refused_privately(chat: Chat, kept: Store) -> None:
    """More than a day before the incident, as for any note."""
    root = chat.workspace.next_ts()
    incident = opened(kept, *asking(MEMORY), rooted(root))
    old = written(chat, "x", root) | {"ts": f"{int(time.time()) - 40 * 86_400}.000100"}
    before = kept.read(incident)
    chat.send(chat.workspace.people.quoted(ANA, old, ADD_TO_TIMELINE))
    assert "more than a day before" in chat.told(ANA)
    assert kept.read(incident) == before


def test_another_shortcut_is_refused(chat: Chat) -> None:
    """As is a dialog that carries none of our messages."""
    asked = chat.workspace.people.quoted(ANA, written(chat, "x"), "another")
    assert chat.send(asked).status == 422
    view = {"id": "V1", "callback_id": ADD_TO_TIMELINE, "private_metadata": "{}", "blocks": []}
    assert chat.send(chat.workspace.people.submitted(ANA, view, {})).status == 422
