"""Requests of people to a running receiver, over the network and over its local socket."""

from typing import Any

import httpx

from runbook.actions.spec import Risk
from runbook.approvals.people import Person
from runbook.approvals.rules import ApprovalRule
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.deployments.people_bench import TOKENS, Receiver

TWO = Policy(approvals={Risk.HIGH: ApprovalRule(count=2)}, people={"ana": Person(), "bob": Person()})


def send(
    receiver: Receiver, reference: str, act: str, body: Any, *, whose: str | None = "ana", **headers: str
) -> httpx.Response:
    """A request over the network, with that person's token."""
    token = {"authorization": f"Bearer {TOKENS.get(whose, whose)}"} if whose else {}
    return httpx.post(
        f"{receiver.url}/api/incidents/{reference}/{act}",
        json=body,
        headers={**token, **headers},
        trust_env=False,
        timeout=30,
    )


def over_socket(receiver: Receiver, reference: str, act: str, body: Any) -> httpx.Response:
    """A request over the local socket, without any header that says who asks."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(receiver.socket)), timeout=30) as client:
        return client.post(f"http://receiver/api/incidents/{reference}/{act}", json=body)


def answer_of(told: Incident) -> ApprovalAnswered:
    """The newest answer."""
    found = told.last(ApprovalAnswered)
    assert found is not None
    return found
