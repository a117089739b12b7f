"""What may come over a connection to the receiver, how long it may take, and what is refused outright."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.receiver.connections import connections as receiver_connections
from deployments.receiver.connections import door as receiver_door
from deployments.receiver.connections.refusals import HEAD_BYTES
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.sources.pagerduty import PagerDutySettings
from tests.deployments.raw_http import HEALTH, Peer, alert, peer
from tests.deployments.receiver_bench import CONFIG, TOKEN, Prefect, serving

MALFORMED = {
    "error": "not a valid HTTP request",
    "next_step": "Send one request at a time, as HTTP/1.1 requires",
}


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """An empty incident store."""
    return IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))


@pytest.fixture
async def client(store: IncidentStore) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running receiver."""
    async with serving(store, Prefect()) as connected:
        yield connected


async def shed(client: httpx.AsyncClient, reason: str) -> float:
    """How many connections were ended for that reason."""
    prefix = f'runbook_connections_shed_total{{reason="{reason}"}} '
    found = [line for line in (await client.get("/metrics")).text.splitlines() if line.startswith(prefix)]
    return float(found[0].removeprefix(prefix)) if found else 0.0


HEAD = b"POST /alerts/plain HTTP/1.1\r\nhost: r\r\nauthorization: Bearer " + TOKEN.encode() + b"\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"

SMUGGLED = {
    "length and chunks": HEAD + b"content-length: 3\r\n" + CHUNKED + b"0\r\n\r\n",
    "chunks and length": HEAD + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{} ",
    "the same length twice": HEAD + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}",
    "a list of lengths": HEAD + b"content-length: 2, 2\r\n\r\n{}",
    "a length with a sign": HEAD + b"content-length: +2\r\n\r\n{}",
    "a length in hexadecimals": HEAD + b"content-length: 0x2\r\n\r\n{}",
    "a length beyond all": HEAD + b"content-length: 99999999999999999999\r\n\r\n{}",
    "a folded line": HEAD + b"x-note: a\r\n b\r\ncontent-length: 2\r\n\r\n{}",
    "folded chunks": HEAD + b"transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a bare CR": HEAD + b"x-note: a\rcontent-length: 9\r\ncontent-length: 2\r\n\r\n{}",
    "a bare LF": HEAD + b"x-note: a\ncontent-length: 2\r\n\r\n{}",
    "only LF": HEAD.replace(b"\r\n", b"\n") + b"content-length: 2\n\n{}",
    "NUL": HEAD + b"x-note: a\0b\r\ncontent-length: 2\r\n\r\n{}",
    "a blank before the colon": HEAD + b"content-length : 2\r\n\r\n{}",
    "another coding": HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks that are not last": HEAD + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "nearly chunks": HEAD + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks twice": HEAD + b"transfer-encoding: chunked\r\n" + CHUNKED + b"0\r\n\r\n",
    "chunks in HTTP/1.0": HEAD.replace(b"/1.1", b"/1.0") + CHUNKED + b"0\r\n\r\n",
    "a chunk's size with LF": HEAD + CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    "a chunk of negative size": HEAD + CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a header behind the body": HEAD + CHUNKED + b"2\r\n{}\r\n0\r\nauthorization: x\r\n\r\n",
    "an upgrade": HEAD + b"connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\n{}",
    "a tunnel": b"CONNECT other:443 HTTP/1.1\r\nhost: r\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("request_", SMUGGLED.values(), ids=SMUGGLED)
async def test_what_two_readers_could_read_in_two_ways_is_refused(
    client: httpx.AsyncClient, store: IncidentStore, request_: bytes
) -> None:
    """The answer is 400 and the end of the connection; what comes behind on it is not looked at."""
    async with peer(client) as attacker:
        attacker.send(request_ + alert("smuggled"))
        assert await attacker.answer() == (400, MALFORMED)
        assert await attacker.ended()
    assert await shed(client, "malformed") == 1
    assert await store.incidents() == []


async def test_a_body_in_chunks_is_taken(client: httpx.AsyncClient) -> None:
    """What is beyond doubt is no smuggling; an extension of a chunk says nothing and harms nobody."""
    body = b'{"service": "s", "name": "n", "summary": "x"}'
    async with peer(client) as sender:
        sender.send(HEAD + CHUNKED + b"%x;note=1\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
        status, _ = await sender.answer()
        assert status == 202
        sender.send(alert())
        assert (await sender.answer())[0] == 202


async def test_a_pipelined_request_is_refused_after_the_answer_to_the_first(
    client: httpx.AsyncClient, store: IncidentStore
) -> None:
    """The first alert is taken and answered; what came too early is refused, and what follows is not read."""
    async with peer(client) as sender:
        sender.send(alert("first") + alert("second") + alert("third"))
        assert (await sender.answer())[0] == 202
        status, told = await sender.answer()
        assert (status, told["error"]) == (400, "a request came before the answer to the previous one")
        assert await sender.ended()
    assert [incident.service for incident in await store.incidents()] == ["first"]


LONG = HEAD + b"x-note: "


@pytest.mark.parametrize(
    "request_",
    [
        LONG + b"a" * HEAD_BYTES + b"\r\ncontent-length: 2\r\n\r\n{}",
        LONG + b"a" * 4_000_000,
        b"GET /healthz HTTP/1.1\r\n" + b"x: y\r\n" * 200_000,
        b"GET /" + b"a" * 2_000_000,
        b"\r\n" * 20_000,
    ],
    ids=["whole", "one line", "many lines", "the address", "nothing but line ends"],
)
async def test_long_headers_are_refused(client: httpx.AsyncClient, request_: bytes) -> None:
    """Their sender is told 431 when there are more than 16 KiB of them, whatever they are made of."""
    async with peer(client) as attacker:
        attacker.send(request_)
        try:
            status, told = await attacker.answer()
            assert (status, told["error"]) == (431, "the headers are longer than 16384 bytes")
        except ConnectionError:
            pass  # it sent so much behind that the system took the answer away
        assert await attacker.ended()
    assert await shed(client, "long headers") == 1


async def test_headers_just_short_enough_are_taken(client: httpx.AsyncClient) -> None:
    """Proxies add much to a request."""
    async with peer(client) as sender:
        sender.send(alert("s", f"x-note: {'a' * (HEAD_BYTES - 300)}"))
        assert (await sender.answer())[0] == 202


async def drip(one: Peer, data: bytes) -> None:
    """Send a byte now and then."""
    for byte in data:
        one.send(bytes([byte]))
        await asyncio.sleep(0.05)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver with less patience than in earnest."""
    monkeypatch.setattr(receiver_connections, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(receiver_connections, "MESSAGE_SECONDS", 0.5)
    monkeypatch.setattr(receiver_connections, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(receiver_connections, "FAREWELL_SECONDS", 0.5)
    monkeypatch.setattr(receiver_door, "LOOK_SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("before", [b"", HEALTH], ids=["at once", "after a good request"])
async def test_headers_that_drip_are_refused(client: httpx.AsyncClient, before: bytes) -> None:
    """The time is that of all headers together, from the beginning, and of a further request's just so."""
    async with peer(client) as attacker:
        if before:
            attacker.send(before)
            assert (await attacker.answer())[0] == 200
        dripping = asyncio.create_task(drip(attacker, HEAD + b"x" * 400))
        status, told = await attacker.answer()
        assert (status, told["next_step"]) == (408, "Send them at once")
        await attacker.ended()
        dripping.cancel()
    assert await shed(client, "slow headers") == 1


@pytest.mark.usefixtures("impatient")
async def test_a_connection_over_which_nothing_comes_is_ended(client: httpx.AsyncClient) -> None:
    """Nobody is told anything: there was no request."""
    async with peer(client) as attacker:
        assert await attacker.ended()
    assert await shed(client, "slow headers") == 1


@pytest.mark.usefixtures("impatient")
async def test_a_body_that_nobody_reads_does_not_keep_the_connection(client: httpx.AsyncClient) -> None:
    """The refusal came before the body; what drips behind it has the time of a body, no more."""
    async with peer(client) as attacker:
        attacker.send(b"POST /alerts/plain HTTP/1.1\r\nhost: r\r\ncontent-length: 1000\r\n\r\n{")
        assert (await attacker.answer())[0] == 401
        dripping = asyncio.create_task(drip(attacker, b" " * 400))
        assert await attacker.ended()
        dripping.cancel()
    assert await shed(client, "slow body") == 1


async def test_a_body_without_end_that_nobody_reads_ends(client: httpx.AsyncClient) -> None:
    """A sender that was refused may finish its body, if that is one that could have been taken."""
    async with peer(client) as attacker:
        attacker.send(b"POST /alerts/plain HTTP/1.1\r\nhost: r\r\n" + CHUNKED)
        assert (await attacker.answer())[0] == 401
        attacker.send(b"1\r\n \r\n" * 100_000)
        assert await attacker.ended()
    assert await shed(client, "long body") == 1


@pytest.mark.usefixtures("impatient")
async def test_a_peer_that_does_not_read_is_ended(client: httpx.AsyncClient) -> None:
    """It asks for the page again and again, and takes no answer from the line."""
    async with peer(client) as attacker:
        attacker.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is a read transport

        async def ask() -> None:
            while True:
                attacker.send(b"GET /openapi.json HTTP/1.1\r\nhost: r\r\n\r\n")
                await asyncio.sleep(0.002)

        asking = asyncio.create_task(ask())
        async with asyncio.timeout(20):
            while not await shed(client, "slow reader"):  # noqa: ASYNC110  asked at the wire
                await asyncio.sleep(0.05)
        asking.cancel()


async def test_the_line_is_open_for_the_next_request(client: httpx.AsyncClient) -> None:
    """A sender need not connect anew for each alert, whatever was answered before."""
    async with peer(client) as sender:
        for request_, status in (
            (HEALTH, 200),
            (b"POST /alerts/plain HTTP/1.1\r\nhost: r\r\ncontent-length: 2\r\n\r\n{}", 401),
            (alert(), 202),
            (b"\r\n" + alert(), 202),
        ):
            sender.send(request_)
            assert (await sender.answer())[0] == status


Attack = Callable[[Peer], None]


def half_open(_: Peer) -> None:
    """Say nothing."""


def half_a_head(attacker: Peer) -> None:
    """Say half of it."""
    attacker.send(HEAD)


def half_a_signed_body(attacker: Peer) -> None:
    """Have the body read before the signature can be checked."""
    attacker.send(
        b"POST /alerts/pagerduty HTTP/1.1\r\nhost: r\r\nx-pagerduty-signature: v1=0\r\n"
        b"content-length: 1000\r\n\r\n{"
    )


def a_good_request(attacker: Peer) -> None:
    """Ask for something, and stay."""
    attacker.send(HEALTH)


def a_refused_request(attacker: Peer) -> None:
    """Say nonsense, and stay."""
    attacker.send(b"nonsense\r\n\r\n")


@pytest.mark.parametrize(
    "attack", [half_open, half_a_head, half_a_signed_body, a_good_request, a_refused_request]
)
async def test_a_stranger_has_its_place_only_while_nobody_needs_it(
    store: IncidentStore, attack: Attack
) -> None:
    """The oldest goes when somebody comes; a sender that is known stays, and its line with it."""
    signed = CONFIG.model_copy(
        update={"pagerduty": PagerDutySettings(secrets=[SecretStr("a-signing-secret-of-pagerduty")])}
    )
    async with serving(store, Prefect(), signed, places=8) as client, peer(client) as known:
        known.send(alert())
        assert (await known.answer())[0] == 202
        attackers = []
        try:
            for _ in range(20):
                reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
                attackers.append(Peer(reader, writer))
                attack(attackers[-1])
            async with peer(client) as sender:
                sender.send(alert())
                assert (await sender.answer())[0] == 202
            known.send(alert())
            assert (await known.answer())[0] == 202
        finally:
            for attacker in attackers:
                attacker.writer.close()
        metrics = (await client.get("/metrics")).text
    assert 'runbook_connections_shed_total{reason="in the way"}' in metrics


async def test_known_senders_that_are_idle_make_room_for_others(store: IncidentStore) -> None:
    """They hold all places but a quarter at most; the one that was known first is ended, and comes again."""
    async with serving(store, Prefect(), places=8) as client:
        senders = []
        for _ in range(20):
            reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            senders.append(Peer(reader, writer))
            senders[-1].send(alert())
            assert (await senders[-1].answer())[0] == 202
        assert await senders[0].ended()
        senders[-1].send(alert())
        assert (await senders[-1].answer())[0] == 202
        for sender in senders:
            sender.writer.close()


async def test_who_comes_while_all_are_busy_is_told_to_come_again(
    store: IncidentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Senders that are known hold all places in the middle of a body: 503, which is repeated."""
    monkeypatch.setattr(receiver_door, "BUSY_SECONDS", 0.2)
    async with serving(store, Prefect(), places=8) as client:
        busy = []
        for _ in range(8):
            reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            busy.append(Peer(reader, writer))
            busy[-1].send(alert())
            assert (await busy[-1].answer())[0] == 202
            busy[-1].send(alert()[:-1])
        await asyncio.sleep(0.1)
        async with peer(client) as sender:
            sender.send(alert())
            status, told = await sender.answer()
            assert (status, told["error"]) == (503, "too many connections at once")
        for sender in busy:
            sender.send(b"}")
            assert (await sender.answer())[0] == 202
            sender.writer.close()


async def test_long_bodies_that_are_held_back_keep_no_signed_alert_out(
    store: IncidentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory for bodies of strangers is full: whoever takes longest is out of patience, not who comes."""
    secret = "a-signing-secret-of-pagerduty"
    config = ReceiverSettings.model_validate({"pagerduty": {"secrets": [secret]}, "token": TOKEN})
    monkeypatch.setattr("deployments.receiver.app.STRANGERS_BYTES", 100_000)
    head = b"POST /alerts/pagerduty HTTP/1.1\r\nhost: r\r\nx-pagerduty-signature: v1=0\r\n"
    async with serving(store, Prefect(), config) as client:
        attackers = []
        for _ in range(10):
            reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            attackers.append(Peer(reader, writer))
            attackers[-1].send(head + b"content-length: 30000\r\n\r\n" + b" " * 29_999)
            await asyncio.sleep(0.01)
        assert (await attackers[0].answer())[0] == 408
        async with peer(client) as sender:
            sender.send(head + b"content-length: 2\r\n\r\n{}")
            assert (await sender.answer())[0] == 401  # it was read, and its signature looked at
        async with peer(client) as sender:
            sender.send(alert())
            assert (await sender.answer())[0] == 202
        for attacker in attackers:
            attacker.writer.close()
