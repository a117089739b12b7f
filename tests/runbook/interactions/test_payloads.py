"""Slack's payloads as they are sent, and what is none."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.interactions.payloads import (
    Click,
    Submission,
    UnreadableInteraction,
    command_of,
    form_of,
    interaction_of,
    is_slack_id,
)

CLICK: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U0ANA", "username": "ana", "team_id": "T1", "new_field": 1},
    "team": {"id": "T1", "domain": "x"},
    "api_app_id": "A1",
    "trigger_id": "1.2.abc",
    "response_url": "https://hooks.slack.com/actions/T1/1/x",
    "message": {"ts": "1.2", "blocks": [{"type": "section"}], "user": "U0BOT"},
    "actions": [{"action_id": "runbook.approve", "value": "{}", "action_ts": "1.3", "type": "button"}],
    "a_field_of_tomorrow": {"x": [1]},
}
SENT: dict[str, Any] = {
    "type": "view_submission",
    "user": {"id": "U0ANA"},
    "team": None,
    "view": {
        "id": "V1",
        "private_metadata": "m",
        "state": {
            "values": {
                "reason": {"value": {"type": "plain_text_input", "value": "why"}},
                "instead": {"value": {"type": "static_select", "selected_option": {"value": "nothing"}}},
                "empty": {"value": {"type": "plain_text_input", "value": None}},
            }
        },
    },
}


def body(payload: Any) -> bytes:
    """The form that Slack sends."""
    return urlencode({"payload": json.dumps(payload)}).encode()


def test_a_click_is_read() -> None:
    """Fields that are not known are ignored: Slack adds some at any time."""
    click = interaction_of(body(CLICK))
    assert isinstance(click, Click)
    assert (click.user.id, click.pressed.action_id, click.message.ts) == ("U0ANA", "runbook.approve", "1.2")


def test_a_dialog_is_read() -> None:
    """What was written, what was chosen, and what was left empty."""
    sent = interaction_of(body(SENT))
    assert isinstance(sent, Submission)
    read = [sent.view.field(name) for name in ("reason", "instead", "empty", "nowhere")]
    assert read == ["why", "nothing", "", ""]


@given(data=st.binary(max_size=300))
def test_no_body_breaks_the_reading(data: bytes) -> None:
    """It is read, or it is refused: no other error comes out."""
    for read in (interaction_of, command_of, form_of):
        with suppress(UnreadableInteraction):
            read(data)


@given(text=st.text(max_size=60))
def test_a_refusal_quotes_nothing(text: str) -> None:
    """What somebody sent does not get into a log by way of the reason."""
    secret = f"xoxb-{text}-secret"
    with pytest.raises(UnreadableInteraction) as error:
        interaction_of(body(CLICK | {"user": {"id": secret}}))
    assert "secret" not in str(error.value)
    with pytest.raises(UnreadableInteraction) as error:
        interaction_of(body(SENT | {"view": {"id": "V1", "state": {"values": {secret: {"x": 1}}}}}))
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("U0ANA", True), ("W012AB", True), ("u0ana", False), ("U0ANA\n", False), ("ana", False), ("T0", False)],
)
def test_the_id_of_an_account(name: str, is_one: bool) -> None:
    """Capitals and digits."""
    assert is_slack_id(name) is is_one
