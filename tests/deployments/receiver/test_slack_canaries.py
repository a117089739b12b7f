"""A secret in any field of a click or a dialog in Slack is in no store, no message and no log line."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from runbook.channels.buttons import ButtonKind
from tests.canary.canaries import SHAPES, Canaries
from tests.canary.test_alerts import planted, texts
from tests.deployments.cli.test_gates import MEMORY, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, BOB, MALLORY, Chat

pytestmark = pytest.mark.proof


def shown(chat: Chat) -> list[str | bytes]:
    """Everything that is kept, logged or shown."""
    people = chat.workspace.people
    told = [text for user in (ANA, BOB, MALLORY) for text in people.told_to(user)]
    kept = [path.read_bytes() for path in chat.receiver.folder.glob("incidents.db*")]
    posted = json.dumps([chat.workspace.messages, list(people.dialogs.values())], ensure_ascii=False)
    return [chat.receiver.log(), posted, *map(str, told), *kept]


def send_each(chat: Chat, canaries: Canaries, name: str, payload: Callable[[], dict[str, Any]]) -> None:
    """Send the payload as often as it has texts, each time with a secret in another one."""
    for number, place in enumerate(texts(payload())):
        for as_name in (False, True):
            where = f"{name} {place}{' as name' if as_name else ''}"
            shape = number % len(SHAPES)
            changed = planted(payload(), place, canaries.in_words(where, shape), as_name=as_name)
            answered = chat.send(changed)
            assert canaries.found([str(answered.body)]) == {}, where
            assert answered.status < 500, where


def test_a_click_shows_no_secret(chat: Chat, kept: Store) -> None:
    """Whatever it is of; what is not understood is refused, and told without what it said."""
    incident, canaries = opened(kept, *asking(MEMORY)), Canaries()
    message = chat.post(kept.read(incident), ButtonKind.TAKE, ButtonKind.APPROVE)
    for user in (ANA, MALLORY):

        def clicked(user: str = user) -> dict[str, Any]:
            return chat.payload(user, message, ButtonKind.TAKE)

        send_each(chat, canaries, f"click of {user}", clicked)
    assert len(canaries.planted) > 50
    assert canaries.found(shown(chat)) == {}


def test_a_dialog_shows_no_secret(chat: Chat, kept: Store) -> None:
    """What a person has written is masked before it is kept, told or refused."""
    incident, canaries, numbers = opened(kept, *asking(MEMORY)), Canaries(), count(1)
    message = chat.post(kept.read(incident), ButtonKind.NOTE, ButtonKind.SEVERITY, ButtonKind.EDIT)
    for kind in (ButtonKind.NOTE, ButtonKind.SEVERITY, ButtonKind.EDIT):
        chat.click(ANA, kind, message)
        view = chat.dialog(ANA)
        fields = {"note": "x", "reason": "x", "severity": "P2", "memory": "1Gi"}

        def submitted(view: dict[str, Any] = view, fields: dict[str, str] = fields) -> dict[str, Any]:
            opened_again = {**view, "id": f"V{next(numbers)}"}  # else it is the same, delivered again
            return chat.workspace.people.submitted(ANA, opened_again, fields)

        send_each(chat, canaries, f"dialog {kind}", submitted)
        chat.workspace.people.dialogs.clear()
    assert len(canaries.planted) > 50
    said = [text for text in map(str, kept.read(incident).journal) if "before" in text]
    assert any("[redacted" in text for text in said), said
    assert canaries.found(shown(chat)) == {}
