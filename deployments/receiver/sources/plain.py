"""Section `[receiver.plain]`: who may send alerts as plain JSON."""

from pydantic import SecretStr

from deployments.receiver.sources.credentials import Credential, tokens
from deployments.receiver.sources.proof import SourceProof
from deployments.receiver.sources.settings import Secret, SourceSettings
from runbook.alerts.sources import SOURCES
from runbook.alerts.sources.plain import PlainAlert


class PlainSettings(SourceSettings):
    """Sections `[receiver.plain]` and `[receiver.self_watch]`."""

    token: Secret | None = None


def credentials(own: PlainSettings, shared: SecretStr | None) -> list[Credential]:
    """The token of its own section, or else the one that several sources share."""
    return tokens(own.token) or tokens(shared)


PROOF = SourceProof(
    source=SOURCES["plain"],
    settings=PlainSettings,
    credentials=credentials,
    how="A bearer token.",
    payload=PlainAlert.model_json_schema(),
)
