"""What a webhook of PagerDuty says of a person who has seen something there."""

from typing import Any

import pytest

from runbook.alerts.pager_acts import pager_act
from runbook.alerts.sources import SOURCES

PAGE = "inc-20261122-160000-ab12/pager/escalated-1"
OURS = "inc-20261122-160000-ab12"
ANA = {"id": "PLH1HKV", "type": "user_reference", "summary": "Ana"}


def webhook(
    event_type: str = "incident.acknowledged",
    *,
    key: str | None = "theirs",
    agent: dict[str, Any] | None = ANA,
    kind: str = "incident",
) -> dict[str, Any]:
    """A webhook about an incident at PagerDuty."""
    status = event_type.partition(".")[2]
    data = {"id": "P1", "type": kind, "incident_key": key, "title": "x", "status": status}
    return {"event": {"id": "01B", "event_type": event_type, "agent": agent, "data": data}}


@pytest.mark.parametrize(
    ("payload", "incident"),
    [
        pytest.param(webhook(), "", id="the alert is acknowledged"),
        pytest.param(webhook(key=None), "", id="it has no key"),
        pytest.param(webhook(key=PAGE), OURS, id="our page is acknowledged"),
        pytest.param(webhook("incident.resolved", key=PAGE), OURS, id="our page is resolved"),
        pytest.param(webhook("incident.resolved"), None, id="an alert that is resolved is no act"),
        pytest.param(webhook("incident.triggered", key=PAGE), None, id="our page arrives"),
        pytest.param(webhook(agent=None), None, id="nobody did it"),
        pytest.param(webhook(agent=ANA | {"type": "inbound_integration_reference"}), None, id="we did it"),
        pytest.param(webhook(agent=ANA | {"id": " "}), None, id="an account without an id"),
        pytest.param(webhook(agent=ANA | {"id": "\u200b"}), None, id="an account that cannot be seen"),
        pytest.param(webhook(kind="incident_note"), None, id="a note there"),
        pytest.param({"event": 7}, None, id="anything else"),
        pytest.param(webhook(key=f"{PAGE}-resolved"), "", id="no page"),
        pytest.param(webhook(key=PAGE.replace("pager", "slack")), "", id="no page of a pager"),
    ],
)
def test_only_a_person_acknowledges(payload: Any, incident: str | None) -> None:
    """And it is about our incident by the key of our page, or about that of the alert."""
    act = pager_act(payload)
    assert (act.incident if act else None) == incident
    if act is not None:
        assert (act.account, act.called, act.delivery) == ("PLH1HKV", "Ana", "01B")


def test_a_page_of_ours_is_no_alert() -> None:
    """It would open an incident about itself."""
    translate = SOURCES["pagerduty"].translate
    assert translate(webhook("incident.triggered", key=PAGE), "x") == []
    assert len(translate(webhook("incident.triggered"), "x")) == 1
