"""Requests of people to a running receiver, over the network and over its local socket."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.spec import Risk
from runbook.approvals.people import Person
from runbook.approvals.rules import ApprovalRule
from runbook.incidents import events as e
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import TOKENS, Receiver, receiver_process

TWO = Policy(approvals={Risk.HIGH: ApprovalRule(count=2)}, people={"ana": Person(), "bob": Person()})


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory, make_httpserver: HTTPServer) -> Iterator[Receiver]:
    """One receiver for all tests here; each has incidents of its own."""
    folder = tmp_path_factory.mktemp("people")
    with receiver_process(folder, make_httpserver.url_for("/api")) as running:
        yield running


@pytest.fixture
def kept(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The receiver's store."""
    return receiver.store(monkeypatch)


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


_numbers = iter(range(1, 1000))


def opened(kept: Store, *events: e.Event) -> str:
    """An incident of its own."""
    return kept.open(f"{next(_numbers):04x}", events)


def answer_of(told: Incident) -> ApprovalAnswered:
    """The newest answer."""
    found = told.last(ApprovalAnswered)
    assert found is not None
    return found
