"""The reminder of a clock is snoozed through the API, by its button, and by `/incident`."""

from datetime import UTC, datetime, timedelta
from typing import Any

from runbook.approvals.identity import Identity, Proof
from runbook.channels.buttons import Button, ButtonKind
from runbook.channels.cards.slack_blocks import blocks_of
from runbook.incidents import events as e
from runbook.outside_text.slack import SlackText
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import send
from tests.deployments.people_bench import Receiver, opened
from tests.deployments.slack_bench import ANA, Chat, typed
from tests.runbook.journals import ALERT, decided

DUE = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
REMINDED = e.ClockReminded(clock=e.ClockName.TEAM_UPDATE, due_at=DUE)
BY_SLACK = Identity(name=ANA, how=Proof.SLACK)


def reminded(kept: Store) -> str:
    """An incident of whose next update people were reminded."""
    return opened(kept, e.IncidentOpened(alert=ALERT), decided(), REMINDED)


def minutes_of(done: e.ReminderSnoozed) -> int:
    """For how long it is snoozed, in whole minutes."""
    return round((done.until - datetime.now(UTC)).total_seconds() / 60)


def post(chat: Chat, incident: str) -> dict[str, Any]:
    """Post the reminder, as the runbook does."""
    kinds = {ButtonKind.ACK: "", ButtonKind.LATER: REMINDED.journal_key}
    buttons = [Button(kind=kind, incident=incident, gate=gate) for kind, gate in kinds.items()]
    blocks = [dict(block) for block in blocks_of(SlackText("Nobody yet"), buttons)]
    message = {"type": "message", "ts": chat.workspace.next_ts(), "text": "Nobody yet", "blocks": blocks}
    chat.workspace.messages.append(message)
    return message


def test_a_reminder_is_snoozed_by_a_token_and_not_by_a_stranger(receiver: Receiver, kept: Store) -> None:
    """Within bounds; without a reminder there is nothing to snooze."""
    incident = reminded(kept)
    before = kept.read(incident)
    assert send(receiver, incident, "snoozes", {}, whose=None).status_code == 401
    for body in (
        *({"minutes": minutes} for minutes in (0, -1, 1441, 10**9, 1e300, 1.5, "x", None, [10])),
        *({"reminder": key} for key in ("clock:none", f"{REMINDED.journal_key}:1", "clock:response:missed")),
        {"until": "2099-01-01T00:00:00Z"},
    ):
        assert send(receiver, incident, "snoozes", body).status_code == 422
    assert kept.read(incident) == before
    assert send(receiver, incident, "snoozes", {"minutes": 20}).status_code == 200
    done = kept.read(incident).journal[-1].event
    assert isinstance(done, e.ReminderSnoozed)
    assert (minutes_of(done), done.by, done.promise) == (20, "ana", REMINDED.promise)
    assert done.identity == Identity(name="ana", how=Proof.API_TOKEN)
    assert send(receiver, opened(kept, e.IncidentOpened(alert=ALERT)), "snoozes", {}).status_code == 422


def test_a_click_snoozes_the_reminder_and_another_acknowledges(chat: Chat, kept: Store) -> None:
    """Delivered twice it is one snooze; once somebody has acted the old button says so."""
    incident = reminded(kept)
    message = post(chat, incident)
    click = chat.payload(ANA, message, ButtonKind.LATER)
    assert chat.send(click).status == 200
    assert "snoozed the reminder of the team update until" in chat.told(ANA)
    chat.send(click)
    assert "It was so already" in chat.told(ANA, 2)
    [done] = kept.read(incident).events(e.ReminderSnoozed)
    assert (minutes_of(done), done.by, done.identity) == (10, "ana", BY_SLACK)
    assert chat.click(ANA, ButtonKind.ACK, message).status == 200
    assert "acknowledged the incident" in chat.told(ANA, 3)
    chat.click(ANA, ButtonKind.LATER, message)
    assert "ana has acted" in chat.told(ANA, 4)
    assert len(kept.read(incident).events(e.ReminderSnoozed)) == 1


def test_a_button_that_names_no_reminder_is_none(chat: Chat, kept: Store) -> None:
    """It would snooze whichever is the newest by then."""
    incident = reminded(kept)
    message = post(chat, incident)
    message["blocks"][-1]["elements"][1]["value"] = f'{{"incident": "{incident}"}}'
    assert chat.click(ANA, ButtonKind.LATER, message).status == 422


def test_the_command_snoozes_the_newest_reminder(chat: Chat, kept: Store) -> None:
    """For as long as is said; delivered twice it is one."""
    incident = reminded(kept)
    for expected in ("snoozed the reminder", "It was so already"):
        said = typed(chat, ANA, text=f"snooze {incident} 30", trigger_id="9.9.same").body["text"]
        assert expected in said
    [done] = kept.read(incident).events(e.ReminderSnoozed)
    assert (minutes_of(done), done.identity) == (30, BY_SLACK)
    assert "acknowledged" in typed(chat, ANA, text=f"ack {incident}", trigger_id="1.1.x").body["text"]
    refused = typed(chat, ANA, text=f"snooze {incident}", trigger_id="2.2.x").body["text"]
    assert "There is no reminder to snooze: ana has acted" in refused
