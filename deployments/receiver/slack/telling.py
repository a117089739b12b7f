"""What is told in Slack: a dialog, an answered question in the place of its buttons, a word to one person."""

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from blocks.transport.errors import OutsideError, Refused, Unavailable
from blocks.transport.http import exchange
from deployments.processes.json_log import log_event
from deployments.receiver.slack.settings import SlackTarget
from runbook.channels.answered import Block, answered_blocks, answered_line
from runbook.interactions.questions import Standing
from runbook.outside_text.slack import SlackText, cut_message

SYSTEM = "Slack"
OPEN_SECONDS = 2.0
"""How long opening a dialog may take: what it is opened with holds for three seconds from the click."""

TELL_SECONDS = 10.0
SHOW_SECONDS = 2.0
"""How long showing an answer may take: its run is woken after that."""

_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")

log = logging.getLogger("runbook.receiver")

_ADVICE = {
    "expired_trigger_id": "Click again",
    "exchanged_trigger_id": "It was opened already: click again",
    "invalid_auth": "Correct the token of [slack]",
    "token_revoked": "Install the app again, and set its token in [slack]",
    "ratelimited": "Wait a moment, then click again",
}


async def open_dialog(target: SlackTarget, trigger_id: str, view: dict[str, Any]) -> None:
    """Open a dialog for whoever has clicked.

    Raises:
        Refused: there is no token, or Slack refuses.
        Unavailable: Slack does not answer in time.
    """
    if target.token is None:
        raise Refused(SYSTEM, "a dialog needs the bot's token", "Set the token of [slack]")
    token = target.token.get_secret_value()
    answer = await exchange(
        SYSTEM,
        "POST",
        f"{target.base_url.rstrip('/')}/views.open",
        headers={"authorization": f"Bearer {token}"},
        body={"trigger_id": trigger_id, "view": view},
        timeout_seconds=OPEN_SECONDS,
        secrets=[token],
    )
    error = web_api_error(answer)
    if error == "ratelimited" or answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise Unavailable(SYSTEM, f"the dialog was not opened ({error})", "Click again")
    if error:
        raise Refused(SYSTEM, f"the dialog was not opened ({error})", _ADVICE.get(error, "Click again"))


def web_api_error(answer: httpx.Response) -> str:
    """What is wrong by an answer of the Web API; empty for nothing."""
    try:
        told = answer.json()
    except (ValueError, RecursionError):
        return f"HTTP {answer.status_code}"
    if not isinstance(told, dict):
        return f"HTTP {answer.status_code}"
    return "" if told.get("ok") is True else str(told.get("error") or f"HTTP {answer.status_code}")[:80]


async def tell_privately(
    target: SlackTarget, url: str, text: SlackText, blocks: Sequence[Block] = ()
) -> None:
    """Tell one person something, where they clicked; nobody else sees it. Never raises."""
    await _respond(target, url, {"replace_original": False, **alone(text, blocks)}, TELL_SECONDS)


def alone(text: SlackText, blocks: Sequence[Block] = ()) -> dict[str, Any]:
    """A message that one person alone reads; `text` is what a notification of it says."""
    message: dict[str, Any] = {"response_type": "ephemeral", "text": str(cut_message(text))}
    return message | ({"blocks": [dict(block) for block in blocks]} if blocks else {})


async def show_answer(target: SlackTarget, url: str, blocks: Sequence[Block], standing: Standing) -> None:
    """Show who answered what and when in the place of the buttons. Never raises."""
    line = answered_line(standing.event.answer, standing.at)
    shown = [dict(block) for block in answered_blocks(blocks, line)]
    await _respond(target, url, {"replace_original": True, "text": str(line), "blocks": shown}, SHOW_SECONDS)


async def _respond(target: SlackTarget, url: str, body: dict[str, Any], within: float) -> None:
    if not is_of_slack(url, target):
        log_event(
            log, "nothing told in Slack", level=logging.WARNING, why="no address of Slack to tell it at"
        )
        return
    try:
        answer = await exchange(
            SYSTEM, "POST", url, body=body, timeout_seconds=within, secrets=[urlsplit(url).path]
        )
    except OutsideError as error:
        log_event(log, "nothing told in Slack", level=logging.WARNING, why=error.detail)
        return
    if not answer.is_success:
        log_event(log, "nothing told in Slack", level=logging.WARNING, why=f"HTTP {answer.status_code}")


def is_where(host: str) -> bool:
    """Whether a host is one of Slack's own, such as that of its sockets."""
    return host.endswith((".slack.com", ".slack-gov.com"))


def is_of_slack(url: str, target: SlackTarget) -> bool:
    """Whether an address is Slack's, or of the server that stands for it: nothing is sent anywhere else."""
    try:
        parts, own = urlsplit(url), urlsplit(target.base_url)
        at_home = (parts.scheme, parts.hostname, parts.port) == (own.scheme, own.hostname, own.port)
        at_slack = parts.scheme == "https" and parts.hostname in _HOSTS and parts.port in (None, 443)
    except ValueError:
        return False
    return bool(parts.hostname) and parts.username is None and (at_home or at_slack)
