"""The self-watch's own addresses: the receiver that is tried, and the dead man's switch that misses us."""

import logging
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, JsonValue, SecretStr

from blocks.transport.errors import OutsideError, Refused, Unavailable
from blocks.transport.http import exchange
from blocks.transport.translating import refusal
from runbook.alerts.sources.self_watch import payload

_RECEIVER = "alert receiver"
ALIVE = "RunbookAlive"
RENEWED_ROUNDS = 4
"""For so many intervals Alertmanager takes the runbook for alive after the last sign of life."""

# At INFO, httpx names the address of every request; that of the switch is a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)


class SelfWatch(Block):
    """How the runbook tries itself, and whom it tells that it is alive."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str] = "Runbook self-watch"
    _block_type_slug: ClassVar[str] = "runbook-self-watch"
    _description: ClassVar[str] = "The receiver that is checked on a schedule, and the dead man's switch."

    every: int = Field(default=300, ge=1, title="Interval", description="Seconds between rounds.")
    receiver_url: str = Field(title="Receiver", description="Base URL of the alert receiver.")
    token: SecretStr = Field(title="Token", description="Bearer token for /alerts/self-watch there.")
    ping_url: SecretStr | None = Field(
        default=None,
        title="Ping URL",
        description=(
            "Called with GET after each good round; an outside service pages a person when calls stop."
        ),
    )
    alertmanager_url: SecretStr | None = Field(
        default=None,
        title="Alertmanager",
        description="Where the alert RunbookAlive is renewed after each good round; may hold a password.",
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that one request may take."
    )

    @property
    def interval(self) -> timedelta:
        """From round to round."""
        return timedelta(seconds=self.every)

    async def send_alert(self, round_id: str) -> None:
        """Send the receiver the synthetic alert of a round; sent twice, it is the same.

        Raises:
            Unavailable: it does not answer, or cannot make it durable now.
            Refused: it does not take it.
        """
        token = self.token.get_secret_value()
        response = await exchange(
            _RECEIVER,
            "POST",
            f"{self.receiver_url.rstrip('/')}/alerts/self-watch",
            headers={"Authorization": f"Bearer {token}"},
            body=dict(payload(round_id)),
            timeout_seconds=self.timeout_seconds,
            secrets=[token],
        )
        if not response.is_success:
            raise refusal(response, system=_RECEIVER, secrets=[token])

    async def ping(self) -> None:
        """Tell the dead man's switch that all is well, where there is one.

        Raises:
            Unavailable: it cannot be reached.
            Refused: it does not take the ping.
        """
        if self.ping_url is not None:
            await self._tell("dead man's switch", "ping_url", "GET", self.ping_url.get_secret_value())

    async def renew_alert(self, environment: str, *, at: datetime) -> None:
        """Renew the alert that fires as long as all is well, where there is an Alertmanager.

        Not renewed, it ends by itself after `RENEWED_ROUNDS` intervals. `at` is aware.

        Raises:
            Unavailable: Alertmanager cannot be reached.
            Refused: it does not take the alert.
        """
        if self.alertmanager_url is None:
            return
        alive: dict[str, JsonValue] = {
            "labels": {"alertname": ALIVE, "environment": environment, "severity": "none"},
            "annotations": {
                "summary": "The incident runbook is working. When this alert stops, the runbook has stopped."
            },
            "endsAt": (at + RENEWED_ROUNDS * self.interval).isoformat(),
        }
        url = f"{self.alertmanager_url.get_secret_value().rstrip('/')}/api/v2/alerts"
        await self._tell("Alertmanager", "alertmanager_url", "POST", url, body=[alive])

    async def _tell(
        self, system: str, setting: str, method: str, url: str, *, body: JsonValue = None
    ) -> None:
        """Give a sign of life. Any part of the address may be a secret, so no error names it or quotes it."""
        advice = f"Check [self_watch] {setting}"
        try:
            response = await exchange(system, method, url, body=body, timeout_seconds=self.timeout_seconds)
        except OutsideError:
            raise Unavailable(system, "no answer", f"{advice} and the network") from None
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(system, f"it answered HTTP {status}", http_status=status)
        if not response.is_success:
            raise Refused(system, f"it answered HTTP {status}", advice)
