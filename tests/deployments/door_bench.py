"""A receiver that commands act through, and incidents of its store."""

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from runbook.approvals.gates import Answer
from runbook.incidents import events as e
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import Incident
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import Receiver, receiver_process


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory, make_httpserver: HTTPServer) -> Iterator[Receiver]:
    """One receiver for all tests here."""
    with receiver_process(tmp_path_factory.mktemp("door"), make_httpserver.url_for("/api")) as running:
        yield running


@pytest.fixture
def kept(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The receiver's store; the commands find its settings in the working folder."""
    return receiver.store(monkeypatch)


_numbers = iter(range(1, 1000))


def opened(kept: Store, *events: e.Event) -> str:
    """An incident of its own."""
    return kept.open(f"{next(_numbers):04x}", events)


def newest(told: Incident) -> Answer:
    """The newest answer."""
    found = told.last(ApprovalAnswered)
    assert found is not None
    return found.answer
