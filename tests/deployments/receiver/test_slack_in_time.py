"""Slack is answered in time whatever Prefect does, and what a click said survives the receiver's death."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.processes.process import Process
from runbook.approvals.gates import Choice
from runbook.channels.buttons import ButtonKind
from runbook.incidents import events as e
from tests.deployments.cli.test_gates import ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import answer_of
from tests.deployments.people_bench import Receiver, opened, receiver_process
from tests.deployments.slack_bench import ANA, BOB, Chat, chatting
from tests.deployments.sleeping_run import FakePrefect

pytestmark = pytest.mark.proof  # each starts receivers of its own

SLACK_WAITS = 3.0


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a Prefect that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"


@pytest.fixture
def started() -> list[Process]:
    """The processes of the receivers of a test."""
    return []


@pytest.fixture
def stuck(tmp_path: Path, hanging: str, started: list[Process]) -> Iterator[Receiver]:
    """A receiver whose Prefect hangs."""
    with receiver_process(tmp_path, hanging, started=started) as running:
        yield running


@pytest.fixture
def stuck_chat(stuck: Receiver) -> Iterator[Chat]:
    """Its workspace."""
    with chatting(stuck) as found:
        yield found


@pytest.fixture
def stuck_store(stuck: Receiver, stuck_chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Its store."""
    found = stuck.store(monkeypatch)
    stuck_chat.configure()
    return found


def test_an_answer_is_recorded_and_shown_while_prefect_hangs(stuck_chat: Chat, stuck_store: Store) -> None:
    """Every way to answer is answered within Slack's three seconds."""
    chat, kept = stuck_chat, stuck_store
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.APPROVE)
    answered = chat.click(ANA, ButtonKind.APPROVE, message)
    assert (answered.status, answered.seconds < SLACK_WAITS) == (200, True)
    assert answer_of(kept.read(incident)).answer.choice is Choice.APPROVE
    assert "ana approved at" in chat.shown(message)

    other = opened(kept, *asking(ROLL_BACK))
    buttons = chat.post(kept.read(other), ButtonKind.REJECT, ButtonKind.FALSE_ALARM, ButtonKind.TAKE)
    for kind in (ButtonKind.TAKE, ButtonKind.FALSE_ALARM):
        assert chat.click(BOB, kind, buttons).seconds < SLACK_WAITS
    chat.dialog(BOB)
    ended = chat.submit(BOB, reason="a test alert")
    assert (ended.status, ended.body, ended.seconds < SLACK_WAITS) == (200, None, True)
    assert kept.read(other).last(e.IncidentResolved) is not None


def test_a_click_survives_the_death_of_its_receiver(
    stuck_chat: Chat, stuck_store: Store, started: list[Process], tmp_path: Path, prefect: FakePrefect
) -> None:
    """It died with the answer in the journal and the run asleep: the same click again wakes it, once."""
    chat, kept = stuck_chat, stuck_store
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.APPROVE)
    payload = chat.payload(ANA, message, ButtonKind.APPROVE)
    assert chat.send(payload).status == 200
    os.kill(started[0].pid, signal.SIGKILL)
    before = kept.read(incident)
    assert answer_of(before).answer.approver == "ana"
    assert prefect.forms == []
    with receiver_process(tmp_path, prefect.url) as again:
        chat.receiver = again
        chat.configure()
        assert chat.send(payload).status == 200
        chat.soon(lambda: prefect.forms)
        assert "ana approved at" in chat.shown(message)
    assert [form["decision"] for form in prefect.forms] == ["approve"]
    assert kept.read(incident) == before
