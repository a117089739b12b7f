"""Slack over a socket that the receiver opens: the same as over HTTP, with nothing that can reach it."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.drill.world.channels.slack import Slack
from deployments.drill.world.servers.wire import listening
from deployments.processes.process import Process
from runbook.approvals.identity import Identity, Proof
from runbook.channels.buttons import ButtonKind
from runbook.incidents import events as e
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import answer_of
from tests.deployments.people_bench import Receiver, opened, receiver_process
from tests.deployments.slack_bench import ANA, BOB, KEYS, MALLORY, PEOPLE, SLACK, Chat, typed
from tests.deployments.sleeping_run import FakePrefect
from tests.fixtures.prefect_server import event_loop_in_background

SOCKET = SLACK.replace('signing_secret = { file = "slack.secret" }', 'app_token = { file = "slack.app" }')
BY_SLACK = Identity(name=ANA, how=Proof.SLACK)


@contextmanager
def workspace(folder: Path) -> Iterator[Chat]:
    """A workspace whose app has Socket Mode on; its receiver is told by `connected`."""
    (folder / "slack.app").write_text(KEYS.slack_app_token.get_secret_value())
    (folder / "slack.token").write_text(KEYS.slack_token.get_secret_value())
    slack, stack = Slack(KEYS), AsyncExitStack()
    with event_loop_in_background() as run:
        slack.url = run(stack.enter_async_context(listening(slack.app)))
        try:
            yield Chat(slack, Receiver("", folder), run, SOCKET)
        finally:
            run(stack.aclose())


@contextmanager
def connected(chat: Chat, prefect_url: str, started: list[Process] | None = None) -> Iterator[Chat]:
    """With a receiver that has opened its socket."""
    more = f'{SOCKET}base_url = "{chat.workspace.url}/api/"\n'
    with receiver_process(
        chat.receiver.folder, prefect_url, more, started=started, instead_of=PEOPLE
    ) as running:
        chat.receiver = running
        chat.soon(lambda: chat.workspace.sockets.open)
        yield chat


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory, make_httpserver: Any) -> Iterator[Chat]:
    """One receiver for the module; each test has incidents of its own."""
    with (
        workspace(tmp_path_factory.mktemp("socket")) as found,
        connected(found, make_httpserver.url_for("/api")) as there,
    ):
        yield there


@pytest.fixture
def kept(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The receiver's store, and nobody told anything yet."""
    chat.workspace.people.told.clear()
    chat.workspace.people.dialogs.clear()
    return store_of(chat, monkeypatch)


def store_of(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The receiver's store; its settings stay those of the socket."""
    store = chat.receiver.store(monkeypatch)
    chat.configure()
    return store


def ready(chat: Chat) -> str:
    """What `/readyz` says of the socket."""
    return str(httpx.get(f"{chat.receiver.url}/readyz").json()["slack"])


def told_of(chat: Chat, says: str) -> None:
    """Wait until `/readyz` says that."""
    chat.soon(lambda: says in ready(chat))


async def begun(chat: Chat, payload: dict[str, Any]) -> asyncio.Task[Any]:
    """A click that is on its way."""
    return asyncio.create_task(chat.workspace.sockets.deliver("interactive", payload))


async def ended(sending: asyncio.Task[Any]) -> Any:
    """What became of it."""
    return await sending


def test_a_click_approves_with_the_same_proof(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """It is acknowledged in time, journalled, shown, and wakes the run."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.APPROVE)
    answered = chat.click(ANA, ButtonKind.APPROVE, message)
    assert (answered.status, answered.body, answered.seconds < 3) == (200, None, True)
    given = answer_of(kept.read(incident)).answer
    assert (given.approver, given.identity) == ("ana", BY_SLACK)
    assert chat.shown(message).endswith("(proven by Slack)")
    chat.soon(lambda: prefect.forms)
    assert ready(chat) == "connected"
    assert "runbook_slack_socket_up 1.0" in httpx.get(f"{chat.receiver.url}/metrics").text


def test_a_dialog_is_opened_refused_at_its_field_and_taken(chat: Chat, kept: Store) -> None:
    """What is wrong with it is told in the acknowledgement."""
    incident = opened(kept, *asking(MEMORY))
    chat.click(ANA, ButtonKind.SEVERITY, chat.post(kept.read(incident), ButtonKind.SEVERITY))
    chat.dialog(ANA)
    assert [*chat.submit(ANA, severity="P1", reason=" ").body["errors"]] == ["reason"]
    assert chat.submit(ANA, severity="P1", reason="all down").body is None
    assert kept.read(incident).events(e.SeverityOverridden)[-1].assessment.by == "ana"


def test_a_command_is_answered_in_its_acknowledgement(chat: Chat, kept: Store) -> None:
    """Delivered again, it is one act."""
    incident = opened(kept, *asking(MEMORY))
    told = typed(chat, ANA, text=f"lead {incident}", trigger_id="5.5.x")
    assert told.body["response_type"] == "ephemeral"
    again = typed(chat, ANA, text=f"lead {incident}", trigger_id="5.5.x")
    assert "it was so already" in again.body["text"].lower()
    assert len(kept.read(incident).events(e.LeadAssigned)) == 1
    assert "is not among the logins" in typed(chat, MALLORY, text="list").body["text"]


@pytest.mark.proof
def test_an_envelope_whose_acknowledgement_was_lost_counts_once(chat: Chat, kept: Store) -> None:
    """Slack sends it again, with an id of its own."""
    incident = opened(kept, *asking(MEMORY))
    message = chat.post(kept.read(incident), ButtonKind.TAKE)
    chat.workspace.sockets.lost = 1
    assert chat.click(ANA, ButtonKind.TAKE, message).status == 200
    last = chat.workspace.sockets.delivered[-1]
    assert last["retry_attempt"] == 1
    assert [each.lead for each in kept.read(incident).events(e.LeadAssigned)] == ["ana"]
    chat.soon(lambda: [it for it in chat.workspace.people.told_to(ANA) if "It was so already" in it])
    chat.workspace.sockets.lost = 1
    told = typed(chat, ANA, text=f"note {incident} they roll back", trigger_id="6.6.x")
    assert "it was so already" in told.body["text"].lower()
    assert [note.text for note in kept.read(incident).events(e.NoteAdded)] == ["they roll back"]


@pytest.mark.parametrize("how", ["refresh", "drop"])
def test_the_socket_is_opened_again(how: str, chat: Chat, kept: Store) -> None:
    """Where Slack wants it renewed, and where the connection broke; clicks go on."""
    sockets = chat.workspace.sockets
    incident = opened(kept, *asking(MEMORY))
    message = chat.post(kept.read(incident), ButtonKind.TAKE)
    before = sockets.opened
    chat.soon(lambda: sockets.open)
    chat.run(getattr(sockets, how)())
    chat.soon(lambda: sockets.opened > before and sockets.open)
    assert chat.click(BOB, ButtonKind.TAKE, message).status == 200
    assert [each.lead for each in kept.read(incident).events(e.LeadAssigned)] == ["bob"]
    chat.soon(lambda: ready(chat) == "connected")


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("interactive", {"type": "block_actions", "user": {"id": "ana"}}),
        ("interactive", {"type": "view_closed"}),
        ("slash_commands", {"command": "/incident"}),
    ],
)
def test_what_cannot_be_read_is_not_acknowledged(
    kind: str, payload: dict[str, Any], chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a request of that kind is refused; its person sees that, and the log has no word of it."""
    monkeypatch.setattr("deployments.drill.world.channels.slack_sockets.ACKNOWLEDGED_SECONDS", 0.3)
    assert chat.run(chat.workspace.sockets.deliver(kind, payload)).status == 0
    assert "envelope refused" in chat.receiver.log()


def test_an_envelope_of_another_kind_is_acknowledged(chat: Chat) -> None:
    """An event that somebody has subscribed the app to is nothing to act upon."""
    answered = chat.run(chat.workspace.sockets.deliver("events_api", {"event": {}}, answers=False))
    assert (answered.status, answered.body) == (200, None)


def test_nothing_is_taken_over_http(chat: Chat) -> None:
    """With Socket Mode there is no signing secret that a request could be proven with."""
    answered = chat.run(
        chat.workspace.people.post(f"{chat.receiver.url}/slack/interactions", b"payload=%7B%7D")
    )
    assert answered.status == 404


@pytest.mark.proof
def test_slacks_refusals_are_told_and_it_is_tried_again(chat: Chat) -> None:
    """`/readyz`, the metric and the log say so; the pause grows, and is at least what Slack wants."""
    sockets = chat.workspace.sockets
    try:
        for error in ("not_allowed_token_type", "ratelimited"):
            chat.soon(lambda: sockets.open)
            sockets.error = error
            chat.run(sockets.drop())
            told_of(chat, error)
            assert "runbook_slack_socket_up 0.0" in httpx.get(f"{chat.receiver.url}/metrics").text
            sockets.error = ""
    finally:
        sockets.error = ""
    chat.soon(lambda: ready(chat) == "connected")
    assert "scope connections:write" in chat.receiver.log()
    assert KEYS.slack_app_token.get_secret_value() not in chat.receiver.log()
    assert "ticket=" not in chat.receiver.log()


@pytest.mark.proof
def test_a_click_survives_the_death_of_its_receiver(
    tmp_path: Path, prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It died between the journal and the acknowledgement; what Slack sends to the next one counts once."""
    started: list[Process] = []
    with workspace(tmp_path) as chat, socket.create_server(("127.0.0.1", 0)) as hanging:
        with connected(chat, f"http://127.0.0.1:{hanging.getsockname()[1]}/api", started):
            kept = store_of(chat, monkeypatch)
            incident = opened(kept, *asking(ROLL_BACK))
            message = chat.post(kept.read(incident), ButtonKind.APPROVE)
            payload = chat.payload(ANA, message, ButtonKind.APPROVE)
            chat.workspace.sockets.lost = 1
            sending = chat.run(begun(chat, payload))
            chat.soon(lambda: kept.read(incident).events(e.ApprovalAnswered))
            os.kill(started[0].pid, signal.SIGKILL)
            before = kept.read(incident)
        with connected(chat, prefect.url):
            assert chat.run(ended(sending)).status == 200
            assert chat.workspace.sockets.delivered[-1]["retry_attempt"] == 1
            chat.soon(lambda: prefect.forms)
            assert "ana approved at" in chat.shown(message)
        assert [form["decision"] for form in prefect.forms] == ["approve"]
        assert kept.read(incident) == before
