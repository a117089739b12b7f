"""A workspace whose people click at a running receiver, and what they see of it."""

import random
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from deployments.drill.world.channels.slack import Slack
from deployments.drill.world.channels.slack_people import Answered
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening
from runbook.channels.buttons import Button, ButtonKind
from runbook.incidents.incident import Incident
from tests.deployments.people_bench import Receiver
from tests.fixtures.prefect_server import event_loop_in_background

KEYS = Keys.generated(random.Random(11))  # noqa: S311  repeatable on purpose
ANA, BOB, MALLORY = "U0ANA", "U0BOB", "U0MALLORY"
PEOPLE = '[policy.people.ana]\nlogins = ["ana@example.com"]\n[policy.people.bob]\n'
SLACK = """
[policy.people.ana]
logins = ["ana@example.com", "U0ANA"]
[policy.people.bob]
logins = ["U0BOB"]
[receiver.slack]
signing_secret = { file = "slack.secret" }
[slack]
token = { file = "slack.token" }
channel = "C0INCIDENTS"
"""
_WITHIN_SECONDS = 10.0


@dataclass
class Chat:
    """The workspace, and the receiver that its app's requests go to."""

    workspace: Slack
    receiver: Receiver
    run: Callable[[Coroutine[Any, Any, Any]], Any]
    slack: str = SLACK

    @property
    def url(self) -> str:
        """Where the app's requests go."""
        return f"{self.receiver.url}/slack/interactions"

    def configure(self, more: str = "") -> None:
        """Have the receiver know the workspace."""
        settings = f'{self.slack}base_url = "{self.workspace.url}/api/"\n{more}'
        self.receiver.configure(settings, instead_of=PEOPLE)

    def post(self, incident: Incident, *kinds: ButtonKind) -> dict[str, Any]:
        """Post a message with buttons about the incident's open question, as the runbook does."""
        gate = incident.pending_gate
        buttons = [
            Button(
                kind=kind,
                incident=incident.id,
                gate=gate.gate if gate else "",
                plan=gate.plan_digest if gate else "",
            )
            for kind in kinds
        ]
        message = {
            "type": "message",
            "ts": self.workspace.next_ts(),
            "text": "Shall it?",
            "blocks": [
                {"type": "section", "text": {"type": "mrkdwn", "text": "Shall it?"}},
                {
                    "type": "actions",
                    "elements": [
                        {
                            "type": "button",
                            "text": {"type": "plain_text", "text": button.kind.value},
                            "action_id": button.action_id,
                            "value": button.value,
                        }
                        for button in buttons
                    ],
                },
            ],
        }
        self.workspace.messages.append(message)
        return message

    def payload(self, user: str, message: dict[str, Any], kind: ButtonKind) -> dict[str, Any]:
        """A click on that message as Slack sends it, to be sent now, later or twice."""
        blocks = [*message["blocks"]] if any(b["type"] == "actions" for b in message["blocks"]) else []
        elements = [element for block in blocks for element in block.get("elements", ())]
        element = next(each for each in elements if each["action_id"] == f"runbook.{kind.value}")
        return self.workspace.people.clicked(user, message, element)

    def send(self, payload: dict[str, Any]) -> Answered:
        """Send a payload, signed."""
        answered: Answered = self.run(self.workspace.people.send(self.url, payload))
        return answered

    def click(self, user: str, kind: ButtonKind, message: dict[str, Any]) -> Answered:
        """Click a button of that message."""
        return self.send(self.payload(user, message, kind))

    def submit(self, user: str, **fields: str) -> Answered:
        """Fill in the dialog that is open at that person, and send it off."""
        given = {name.replace("__", ":"): text for name, text in fields.items()}
        answered: Answered = self.run(self.workspace.people.submit(self.url, user=user, fields=given))
        return answered

    def dialog(self, user: str) -> dict[str, Any]:
        """The dialog that opens at that person."""
        opened: dict[str, Any] = self.soon(lambda: self.workspace.people.dialogs.get(user))
        return opened

    def told(self, user: str, number: int = 1) -> str:
        """What that person is told alone, the last of so many."""
        return str(self.soon(lambda: self.workspace.people.told_to(user)[number - 1 : number])[0])

    def shown(self, message: dict[str, Any]) -> str:
        """What stands in the place of the buttons, once they are gone."""
        return str(self.soon(lambda: _context(message)))

    @staticmethod
    def soon(found: Callable[[], Any]) -> Any:
        """Wait until something is there."""
        deadline = time.monotonic() + _WITHIN_SECONDS
        while not (there := found()):
            assert time.monotonic() < deadline, "it did not come"
            time.sleep(0.02)
        return there


@contextmanager
def relayed(chat: Chat, answer: Callable[[], None]) -> Iterator[str]:
    """What the receiver tells Slack goes to a server that does this before it answers; an address of it."""

    def respond(_request: Request) -> Response:
        answer()
        return Response("ok")

    with HTTPServer(threaded=True) as relay:
        relay.expect_request("/actions/slow").respond_with_handler(respond)
        settings = chat.receiver.folder / "runbook.toml"
        settings.write_text(settings.read_text().replace(chat.workspace.url, relay.url_for("").rstrip("/")))
        yield relay.url_for("/actions/slow")


def typed(chat: Chat, user: str, **other: str) -> Any:
    """What is answered to the command."""
    form = {
        "command": "/incident",
        "text": "",
        "user_id": user,
        "user_name": "ana",
        "team_id": "T0DRILLTEAM",
        "api_app_id": "A0RUNBOOK00",
        "response_url": f"{chat.workspace.url}/commands/1",
        "trigger_id": "1.2.3",
    }
    if chat.workspace.people.over is not None:
        return chat.run(chat.workspace.people.over("slash_commands", form | other))
    url = f"{chat.receiver.url}/slack/commands"
    return chat.run(chat.workspace.people.post(url, urlencode(form | other).encode()))


def _context(message: dict[str, Any]) -> str:
    if any(block["type"] == "actions" for block in message["blocks"]):
        return ""
    return "".join(
        element["text"]
        for block in message["blocks"]
        if block["type"] == "context"
        for element in block["elements"]
    )


@contextmanager
def chatting(receiver: Receiver) -> Iterator[Chat]:
    """A workspace that the receiver knows."""
    (receiver.folder / "slack.secret").write_text(KEYS.slack_signing_secret.get_secret_value())
    (receiver.folder / "slack.token").write_text(KEYS.slack_token.get_secret_value())
    workspace, stack = Slack(KEYS), AsyncExitStack()
    with event_loop_in_background() as run:
        workspace.url = run(stack.enter_async_context(listening(workspace.app)))
        found = Chat(workspace, receiver, run)
        found.configure()
        try:
            yield found
        finally:
            run(stack.aclose())


@pytest.fixture
def chat(receiver: Receiver, kept: Any) -> Iterator[Chat]:
    """A workspace that the receiver of this module knows; `kept` has written the settings before."""
    assert kept is not None
    with chatting(receiver) as found:
        yield found
