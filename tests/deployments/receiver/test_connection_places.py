"""Who has a place among the connections, and who makes room when there is none left."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.receiver.connections import door as receiver_door
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.sources.pagerduty import PagerDutySettings
from tests.deployments.connections_bench import HEAD, store
from tests.deployments.raw_http import HEALTH, Peer, alert, peer
from tests.deployments.receiver_bench import CONFIG, TOKEN, Prefect, serving

__all__ = ["store"]  # a fixture, found here

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


async def test_a_receiver_that_has_ended_leaves_no_spare_file_open(store: IncidentStore) -> None:
    """In a process that goes on, as a test's does."""
    before = spare_files()
    async with serving(store, Prefect()) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert spare_files() == before + 1
    assert spare_files() == before


def spare_files() -> int:
    """How often this process has the file open that the door keeps for those whom it turns away."""
    links = (Path(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd"))
    return sum(os.path.realpath(link) == os.devnull for link in links)
