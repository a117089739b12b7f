"""Who acknowledges at PagerDuty has acknowledged the incident here."""

import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from itertools import count
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer

from runbook.approvals.identity import Identity, Proof
from runbook.incidents import events as e
from runbook.incidents.people import acknowledged_by
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import Receiver, opened, receiver_process
from tests.runbook.journals import decided

DAN, STRANGER, SECRET = "PLH1HKV", "P0THER1", "p" * 40
SETTINGS = f"""
[policy.people.dan]
logins = ["{DAN}"]
[receiver.pagerduty]
secrets = [{{ file = "pagerduty.secret" }}]
"""
_events = count()


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory, make_httpserver: HTTPServer) -> Iterator[Receiver]:
    """A receiver that takes webhooks, and knows dan's account there."""
    folder = tmp_path_factory.mktemp("pager")
    (folder / "pagerduty.secret").write_text(SECRET)
    with receiver_process(folder, make_httpserver.url_for("/api"), SETTINGS) as running:
        yield running


@pytest.fixture
def known(receiver: Receiver, kept: Store) -> Store:
    """Its store, with its settings as they were."""
    receiver.configure(SETTINGS)
    return kept


def webhook(incident: str, event_type: str = "incident.acknowledged", agent: str = DAN) -> dict[str, Any]:
    """What PagerDuty sends about a page of ours."""
    return {
        "event": {
            "id": f"01BRB{next(_events)}",
            "event_type": event_type,
            "agent": {"id": agent, "type": "user_reference", "summary": "Somebody"},
            "data": {
                "id": "PGR0VU2",
                "type": "incident",
                "incident_key": f"{incident}/pager/opened",
                "title": "P1",
                "status": event_type.partition(".")[2],
            },
        }
    }


def send(receiver: Receiver, payload: dict[str, Any], secret: str = SECRET) -> httpx.Response:
    """Send it, signed."""
    body = json.dumps(payload).encode()
    signature = hmac.new(secret.encode(), body, sha256).hexdigest()
    headers = {"content-type": "application/json", "x-pagerduty-signature": f"v1={signature}"}
    return httpx.post(f"{receiver.url}/alerts/pagerduty", content=body, headers=headers, timeout=20)


@pytest.mark.parametrize("event_type", ["incident.acknowledged", "incident.resolved"])
def test_an_acknowledged_page_is_an_acknowledged_incident(
    receiver: Receiver, known: Store, event_type: str
) -> None:
    """By the person whose account it is, proven, once for each delivery; a resolved page ends nothing."""
    incident = opened(known, decided())
    payload = webhook(incident, event_type)
    for _ in range(2):
        assert send(receiver, payload).status_code == 202
    journal = known.read(incident)
    [event] = journal.events(e.IncidentAcknowledged)
    assert event.by == "dan"
    assert event.identity == Identity(name=DAN, how=Proof.PAGERDUTY)
    assert (journal.resolved, acknowledged_by(journal)) == (False, ("dan",))


def test_an_account_that_nobody_knows_is_a_claim(receiver: Receiver, known: Store) -> None:
    """Under its id, whatever it calls itself; an incident that there is not is nobody's."""
    incident = opened(known, decided())
    assert send(receiver, webhook(incident, agent=STRANGER)).status_code == 202
    [event] = known.read(incident).events(e.IncidentAcknowledged)
    assert event.by == STRANGER
    assert event.identity == Identity(name=STRANGER, detail="called Somebody in PagerDuty")
    assert send(receiver, webhook("inc-20200101-000000-ffff")).status_code == 202


def test_nobody_acknowledges_without_the_signature(receiver: Receiver, known: Store) -> None:
    """Nothing is written."""
    incident = opened(known, decided())
    assert send(receiver, webhook(incident), secret="q" * 40).status_code == 401
    assert acknowledged_by(known.read(incident)) == ()
