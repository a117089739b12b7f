"""Slack's Web API and incoming webhook, as far as an incident channel needs them.

Shapes, limits and error names: the documentation of Slack's Web API. Errors are HTTP 200 with
``ok: false``; only the rate limit is a 429.
"""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from deployments.drill.world.channels.slack_arguments import Args, Refused, arguments
from deployments.drill.world.channels.slack_files import SlackFiles
from deployments.drill.world.channels.slack_limits import refusal
from deployments.drill.world.channels.slack_people import SlackPeople
from deployments.drill.world.channels.slack_sockets import SlackSockets
from deployments.drill.world.clock import Clock, utc_now
from deployments.drill.world.faults import SlackFaults
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.answers import json_answer
from deployments.drill.world.servers.pacing import Bucket

CHANNEL_ID = "C0INCIDENTS"
CHANNEL_NAME = "incidents"
FOREIGN_CHANNEL_ID = "C0BOARDROOM"
"""A channel that exists and that the bot has not joined."""

_TEAM = "T0DRILLTEAM"
_BOT_USER = "U0RUNBOOKBT"
_BOT = "B0RUNBOOKBT"
_BROADCAST = "thread_broadcast"
_PAGE = 100
_POSTS = (1.0, 5.0)
_UPDATES = (50 / 60, 10.0)

Message = dict[str, Any]


class Slack:
    """One workspace with the incident channel; :attr:`messages` is what was posted, oldest first.

    :attr:`people` click in it, once :attr:`url` says where the workspace is.
    """

    def __init__(self, keys: Keys, *, clock: Clock = utc_now) -> None:
        """Know the world's keys."""
        self.faults = SlackFaults()
        self.messages: list[Message] = []
        self.url = ""
        self.people = SlackPeople(self, keys.slack_signing_secret, clock)
        self.sockets = SlackSockets(self, keys.slack_app_token)
        self.files = SlackFiles(self)
        self._keys = keys
        self._clock = clock
        self._last_ts = 0
        self._buckets: dict[tuple[str, str], Bucket] = {}
        methods = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "files.completeUploadExternal": self.files.complete,
            "files.getUploadURLExternal": self.files.new_address,
            "views.open": self.people.open_view,
        }
        self.app = Starlette(
            routes=[
                *(
                    Route(f"/api/{name}", self._method(name, method), methods=["GET", "POST"])
                    for name, method in methods.items()
                ),
                Route("/api/apps.connections.open", self.sockets.new_address, methods=["POST"]),
                WebSocketRoute("/link/", self.sockets.serve),
                Route("/upload/v1/{ticket}", self.files.take, methods=["POST"]),
                Route("/services/{path:path}", self._webhook, methods=["POST"]),
                Route("/actions/{path:path}", self.people.respond, methods=["POST"]),
            ]
        )

    def _method(
        self, name: str, method: Callable[[Args], Awaitable[Args]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            args = await arguments(request)
            try:
                self._authenticate(request, args)
                if self.faults.error is not None:
                    raise Refused(self.faults.error)
                wait = self._seconds_to_wait(name, args)
                if wait:
                    body = {"ok": False, "error": "ratelimited"}
                    return json_answer(body, 429, {"Retry-After": str(math.ceil(wait))})
                return json_answer(await method(args))
            except Refused as refused:
                return json_answer(refused.answer)

        return answer

    def _authenticate(self, request: Request, args: Args) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or args.get("token", "")
        if not token:
            raise Refused("not_authed")
        if token != self._keys.slack_token.get_secret_value():
            raise Refused("invalid_auth")
        request.state.authenticated_as = "runbook bot"

    def _seconds_to_wait(self, method: str, args: Args) -> float:
        rate = {"chat.postMessage": _POSTS, "chat.update": _UPDATES}.get(method)
        if rate is None:
            return 0.0
        bucket = self._buckets.setdefault((method, str(args.get("channel"))), Bucket(*rate))
        return bucket.take(time.monotonic())

    async def _auth_test(self, _args: Args) -> Args:
        return {
            "ok": True,
            "url": "https://drill.slack.com/",
            "team": "Drill",
            "user": "runbook",
            "team_id": _TEAM,
            "user_id": _BOT_USER,
            "bot_id": _BOT,
            "is_enterprise_install": False,
        }

    async def _post_message(self, args: Args) -> Args:
        _check(args)
        message = self.post(args, _content(args))
        return {"ok": True, "channel": CHANNEL_ID, "ts": message["ts"], "message": message}

    def post(self, args: Args, content: Message) -> Message:
        """A message of the bot's in the channel and thread of the arguments."""
        _channel(args, by_name=True)
        thread = args.get("thread_ts")
        if thread and not any(message["ts"] == thread for message in self.messages):
            raise Refused("thread_not_found")
        message = {
            "type": "message",
            "user": _BOT_USER,
            "bot_id": _BOT,
            "app_id": "A0RUNBOOK00",
            "team": _TEAM,
            "ts": self.next_ts(),
            **content,
        }
        if thread:
            message["thread_ts"] = thread
            if _true(args.get("reply_broadcast")):
                message["subtype"] = _BROADCAST
        self.messages.append(message)
        return message

    async def _update(self, args: Args) -> Args:
        channel = _channel(args)
        _check(args)
        message = next((message for message in self.messages if message["ts"] == args.get("ts")), None)
        if message is None:
            raise Refused("message_not_found")
        if message.get("bot_id") != _BOT:
            raise Refused("cant_update_message")
        content = _content(args)
        if "text" in args and "blocks" not in content:
            message.pop("blocks", None)  # Slack keeps them only where the text is left out, too
        message.update(content)
        message["edited"] = {"user": _BOT_USER, "ts": self.next_ts()}
        return {
            "ok": True,
            "channel": channel,
            "ts": message["ts"],
            "text": message["text"],
            "message": message,
        }

    async def _history(self, args: Args) -> Args:
        _channel(args)
        top = [
            message
            for message in reversed(self.messages)
            if message.get("thread_ts", message["ts"]) == message["ts"]
            or message.get("subtype") == _BROADCAST
        ]
        return self._page([m for m in top if _within(m, args)], args)

    async def _replies(self, args: Args) -> Args:
        _channel(args)
        thread = args.get("ts")
        parent = [message for message in self.messages if message["ts"] == thread]
        if not parent:
            raise Refused("thread_not_found")
        replies = [m for m in self.messages if m.get("thread_ts") == thread and _within(m, args)]
        return self._page(parent + replies, args)

    def _page(self, messages: list[Message], args: Args) -> Args:
        limit = min(int(args.get("limit") or _PAGE), 999)
        start = int(args.get("cursor") or 0)
        shown = [self._shown(message, args) for message in messages[start : start + limit]]
        more = start + limit < len(messages)
        answer: Args = {"ok": True, "messages": shown, "has_more": more}
        if more:
            answer["response_metadata"] = {"next_cursor": str(start + limit)}
        return answer

    def _shown(self, message: Message, args: Args) -> Message:
        shown = dict(message)
        if not _true(args.get("include_all_metadata")):
            shown.pop("metadata", None)
        replies = [m for m in self.messages if m.get("thread_ts") == message["ts"]]
        if replies:
            shown |= {
                "thread_ts": message["ts"],
                "reply_count": len(replies),
                "latest_reply": replies[-1]["ts"],
            }
        return shown

    async def _webhook(self, request: Request) -> Response:
        request.state.path = "/services/<webhook>"
        if request.path_params["path"] != self._keys.slack_webhook_path.get_secret_value():
            return PlainTextResponse("no_service", 404)
        request.state.authenticated_as = "incoming webhook"
        try:
            args = await request.json()
        except ValueError:
            return PlainTextResponse("invalid_payload", 400)
        if not isinstance(args, dict):
            return PlainTextResponse("invalid_payload", 400)
        try:
            _check(args)
        except Refused as refused:
            return PlainTextResponse(str(refused), 400)
        self.messages.append(
            {"type": "message", "subtype": "bot_message", "ts": self.next_ts(), **_content(args)}
        )
        return PlainTextResponse("ok")

    def next_ts(self) -> str:
        """The time of a new message, unlike any other."""
        micros = max(int(self._clock().timestamp() * 1e6), self._last_ts + 1)
        self._last_ts = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"


def _channel(args: Args, *, by_name: bool = False) -> str:
    channel = str(args.get("channel") or "")
    if by_name and channel.removeprefix("#") == CHANNEL_NAME:
        return CHANNEL_ID
    if channel == FOREIGN_CHANNEL_ID:
        raise Refused("not_in_channel")
    if channel != CHANNEL_ID:
        raise Refused("channel_not_found")
    return channel


def _check(args: Args) -> None:
    reason = refusal(args.get("text"), args.get("blocks"), args.get("attachments"))
    if reason is not None:
        raise Refused(*reason)


def _content(args: Args) -> Message:
    content: Message = {"text": args.get("text") or ""}
    for name in ("blocks", "attachments", "metadata"):
        if args.get(name):
            content[name] = args[name]
    return content


def _within(message: Message, args: Args) -> bool:
    inclusive = _true(args.get("inclusive"))
    ts = float(message["ts"])
    oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or math.inf)
    return oldest <= ts <= latest if inclusive else oldest < ts < latest


def _true(value: Any) -> bool:
    return value in (True, 1, "1", "true", "True")
