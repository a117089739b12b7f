"""Whether a text for the public is published is said through the API, and by clicks in Slack."""

from typing import Any

import pytest

from runbook.approvals.identity import Identity, Proof
from runbook.channels.buttons import Button, ButtonKind
from runbook.channels.cards.slack_blocks import blocks_of
from runbook.incidents import events as e
from runbook.outside_text.slack import SlackText
from tests.deployments.acts_table import DIGEST, ON_A_TEXT, Case
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import send
from tests.deployments.people_bench import Receiver, opened
from tests.deployments.slack_bench import ANA, BOB, Chat
from tests.runbook.journals import ALERT, decided
from tests.runbook.public_texts import PROPOSED

IDS = [case.name for case in ON_A_TEXT]
BY_TOKEN = Identity(name="ana", how=Proof.API_TOKEN)
BY_SLACK = Identity(name=ANA, how=Proof.SLACK)
YES = e.PublicTextApproved(proposal=DIGEST, by="ana", identity=BY_SLACK)
NEXT = PROPOSED.model_copy(update={"state": "MONITORING", "message": "monitoring"})


def waiting(kept: Store) -> str:
    """An incident with a text that waits."""
    return opened(kept, e.IncidentOpened(alert=ALERT), decided(), PROPOSED)


@pytest.mark.parametrize("case", ON_A_TEXT, ids=IDS)
def test_a_text_is_answered_by_a_token_and_not_by_a_stranger(
    case: Case, receiver: Receiver, kept: Store
) -> None:
    """What was read is named: without it, or with another one's digest, nothing is written."""
    incident = waiting(kept)
    before = kept.read(incident)
    assert send(receiver, incident, case.path, case.body, whose=None).status_code == 401
    for digest in ("", "0" * 12):
        refused = send(receiver, incident, case.path, case.body | {"proposal": digest})
        assert (refused.status_code, "text" in refused.json()["error"]) == (422, True)
    assert kept.read(incident) == before
    assert send(receiver, incident, case.path, case.body).status_code == 200
    assert kept.read(incident).journal[-1].event == case.of("ana", BY_TOKEN)


def test_words_that_may_not_be_published_are_refused_with_which(receiver: Receiver, kept: Store) -> None:
    """They come with what to do."""
    incident = waiting(kept)
    body = {"proposal": DIGEST, "text": "Users cannot reach redis.internal."}
    refused = send(receiver, incident, "publication", body)
    assert (refused.status_code, "internal host 'redis.internal'" in refused.json()["error"]) == (422, True)


def post(chat: Chat, incident: str) -> dict[str, Any]:
    """Post the message about the text, as the runbook does."""
    kinds = (ButtonKind.PUBLISH, ButtonKind.EDIT_TEXT, ButtonKind.WITHHOLD)
    buttons = [Button(kind=kind, incident=incident, plan=DIGEST) for kind in kinds]
    blocks = [dict(block) for block in blocks_of(SlackText("Shall it?"), buttons)]
    message = {"type": "message", "ts": chat.workspace.next_ts(), "text": "Shall it?", "blocks": blocks}
    chat.workspace.messages.append(message)
    return message


def test_a_click_publishes_what_was_proposed_once(chat: Chat, kept: Store) -> None:
    """Who clicks after somebody else is told so alone."""
    incident = waiting(kept)
    message = post(chat, incident)
    assert chat.click(ANA, ButtonKind.PUBLISH, message).status == 200
    assert "lets the public text be published" in chat.told(ANA)
    chat.click(ANA, ButtonKind.PUBLISH, message)
    assert "It was so already" in chat.told(ANA, 2)
    chat.click(BOB, ButtonKind.PUBLISH, message)
    assert "it is answered: ana" in chat.told(BOB).lower()
    assert kept.read(incident).journal[-1].event == YES
    assert len(kept.read(incident).events(e.PublicTextApproved)) == 1


def test_a_text_that_was_replaced_is_not_published(chat: Chat, kept: Store) -> None:
    """Neither by a click nor from a dialog that was open before."""
    incident = waiting(kept)
    message = post(chat, incident)
    chat.click(ANA, ButtonKind.EDIT_TEXT, message)
    chat.dialog(ANA)
    kept.append(incident, NEXT, key="next")
    late = chat.submit(ANA, text="Some events arrive late.")
    assert "another text has replaced it" in late.body["errors"]["text"]
    chat.click(BOB, ButtonKind.PUBLISH, message)
    assert "another text has replaced it" in chat.told(BOB)
    chat.click(BOB, ButtonKind.WITHHOLD, message)
    assert "another text has replaced it" in chat.told(BOB, 2)
    assert BOB not in chat.workspace.people.dialogs
    assert not kept.read(incident).events(e.PublicTextApproved)


def test_the_words_are_edited_in_a_dialog_that_keeps_them(chat: Chat, kept: Store) -> None:
    """It begins with the text; what may not be published is told at its field, and the dialog stays."""
    incident = waiting(kept)
    chat.click(ANA, ButtonKind.EDIT_TEXT, post(chat, incident))
    title, field = chat.dialog(ANA)["blocks"][1:]
    assert title["element"]["initial_value"] == PROPOSED.title
    assert field["element"]["initial_value"] == PROPOSED.body
    refused = chat.submit(ANA, text="Users cannot reach redis.internal.")
    assert "internal host 'redis.internal'" in refused.body["errors"]["text"]
    assert ANA in chat.workspace.people.dialogs
    assert [*chat.submit(ANA, text="  ").body["errors"]] == ["text"]
    assert chat.submit(ANA, text="Some events arrive late.").body is None
    edited = YES.model_copy(update={"body": "Some events arrive late."})
    assert kept.read(incident).journal[-1].event == edited


def test_the_title_is_edited_in_the_dialog_with_the_text(chat: Chat, kept: Store) -> None:
    """What may not be said in it keeps the dialog open, too."""
    incident = waiting(kept)
    chat.click(ANA, ButtonKind.EDIT_TEXT, post(chat, incident))
    chat.dialog(ANA)
    refused = chat.submit(ANA, title="redis.internal is down", text=PROPOSED.body)
    assert "internal host 'redis.internal'" in str(refused.body["errors"])
    assert chat.submit(ANA, title="Delayed events", text=PROPOSED.body).body is None
    assert kept.read(incident).journal[-1].event == YES.model_copy(update={"title": "Delayed events"})


def test_a_text_is_withheld_with_its_reason(chat: Chat, kept: Store) -> None:
    """Without one the dialog stays."""
    incident = waiting(kept)
    chat.click(ANA, ButtonKind.WITHHOLD, post(chat, incident))
    chat.dialog(ANA)
    assert [*chat.submit(ANA, reason=" ").body["errors"]] == ["reason"]
    assert chat.submit(ANA, reason="not sure yet").body is None
    said = e.PublicTextWithheld(proposal=DIGEST, by="ana", identity=BY_SLACK, because="not sure yet")
    assert kept.read(incident).journal[-1].event == said


def test_a_button_without_its_text_is_none(chat: Chat, kept: Store) -> None:
    """It is refused before anything is looked up."""
    incident = waiting(kept)
    message = post(chat, incident)
    message["blocks"][-1]["elements"][0]["value"] = f'{{"incident": "{incident}"}}'
    assert chat.click(ANA, ButtonKind.PUBLISH, message).status == 422
