"""Whether Slack takes our token, shows us the channel, and lists the scope to write in it."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from runbook.outside_text import let_in_line
from runbook.value import Value

_NAME_LENGTH = 80

Call = Callable[[str, Callable[[WebClient], SlackResponse]], Awaitable[dict[str, Any]]]


class SlackAccess(Value):
    """Who the token is, and whether it may write and share files; None where Slack lists no scopes."""

    team: str
    user: str
    may_write: bool | None
    may_share: bool | None = None


async def read_access(call: Call, channel: str) -> SlackAccess:
    """Who we are there, once the channel could be read; `call` names what is done, and does it."""
    scopes: list[str] = []

    def ask(client: WebClient) -> SlackResponse:
        answer = client.auth_test()
        scopes.append(str(answer.headers.get("x-oauth-scopes") or ""))
        return answer

    own = await call("authenticate", ask)
    await call("read", lambda client: client.conversations_history(channel=channel, limit=1))
    listed = {scope.strip() for scope in scopes[-1].split(",")} - {""}
    return SlackAccess(
        team=let_in_line(str(own.get("team", "")), _NAME_LENGTH),
        user=let_in_line(str(own.get("user", "")), _NAME_LENGTH),
        may_write="chat:write" in listed if listed else None,
        may_share="files:write" in listed if listed else None,
    )
