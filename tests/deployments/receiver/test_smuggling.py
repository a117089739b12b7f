"""What two readers could read in two ways is refused; what is beyond doubt is taken."""

import httpx
import pytest

from blocks.store.journal import IncidentStore
from tests.deployments.connections_bench import CHUNKED, HEAD, MALFORMED, client, shed, store
from tests.deployments.raw_http import alert, peer

__all__ = ["client", "store"]  # fixtures, found here

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
