"""Section `[receiver.slack]`: whose clicks are taken, and what is read of `[slack]` to answer them."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from deployments.receiver.sources.settings import Secret
from deployments.settings.file import read_tables
from deployments.settings.secrets import Unusable, secret_at
from runbook.policy.settings_tables import Unfit

TeamId = Annotated[str, Field(pattern=r"^[TE][A-Z0-9]+$")]

_ONE_OF_THEM = "one of them, app_token (Socket Mode) where Slack cannot reach the receiver"


class SlackSettings(BaseModel):
    """Section `[receiver.slack]`: with `signing_secret` Slack sends requests over HTTP; with `app_token`,
    over a socket that the receiver opens (Socket Mode). Without either nobody can act from Slack.

    `previous_signing_secrets` are accepted as well, until Slack signs with the new one alone. `teams` are the
    workspaces, and `app_id` is the app, whose requests are taken; empty takes what is signed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    signing_secret: Secret | None = None
    previous_signing_secrets: list[Secret] = []
    teams: tuple[TeamId, ...] = ()
    app_id: str = Field(default="", pattern=r"^(A[A-Z0-9]+)?$")
    app_token: Secret | None = None

    @field_validator("app_token")
    @classmethod
    def _of_an_app(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not token.get_secret_value().startswith("xapp-"):
            step = "take one from “App-Level Tokens” under “Basic Information” of the app"
            raise Unfit("not an app-level token, which begins with xapp-", step)
        return token

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        signed = self.signing_secret is not None or bool(self.previous_signing_secrets)
        if signed and self.app_token is not None:
            other = "signing_secret" if self.signing_secret is not None else "previous_signing_secrets"
            raise Unfit(f"{other} and app_token are both set", f"keep {_ONE_OF_THEM}")
        if self.model_fields_set and self.signing_secret is None and self.app_token is None:
            raise Unfit("neither signing_secret nor app_token is set", f"set {_ONE_OF_THEM}")
        return self

    @property
    def takes_requests(self) -> bool:
        """Whether people can act from Slack."""
        return self.signing_secret is not None or self.app_token is not None

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
