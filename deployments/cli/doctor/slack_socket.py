"""Whether Slack opens a socket for our app-level token; `runbook doctor` tells."""

from pathlib import Path

from blocks.transport.errors import OutsideError
from deployments.cli.doctor.rows import CheckRow, State
from deployments.cli.doctor.systems import failed
from runbook.outside_text import let_in_line

_NAME = "Slack's socket"
_RECEIVER_SECONDS = 3
_LONGEST = 300
_UNTIL_THEN = "See the receiver's log. Until then answer with `runbook approve` and the like, or by the API"


async def socket_rows(config: Path | None) -> list[CheckRow]:
    """The row of the socket; none where Slack's requests come over HTTP. No socket is opened."""
    from deployments.cli.sources import read_settings
    from deployments.receiver.slack.settings import slack_target
    from deployments.receiver.slack.socket_mode.opening import socket_url

    if config is None:
        return []
    settings = read_settings(config)
    token = settings.receiver.slack.app_token
    if token is None:
        return []
    try:
        await socket_url(slack_target(settings.origin).base_url, token)
    except OutsideError as error:
        return [failed(_NAME, error)]
    if stands := await _at_the_receiver(settings.receiver.url):
        return [CheckRow(_NAME, State.WRONG, f"the receiver says: {stands}", _UNTIL_THEN)]
    return [CheckRow(_NAME, State.OK, "Slack opens one for the app-level token")]


async def _at_the_receiver(url: str) -> str:
    """What the receiver on this machine says of its socket; empty where it is well, or nobody says."""
    from blocks.transport.http import exchange

    if not url:
        return ""
    try:
        answer = await exchange("alert receiver", "GET", f"{url}/readyz", timeout_seconds=_RECEIVER_SECONDS)
        told = answer.json()
    except (OutsideError, ValueError):
        return ""  # it runs elsewhere, or not now
    stands = told.get("slack") if isinstance(told, dict) else None
    if not isinstance(stands, str) or stands == "connected" or stands.startswith("renewing"):
        return ""
    return let_in_line(stands, _LONGEST)
