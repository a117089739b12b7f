"""Whether Slack opens a socket for our app-level token; `runbook doctor` tells."""

from pathlib import Path

from blocks.transport.errors import OutsideError
from deployments.cli.doctor.rows import CheckRow, State
from deployments.cli.doctor.systems import failed

_NAME = "Slack's socket"


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
    return [CheckRow(_NAME, State.OK, "Slack opens one for the app-level token")]
