"""What it means that Slack answers `ok: false`, and what to do about it."""

from slack_sdk.errors import SlackApiError

from blocks.channels.slack_client import SYSTEM, wish
from blocks.transport.errors import NotFound, OutsideError, Refused, Unauthenticated, Unavailable, Unreadable
from runbook.outside_text import let_in_line
from runbook.redaction import redact

_NOT_JSON = "Received a response in a non-JSON format"  # slack_sdk's word for HTML and the like

_NEXT_STEPS = {
    "invalid_auth": "Put a valid bot token into the Slack block",
    "not_authed": "Put a bot token into the Slack block",
    "account_inactive": "Put the token of an active app into the Slack block",
    "token_revoked": "Put a new bot token into the Slack block",
    "token_expired": "Put a new bot token into the Slack block",
    "not_in_channel": "Invite the app to the channel: /invite @app",
    "channel_not_found": "Configure the channel's ID (C…) and invite the app to it",
    "is_archived": "Configure another channel",
    "missing_scope": "Give the app the scopes chat:write, channels:history, groups:history and files:write",
}
_UNAUTHENTICATED = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
)
_TRANSIENT = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
_PERHAPS_DONE = frozenset({"internal_error", "fatal_error", "request_timeout"})


def refusal(what: str, channel: str, error: SlackApiError, *, secret: str) -> OutsideError:
    """What an answer with `ok: false` means, without the token."""
    response = error.response
    data = response.data if isinstance(response.data, dict) else {}
    code = str(data.get("error") or f"HTTP {response.status_code}")
    not_json = code.startswith(_NOT_JSON)
    if not_json:
        code = f"HTTP {response.status_code} without JSON"
    detail = redact(f"cannot {what} in {channel}: {code}{_explained(data)}", [secret])
    if code in _TRANSIENT or response.status_code == 429 or response.status_code >= 500:
        wished = wish(response.headers)
        return Unavailable(
            SYSTEM,
            detail,
            http_status=response.status_code,
            retry_after_seconds=wished,
            # Slack's own words: "it's possible some aspect of the operation succeeded before the error"
            may_have_landed=code in _PERHAPS_DONE or response.status_code >= 500,
        )
    if not_json:
        return Unreadable(SYSTEM, detail, "Check the base URL")
    next_step = _NEXT_STEPS.get(code, "See Slack's documentation of this error")
    if code == "missing_scope" and (needed := data.get("needed")):
        next_step = f"Give the app the scope {let_in_line(str(needed), 80)} and install it again"
    if code in _UNAUTHENTICATED:
        return Unauthenticated(SYSTEM, detail, next_step)
    if code == "channel_not_found":
        return NotFound(SYSTEM, detail, next_step)
    return Refused(SYSTEM, detail, next_step)


def _explained(data: dict[str, object]) -> str:
    """What Slack says beside the name of the error, as of blocks that it does not take."""
    more = data.get("response_metadata")
    said = more.get("messages") if isinstance(more, dict) else None
    first = said[0] if isinstance(said, list) and said else ""
    return f" ({let_in_line(str(first), 200)})" if first else ""
