"""Alerts that a mapping reads, at a receiver: a beginning and an end are one alert of one incident."""

import hmac
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.receiver.settings import ReceiverSettings
from runbook.alerts.mapping.formats import FORMATS
from runbook.incidents.events import AlertsResolved
from tests.deployments.receiver_bench import AUTHORIZED, CONFIG, TOKEN, Prefect, post, serving
from tests.runbook.alerts.mapping_samples import format_of, names_of, sample

SECRET = "a-client-secret-of-some-length"


def receiver(**sections: Any) -> ReceiverSettings:
    """Settings with these sections."""
    base = {"token": SecretStr(TOKEN), "max_body_bytes": 20_000}
    return ReceiverSettings.model_validate(base | sections)


ALL = receiver(mapped={f"my-{name}": {"format": name} for name in FORMATS})


@pytest.fixture
def store(tmp_path: Path) -> IncidentStore:
    """An empty store."""
    return IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))


@pytest.mark.parametrize("resolved", names_of("resolved"))
async def test_a_recovery_ends_what_its_alert_has_opened(store: IncidentStore, resolved: str) -> None:
    """Of every format, by its own path."""
    path = f"/alerts/mapped/my-{format_of(resolved)}"
    async with serving(store, Prefect(), ALL) as client:
        opened = await post(client, sample(resolved.replace(".resolved", ".firing")), path)
        over = await post(client, sample(resolved), path)
    [incident] = opened["incidents"]
    assert incident["new"]
    assert [it["id"] for it in over["incidents"]] == [incident["id"]]
    read = await store.read(incident["id"])
    assert len(read.events(AlertsResolved)) == 1
    assert len(await store.incidents()) == 1


@pytest.mark.parametrize("name", [*names_of("ignored")])
async def test_a_message_that_is_no_alert_is_taken(store: IncidentStore, name: str) -> None:
    """Its sender need not send it again."""
    async with serving(store, Prefect(), ALL) as client:
        answer = await post(client, sample(name), f"/alerts/mapped/my-{format_of(name)}")
    assert answer == {"incidents": [], "ignored": []}
    assert await store.incidents() == []


@pytest.mark.parametrize("name", names_of("unreadable"))
async def test_what_the_mapping_does_not_find_is_an_alert_all_the_same(
    store: IncidentStore, name: str
) -> None:
    """A person reads the body, and why it could not be read."""
    path = f"/alerts/mapped/my-{format_of(name)}"
    async with serving(store, Prefect(), ALL) as client:
        [opened] = (await post(client, sample(name), path))["incidents"]
    read = await store.read(opened["id"])
    assert read.alert.name == "unreadable alert"
    assert "status" in read.alert.summary
    assert ("certificate" if "kuma" in name else "the deploy went wrong") in read.alert.extra["body"]


async def test_a_plain_alert_is_one_beside_a_mapping(store: IncidentStore) -> None:
    """So the test command of the receiver's page goes on working."""
    config = receiver(plain={"format": "uptime-kuma"})
    async with serving(store, Prefect(), config) as client:
        await post(client, {"service": "a", "name": "n", "summary": "s"}, "/alerts/plain")
        await post(client, sample("uptime-kuma.firing"), "/alerts/plain")
        [third] = (await post(client, {"nothing": 1}, "/alerts/plain"))["incidents"]
    read = await store.read(third["id"])
    assert "the mapping finds nothing in it" in read.alert.summary
    assert {it.alert.name for it in await store.incidents()} == {"n", "PostHog capture", "unreadable alert"}


@pytest.mark.parametrize(
    "proof", ["token", "password", "signature", "prefixed", "none", "wrong", "other body"]
)
async def test_each_way_to_prove_a_mapped_sender(store: IncidentStore, proof: str) -> None:
    """A token, a password in the address, or a signature of the body; and nothing else."""
    own = {
        "format": "sentry",
        "token": "another-token-of-its-own",
        "username": "sns",
        "password": "a-password-of-some-length",
        "secret": SECRET,
    }
    body = json.dumps(sample("sentry.firing")).encode()
    signed = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    headers = {
        "token": {"authorization": "Bearer another-token-of-its-own"},
        "password": {"authorization": f"Basic {b64encode(b'sns:a-password-of-some-length').decode()}"},
        "signature": {"sentry-hook-signature": signed},
        "prefixed": {"sentry-hook-signature": f"sha256={signed}"},
        "none": {},
        "wrong": AUTHORIZED,
        "other body": {"sentry-hook-signature": signed},
    }[proof]
    async with serving(store, Prefect(), receiver(mapped={"sentry": own})) as client:
        sent = body + b" " if proof == "other body" else body
        answer = await client.post("/alerts/mapped/sentry", content=sent, headers=headers)
    assert answer.status_code == (401 if proof in ("none", "wrong", "other body") else 202)


async def test_a_mapped_source_is_on_the_pages(store: IncidentStore) -> None:
    """And a path that is not there names those that are."""
    async with serving(store, Prefect(), ALL) as client:
        home, docs = (await client.get("/")).text, (await client.get("/docs")).text
        missing = await client.post("/alerts/mapped/other", json={}, headers=AUTHORIZED)
    assert "/alerts/mapped/my-zabbix" in home
    assert "/alerts/mapped/my-zabbix" in docs
    assert missing.status_code == 404
    assert "/alerts/mapped/my-zabbix" in missing.json()["next_step"]
    assert CONFIG.paths.keys() < ALL.paths.keys()


async def test_a_mapped_source_cannot_pass_as_the_self_watch(store: IncidentStore) -> None:
    """Whatever its payload says of its source."""
    async with serving(store, Prefect(), ALL) as client:
        sent = sample("zabbix.firing") | {"source": "self-watch"}
        [opened] = (await post(client, sent, "/alerts/mapped/my-zabbix"))["incidents"]
    assert (await store.read(opened["id"])).alert.source == "my-zabbix"
