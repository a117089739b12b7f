"""How a message carries the id of its effect, and how it is looked for by it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from runbook.incidents.effects import Effect

PER_REQUEST = 200
"""Messages in one answer of Slack."""

_EVENT_TYPE = "runbook_effect"


def metadata(effect_id: str) -> dict[str, Any]:
    """What a message carries, and people do not see."""
    return {"event_type": _EVENT_TYPE, "event_payload": {"effect_id": effect_id}}


def history(
    client: WebClient, *, channel: str, oldest: datetime, thread_ts: str | None, cursor: str
) -> SlackResponse:
    """One page of the channel, or of a thread, since then (aware)."""
    window: dict[str, Any] = {
        "channel": channel,
        "oldest": f"{oldest.timestamp():.6f}",
        "include_all_metadata": True,
        "limit": PER_REQUEST,
        "cursor": cursor or None,
    }
    if thread_ts:
        return client.conversations_replies(ts=thread_ts, **window)
    return client.conversations_history(**window)


def effect_of(message: Mapping[str, Any]) -> str | None:
    """The effect that a message belongs to; `None` where it is none of ours."""
    carried = message.get("metadata") or {}
    if carried.get("event_type") != _EVENT_TYPE:
        return None
    effect_id: str | None = (carried.get("event_payload") or {}).get("effect_id")
    return effect_id


def thread_of(earlier: Sequence[Effect]) -> str | None:
    """The timestamp of the incident's first message: the earliest one, whichever was tried first."""
    sent = [str(effect.receipt["ts"]) for effect in earlier if effect.receipt.get("ts")]
    return min(sent, key=_seconds, default=None)


def _seconds(ts: str) -> tuple[int, str]:
    """A timestamp as it sorts: `1764378000.000100`."""
    return len(ts.partition(".")[0]), ts
