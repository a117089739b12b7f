"""Section `[receiver.self_watch]`: what the self-watch shows with its synthetic alert."""

from pydantic import SecretStr

from deployments.receiver.sources.credentials import Credential, tokens
from deployments.receiver.sources.proof import SourceProof
from deployments.receiver.sources.settings import Secret, SourceSettings
from runbook.alerts.sources import SELF_WATCH
from runbook.alerts.sources.plain import PlainAlert


class SelfWatchTokenSettings(SourceSettings):
    """Section `[receiver.self_watch]`."""

    token: Secret | None = None


def _credentials(own: SelfWatchTokenSettings, shared: SecretStr | None) -> list[Credential]:
    """The token of its own section, or else the one that several sources share."""
    return tokens(own.token) or tokens(shared)


PROOF = SourceProof(
    source=SELF_WATCH,
    settings=SelfWatchTokenSettings,
    credentials=_credentials,
    how="A bearer token.",
    payload=PlainAlert.model_json_schema(),
)
