"""Slack's requests come in one way: over HTTP with a signing secret, or over a socket with a token."""

from pathlib import Path
from typing import Any

import pytest

from deployments.prefect.configure import blocks
from deployments.settings.settings import ConfigurationError
from runbook.outside_text.terminal import masked_on_terminal
from tests.deployments.settings_samples import load

SIGNED, APP = 'signing_secret = { env = "A_SECRET" }\n', 'app_token = { env = "AN_APP" }\n'
OLD = 'previous_signing_secrets = [{ env = "A_SECRET" }]\n'
SLACK = '[slack]\ntoken = { env = "A_SECRET" }\nchannel = "C0123456789"\n'


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "a-secret-for-this-test")
    monkeypatch.setenv("AN_APP", "xapp-1-A0123456789-for-this-test")


@pytest.mark.parametrize("way", [SIGNED, SIGNED + OLD, APP])
def test_one_way_is_taken_and_messages_have_buttons(way: str, tmp_path: Path) -> None:
    """Whichever it is."""
    settings = load(tmp_path / "runbook.toml", f"{SLACK}[receiver.slack]\n{way}")
    assert settings.receiver.slack.takes_requests
    made: Any = blocks(settings)["slack"]
    assert made.buttons is True


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        (
            SIGNED + APP,
            "receiver.slack: signing_secret and app_token are both set: keep one of them, "
            "app_token (Socket Mode) where Slack cannot reach the receiver",
        ),
        (OLD + APP, "receiver.slack: previous_signing_secrets and app_token are both set: "),
        (
            'app_id = "A0RUNBOOK00"\n',
            "receiver.slack: neither signing_secret nor app_token is set: set one of them, "
            "app_token (Socket Mode) where Slack cannot reach the receiver",
        ),
        (
            'app_token = { env = "A_SECRET" }\n',
            "receiver.slack.app_token: not an app-level token, which begins with xapp-: take one from "
            "“App-Level Tokens” under “Basic Information” of the app",
        ),
    ],
)
def test_both_and_neither_are_told(keys: str, why: str, tmp_path: Path) -> None:
    """In words that say what to do, and without the secret."""
    with pytest.raises(ConfigurationError) as error:
        load(tmp_path / "runbook.toml", f"[receiver.slack]\n{keys}")
    assert why in str(error.value)
    assert why in masked_on_terminal(str(error.value))
    assert "correct the value" not in str(error.value)
    assert "a-secret-for-this-test" not in str(error.value)
