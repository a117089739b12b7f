"""Section `[receiver.self_watch]`: what the self-watch shows with its synthetic alert."""

from deployments.receiver.sources.plain import PlainSettings, credentials
from deployments.receiver.sources.proof import SourceProof
from runbook.alerts.sources import SELF_WATCH
from runbook.alerts.sources.plain import PlainAlert

PROOF = SourceProof(
    source=SELF_WATCH,
    settings=PlainSettings,
    credentials=credentials,
    how="A bearer token.",
    payload=PlainAlert.model_json_schema(),
)
