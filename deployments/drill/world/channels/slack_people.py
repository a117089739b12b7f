"""People in the workspace: they click, fill in dialogs and read what they alone are told.

What they do is sent as Slack sends it: a signed form to the app's address, which has three seconds.
Source: Slack's "Handling user interaction", its reference of the payloads, and "Verifying requests".
"""

import copy
import hmac
import json
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from deployments.drill.world.channels.slack_limits import refusal
from deployments.drill.world.channels.slack_views import Triggers, view_problems
from deployments.drill.world.clock import Clock
from deployments.drill.world.servers.answers import json_answer

ANSWER_SECONDS = 3.0
HOOK_USES = 5
HOOK_SECONDS = 30 * 60.0

TEAM = "T0DRILLTEAM"
APP = "A0RUNBOOK00"

Message = dict[str, Any]


@dataclass
class Hook:
    """A `response_url`: of one person's click on one message, for five uses in thirty minutes."""

    user: str
    ts: str
    since: float
    left: int = HOOK_USES


@dataclass(frozen=True)
class Answered:
    """What the app answered to a request, and how long it took; status 0 where it did not answer in time."""

    status: int
    body: Any
    seconds: float


class Workspace(Protocol):
    """What is needed of the workspace."""

    messages: list[Message]
    url: str

    def next_ts(self) -> str:
        """The time of a new message."""


class SlackPeople:
    """The people; `told` is what each was told alone, `dialogs` what is open at each."""

    def __init__(self, workspace: Workspace, signing_secret: SecretStr, clock: Clock) -> None:
        """Know where they are, and what the app's requests are signed with."""
        self.told: list[Message] = []
        self.dialogs: dict[str, dict[str, Any]] = {}
        self._workspace = workspace
        self._secret = signing_secret
        self._clock = clock
        self._triggers = Triggers()
        self._hooks: dict[str, Hook] = {}
        self.over: Callable[[str, dict[str, Any]], Coroutine[Any, Any, Answered]] | None = None
        """How requests reach the app once it has opened a socket, instead of over HTTP."""

    async def click(self, url: str, *, user: str, action_id: str, containing: str = "") -> Answered:
        """Click the newest button of that name whose value has that text in it.

        Raises:
            LookupError: there is none.
        """
        message, element = self._button(action_id, containing)
        return await self.send(url, self.clicked(user, message, element))

    def clicked(self, user: str, message: Message, element: dict[str, Any]) -> dict[str, Any]:
        """The payload of a click."""
        channel = {"id": "C0INCIDENTS", "name": "incidents"}
        return {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
            "api_app_id": APP,
            "token": "deprecated",
            "container": {
                "type": "message",
                "message_ts": message["ts"],
                "channel_id": channel["id"],
                "is_ephemeral": False,
            },
            "trigger_id": self._triggers.new(user, time.monotonic()),
            "team": {"id": TEAM, "domain": "drill"},
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": channel,
            "message": copy.deepcopy(message),
            "state": {"values": {}},
            "response_url": self._hook(user, message["ts"]),
            "actions": [
                {
                    "action_id": element["action_id"],
                    "block_id": "Abcd",
                    "text": element.get("text"),
                    "value": element.get("value", ""),
                    "type": "button",
                    "action_ts": self._workspace.next_ts(),
                }
            ],
        }

    async def submit(self, url: str, *, user: str, fields: dict[str, str]) -> Answered:
        """Fill in the dialog that is open at that person, and send it off. It closes where it is taken.

        Raises:
            LookupError: none is open.
        """
        if user not in self.dialogs:
            raise LookupError(f"no dialog is open at {user}")
        view = self.dialogs[user]
        answered = await self.send(url, self.submitted(user, view, fields))
        if answered.status == httpx.codes.OK and not isinstance(answered.body, dict):
            del self.dialogs[user]
        return answered

    def submitted(self, user: str, view: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
        """The payload of a dialog that was sent off; a field that is not given has its initial value."""
        values: dict[str, Any] = {}
        for block in view["blocks"]:
            if block["type"] != "input":
                continue
            name, element = block["block_id"], block["element"]
            values[name] = {element["action_id"]: _filled(element, fields.get(name))}
        return {
            "type": "view_submission",
            "team": {"id": TEAM, "domain": "drill"},
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
            "api_app_id": APP,
            "trigger_id": self._triggers.new(user, time.monotonic()),
            "view": {**view, "state": {"values": values}, "hash": "1.abc"},
            "response_urls": [],
            "is_enterprise_install": False,
        }

    def quoted(self, user: str, message: Message, callback_id: str) -> dict[str, Any]:
        """The payload of a shortcut on a message."""
        return {
            "type": "message_action",
            "token": "deprecated",
            "action_ts": self._workspace.next_ts(),
            "team": {"id": TEAM, "domain": "drill"},
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
            "channel": {"id": "C0INCIDENTS", "name": "incidents"},
            "is_enterprise_install": False,
            "enterprise": None,
            "callback_id": callback_id,
            "api_app_id": APP,
            "trigger_id": self._triggers.new(user, time.monotonic()),
            "response_url": self._hook(user, message["ts"]),
            "message_ts": message["ts"],
            "message": copy.deepcopy(message),
        }

    async def act(
        self, url: str, user: str, action_id: str, containing: str, fields: dict[str, str]
    ) -> dict[str, Any]:
        """Click where a button is named, else send the open dialog off.

        Raises:
            LookupError: there is no such button, or no dialog is open.
        """
        if action_id:
            return asdict(await self.click(url, user=user, action_id=action_id, containing=containing))
        return asdict(await self.submit(url, user=user, fields=fields))

    async def send(self, url: str, payload: dict[str, Any]) -> Answered:
        """Send a payload as Slack does."""
        if self.over is not None:
            return await self.over("interactive", payload)
        return await self.post(url, urlencode({"payload": json.dumps(payload)}).encode())

    async def post(self, url: str, body: bytes) -> Answered:
        """Send a signed form, and wait three seconds for its answer."""
        stamp = str(int(self._clock().timestamp()))
        signed = f"v0:{stamp}:".encode() + body
        digest = hmac.new(self._secret.get_secret_value().encode(), signed, "sha256").hexdigest()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={digest}",
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        began = time.monotonic()
        try:
            async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
                answer = await client.post(url, content=body, headers=headers)
        except httpx.TransportError:
            return Answered(0, None, time.monotonic() - began)
        try:
            told = answer.json() if answer.content else None
        except ValueError:
            told = answer.text
        return Answered(answer.status_code, told, time.monotonic() - began)

    async def open_view(self, args: dict[str, Any]) -> dict[str, Any]:
        """`views.open`."""
        user, wrong = self._triggers.use(str(args.get("trigger_id") or ""), time.monotonic())
        if wrong:
            return {"ok": False, "error": wrong}
        view = args.get("view")
        if problems := view_problems(view):
            return {
                "ok": False,
                "error": "invalid_arguments",
                "response_metadata": {"messages": problems},
            }
        opened = {**dict(view or {}), "id": f"V{secrets.token_hex(5).upper()}", "team_id": TEAM}
        self.dialogs[user] = opened
        return {"ok": True, "view": opened}

    async def respond(self, request: Request) -> Response:
        """A `response_url`."""
        request.state.path = "/actions/<hook>"
        request.state.authenticated_as = "response_url"
        hook = self._hooks.get(request.path_params["path"])
        if hook is None or time.monotonic() - hook.since > HOOK_SECONDS:
            return PlainTextResponse("expired_url", 404)
        if hook.left == 0:
            return PlainTextResponse("used_url", 404)
        try:
            body = await request.json()
        except ValueError:
            return PlainTextResponse("invalid_payload", 400)
        wrong = refusal(body.get("text"), body.get("blocks"), None)
        if wrong is not None:
            return json_answer({"ok": False, "error": wrong[0]}, 400)
        hook.left -= 1
        content = {name: body[name] for name in ("text", "blocks") if body.get(name)}
        if body.get("replace_original"):
            message = next(each for each in self._workspace.messages if each["ts"] == hook.ts)
            message.pop("blocks", None)
            message.update(content)
        elif body.get("response_type", "ephemeral") == "ephemeral":
            self.told.append({"user": hook.user, "ts": self._workspace.next_ts(), **content})
        else:
            self._workspace.messages.append({"type": "message", "ts": self._workspace.next_ts(), **content})
        return json_answer({"ok": True})

    def told_to(self, user: str) -> list[str]:
        """What that person was told alone, oldest first."""
        return [each.get("text", "") for each in self.told if each["user"] == user]

    def _hook(self, user: str, ts: str) -> str:
        path = f"{TEAM}/{secrets.randbelow(10**12)}/{secrets.token_hex(12)}"
        self._hooks[path] = Hook(user, ts, time.monotonic())
        return f"{self._workspace.url}/actions/{path}"

    def _button(self, action_id: str, containing: str) -> tuple[Message, dict[str, Any]]:
        for message in reversed(self._workspace.messages):
            for block in message.get("blocks", ()):
                for element in block.get("elements", ()) if block.get("type") == "actions" else ():
                    if element.get("action_id") == action_id and containing in element.get("value", ""):
                        return message, element
        raise LookupError(f"no message has the button {action_id}")


def _filled(element: dict[str, Any], given: str | None) -> dict[str, Any]:
    if element["type"] == "static_select":
        chosen = element.get("initial_option")
        if given is not None:
            chosen = next(each for each in element["options"] if each["value"] == given)
        return {"type": "static_select", "selected_option": chosen}
    value = element.get("initial_value") if given is None else given
    return {"type": "plain_text_input", "value": value or None}
