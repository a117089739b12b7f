"""Section `[receiver.slack]`: whose clicks are taken, and what is read of `[slack]` to answer them."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from deployments.receiver.sources.settings import Secret
from deployments.settings.file import read_tables
from deployments.settings.secrets import Unusable, secret_at

TeamId = Annotated[str, Field(pattern=r"^[TE][A-Z0-9]+$")]


class SlackSettings(BaseModel):
    """Section `[receiver.slack]`. Without a signing secret nobody can act from Slack.

    `previous_signing_secrets` are accepted as well, until Slack signs with the new one alone. `teams` are the
    workspaces, and `app_id` is the app, whose requests are taken; empty takes what is signed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    signing_secret: Secret | None = None
    previous_signing_secrets: list[Secret] = []
    teams: tuple[TeamId, ...] = ()
    app_id: str = Field(default="", pattern=r"^(A[A-Z0-9]+)?$")

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """All that a request may be signed with."""
        if self.signing_secret is None:
            return ()
        known = (self.signing_secret, *self.previous_signing_secrets)
        return tuple(secret.get_secret_value().encode() for secret in known)


class SlackTarget(BaseModel):
    """What the receiver reads of `[slack]`. Its block would take a second to import."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    token: SecretStr | None = None
    base_url: str = "https://slack.com/api/"


def slack_target(origin: Path) -> SlackTarget:
    """How Slack is reached, by the settings file of this moment; without a token where there is none."""
    try:
        table = read_tables(origin).get("slack", {})
        target = SlackTarget.model_validate({**table, "token": None})
        token = secret_at(table["token"], origin.absolute().parent)
    except (Unusable, ValidationError, TypeError, KeyError):  # told by whoever reads the whole file
        return SlackTarget()
    return target.model_copy(update={"token": token})
