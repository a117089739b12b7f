"""Section `[receiver.plain]`: who may send alerts as plain JSON, or as what its mapping reads."""

from deployments.receiver.sources.mapped import MappedSettings, credentials
from deployments.receiver.sources.proof import SourceProof
from runbook.alerts.sources import SOURCES
from runbook.alerts.sources.plain import PlainAlert

PROOF = SourceProof(
    source=SOURCES["plain"],
    settings=MappedSettings,
    credentials=credentials,
    how="A bearer token; a user and password; or the HMAC-SHA256 of the body, as its section says.",
    payload=PlainAlert.model_json_schema(),
)
