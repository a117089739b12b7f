"""The credentials of one world: made up at random, so that finding one anywhere means a leak."""

import random
import string

from pydantic import BaseModel, ConfigDict, SecretStr

_ALPHABET = string.ascii_letters + string.digits


class Keys(BaseModel):
    """Every credential of a world, masked in its repr."""

    model_config = ConfigDict(frozen=True)

    project_key: SecretStr
    """PostHog project key with which the integration starts."""
    replacement_project_key: SecretStr
    """A good project key that the dashboard would give out."""
    personal_key: SecretStr
    """PostHog personal key, of the integration and of the runbook's probe."""
    kubernetes_token: SecretStr
    alert_token: SecretStr
    """Bearer token which the alert source sends to the receiver."""
    slack_token: SecretStr
    slack_signing_secret: SecretStr
    slack_webhook_path: SecretStr
    statuspage_key: SecretStr
    incident_io_key: SecretStr
    pagerduty_routing_key: SecretStr
    slack_app_token: SecretStr
    smtp_password: SecretStr
    teams_signature: SecretStr
    """Of the workflow that posts into the team's channel."""
    teams_support_signature: SecretStr

    @classmethod
    def generated(cls, source: random.Random) -> "Keys":
        """Make up a set in the services' own shapes from ``source``."""

        def text(length: int, alphabet: str = _ALPHABET) -> str:
            return "".join(source.choice(alphabet) for _ in range(length))

        hexadecimal = "0123456789abcdef"
        slack_id = string.ascii_uppercase + string.digits
        return cls(
            project_key=SecretStr(f"phc_{text(43)}"),
            replacement_project_key=SecretStr(f"phc_{text(43)}"),
            personal_key=SecretStr(f"phx_{text(43)}"),
            kubernetes_token=SecretStr(text(64)),
            alert_token=SecretStr(text(40)),
            slack_token=SecretStr(f"xoxb-{text(12, string.digits)}-{text(13, string.digits)}-{text(24)}"),
            slack_signing_secret=SecretStr(text(32, hexadecimal)),
            slack_webhook_path=SecretStr(f"T{text(10, slack_id)}/B{text(10, slack_id)}/{text(24)}"),
            statuspage_key=SecretStr(
                f"{text(8, hexadecimal)}-{text(4, hexadecimal)}-{text(12, hexadecimal)}"
            ),
            incident_io_key=SecretStr(f"inc_{text(64, hexadecimal)}"),
            pagerduty_routing_key=SecretStr(text(32, hexadecimal)),
            slack_app_token=SecretStr(
                f"xapp-1-A{text(10, slack_id)}-{text(13, string.digits)}-{text(64, hexadecimal)}"
            ),
            smtp_password=SecretStr(text(24)),
            teams_signature=SecretStr(text(43)),
            teams_support_signature=SecretStr(text(43)),
        )
