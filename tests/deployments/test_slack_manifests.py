"""The manifests of the Slack app ask for what the code uses, and for nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runbook.interactions.commands import Verb
from runbook.interactions.quotes import ADD_TO_TIMELINE

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deployments" / "slack"
OVER_HTTP, OVER_SOCKET = "app-over-http.yaml", "app-over-socket.yaml"

HISTORY = {"channels:history", "groups:history"}
SCOPES = {
    "auth.test": set[str](),
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "files.completeUploadExternal": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "conversations.history": HISTORY,
    "conversations.replies": HISTORY,
    "views.open": set[str](),
    "apps.connections.open": set[str](),  # of the app-level token: connections:write
}
"""What each method of the Web API needs of the bot's token, by Slack's reference of the method."""

_OF_THE_SDK = re.compile(r"client\.([a-z]+)_([a-z]+[A-Za-z]*)\(")
_BY_ADDRESS = re.compile(r"/((?:[a-z]+\.)+[a-z]+)\"")


def manifest(name: str) -> dict[str, Any]:
    """A manifest."""
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return loaded


def used_methods() -> set[str]:
    """The methods of the Web API that the code calls."""
    files = [
        *(ROOT / "blocks/channels").glob("slack*.py"),
        *(ROOT / "deployments/receiver/slack").rglob("*.py"),
    ]
    found = set()
    for path in files:
        text = path.read_text()
        found |= {f"{family}.{name}" for family, name in _OF_THE_SDK.findall(text)}
        found |= {name for name in _BY_ADDRESS.findall(text) if name in SCOPES or name.endswith(".open")}
    return found


def without_addresses(value: Any) -> Any:
    """A manifest without what differs between the two ways."""
    if isinstance(value, dict):
        left_out = ("url", "request_url", "socket_mode_enabled")
        return {key: without_addresses(each) for key, each in value.items() if key not in left_out}
    return [without_addresses(each) for each in value] if isinstance(value, list) else value


def test_every_method_that_is_used_is_known_here() -> None:
    """A new one needs its scope in the manifests, and its line above."""
    assert used_methods() == SCOPES.keys()


@pytest.mark.parametrize("name", [OVER_HTTP, OVER_SOCKET])
def test_the_scopes_are_those_that_the_code_uses(name: str) -> None:
    """And `commands`, which slash commands and shortcuts need."""
    needed = {"commands"}.union(*SCOPES.values())
    assert manifest(name)["oauth_config"] == {"scopes": {"bot": sorted(needed)}}


@pytest.mark.parametrize("name", [OVER_HTTP, OVER_SOCKET])
def test_the_app_has_what_people_use(name: str) -> None:
    """Buttons and dialogs, the command with its verbs, the shortcut."""
    made = manifest(name)
    assert made["settings"]["interactivity"]["is_enabled"] is True
    [command] = made["features"]["slash_commands"]
    assert command["command"] == "/incident"
    for verb in set(Verb) - {Verb.LIST}:
        assert verb.value in command["usage_hint"]
    [shortcut] = made["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", ADD_TO_TIMELINE)


def test_the_two_ways_differ_in_nothing_else() -> None:
    """Over HTTP the app has the receiver's addresses, over a socket none."""
    http, socket = manifest(OVER_HTTP), manifest(OVER_SOCKET)
    assert without_addresses(http) == without_addresses(socket)
    assert http["settings"]["interactivity"]["request_url"].endswith("/slack/interactions")
    assert http["features"]["slash_commands"][0]["url"].endswith("/slack/commands")
    assert "https://" not in str(socket)
    assert (http["settings"]["socket_mode_enabled"], socket["settings"]["socket_mode_enabled"]) == (
        False,
        True,
    )
