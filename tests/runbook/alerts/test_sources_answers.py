"""Payloads with what senders leave out, write as numbers or call by their own words, and their alerts."""

import json
from pathlib import Path
from typing import Any

import pytest

from runbook.alerts.sources import SOURCES, UnreadablePayload

SENT = json.loads((Path(__file__).parents[2] / "data" / "alert-answers.json").read_text())
UNREADABLE = "err"


@pytest.mark.parametrize("sent", SENT, ids=[sent["name"] for sent in SENT])
def test_a_payload_tells_of_these_alerts(sent: dict[str, Any]) -> None:
    """Each with its name, status and identity; what cannot be read is told as such."""
    translate = SOURCES[sent["source"]].translate
    if sent["alerts"] == UNREADABLE:
        with pytest.raises(UnreadablePayload):
            translate(sent["payload"], "posthog-integration")
        return
    alerts = translate(sent["payload"], "posthog-integration")
    assert [[alert.name, alert.status, alert.fingerprint] for alert in alerts] == sent["alerts"]


def test_no_data_is_not_well() -> None:
    """A rule that is normal since it had no data has shown no recovery."""
    payload = {"alerts": [{"status": "Normal (NoData)", "labels": {"alertname": "N"}}]}
    with pytest.raises(UnreadablePayload):
        SOURCES["grafana"].translate(payload, "posthog-integration")
