"""A secret in any field of any alert is in no store, no answer and no log line."""

import copy
import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.alerts import receive
from blocks.store.journal import IncidentStore
from deployments.processes.json_log import log_json_to
from deployments.receiver.intake import log_received
from runbook.alerts.alert import Alert
from runbook.alerts.intake import Message
from runbook.alerts.mapping.formats import FORMATS
from runbook.alerts.mapping.translating import translate_by
from runbook.alerts.sources import SOURCES, UnreadablePayload
from runbook.incidents.ids import new_incident_id
from tests.canary.canaries import SHAPES, Canaries
from tests.deployments.receiver_bench import AUTHORIZED, Prefect, notification, sent_alert, serving
from tests.runbook.alerts.mapping_samples import SAMPLES

RECORDED = Path(__file__).parents[1] / "data" / "alerts"
AT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)

Place = tuple[str | int, ...]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, as the receiver logs it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    log_json_to(stream)
    try:
        yield stream
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def texts(value: Any, at: Place = ()) -> list[Place]:
    """Every place of a text in a payload, and of a name."""
    inner: list[tuple[str | int, Any]] = list(value.items()) if isinstance(value, dict) else []
    inner += list(enumerate(value)) if isinstance(value, list) else []
    own = [at] if isinstance(value, str) else []
    return [*own, *(place for step, item in inner for place in texts(item, (*at, step)))]


def planted(payload: Any, place: Place, canary: str, *, as_name: bool) -> Any:
    """The payload with the canary in that place, or as the name of what is there."""
    changed = copy.deepcopy(payload)
    parent = changed
    for step in place[:-1]:
        parent = parent[step]
    if as_name and isinstance(parent, dict):
        parent[canary] = parent.pop(place[-1])
    else:
        parent[place[-1]] = canary
    return changed


def kept(folder: Path) -> list[bytes]:
    """The store's files as they are."""
    return [path.read_bytes() for path in sorted(folder.glob("incidents.db*"))]


def readers() -> dict[str, tuple[list[Path], Callable[[Any, str], list[Alert]]]]:
    """The recorded payloads of each source and each format, and what reads them."""
    found: dict[str, tuple[list[Path], Callable[[Any, str], list[Alert]]]] = {}
    for name, source in SOURCES.items():
        found[name] = sorted((RECORDED / name).glob("*.json")), source.translate
    for name, mapping in FORMATS.items():
        found[name] = sorted(SAMPLES.glob(f"{name}.*.json")), partial(translate_by, mapping, source=name)
    return found


@pytest.mark.parametrize("source", readers())
async def test_a_source_brings_in_no_secret(source: str, tmp_path: Path, log: io.StringIO) -> None:
    """In each place of each recorded payload, as a text and as a name: taken or refused, it is masked."""
    canaries = Canaries()
    said: list[str] = []
    alerts: list[Alert] = []
    paths, translate = readers()[source]
    for path in paths:
        recorded = json.loads(path.read_text())
        for place in texts(recorded):
            for as_name in (False, True):
                where = f"{path.stem}.{'.'.join(map(str, place))}{' (name)' if as_name else ''}"
                payload = planted(recorded, place, canaries.in_words(where), as_name=as_name)
                try:
                    alerts += translate(payload, "ours")
                except UnreadablePayload as error:
                    said.append(str(error))
    messages = [Message(alert, AT + timedelta(seconds=number)) for number, alert in enumerate(alerts)]
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))
    ids = (new_incident_id(AT, f"{number:04x}") for number in range(65_536))
    received = await receive(
        store, messages, environment="test", new_id=lambda _: next(ids), flapping_episodes=5
    )
    for message, one in zip(messages, received, strict=True):
        log_received(message, one)
    assert len(canaries.planted) > 20
    assert alerts
    assert log.getvalue()
    assert canaries.found([*said, *map(repr, alerts), *kept(tmp_path), log.getvalue()]) == {}


@pytest.mark.parametrize("shape", range(len(SHAPES)))
async def test_a_notification_shows_no_secret(shape: int, tmp_path: Path, log: io.StringIO) -> None:
    """Taken, unreadable, refused, or sent to a path that is none: in the store, the answer and the log."""
    canaries = Canaries()

    def secret(where: str) -> str:
        return canaries.in_words(where, shape)

    named = {secret("label name"): secret("label value"), "service": secret("service")}
    alert = sent_alert(secret("alertname"), **named) | {
        "annotations": {secret("annotation name"): "x", "summary": secret("summary")},
        "fingerprint": secret("fingerprint"),
        "generatorURL": canaries.plant("url", shape),
        secret("name of an unknown field"): {"more": [secret("unknown field")]},
    }
    group = notification(alert, receiver=secret("receiver"), groupKey=secret("group key"))
    plain = {
        name: secret(f"plain {name}") for name in ("service", "name", "summary", "fingerprint", "severity")
    }
    wrong = {"authorization": f"Bearer {secret('header').encode('ascii', 'ignore').decode()!r}"}
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/incidents.db"))
    answers: list[httpx.Response] = []
    async with serving(store, Prefect()) as client:
        for path, body, headers in (
            ("/alerts/alertmanager", json.dumps(group), AUTHORIZED),
            ("/alerts/plain", json.dumps(plain), AUTHORIZED),
            (
                "/alerts/plain",
                json.dumps(plain | {"labels": {"a": 1, secret("label of a mistake"): 2}}),
                AUTHORIZED,
            ),
            ("/alerts/plain", "x" * 19_900 + secret("body that is cut"), AUTHORIZED),
            ("/alerts/alertmanager", secret("body that is no JSON"), AUTHORIZED),
            ("/alerts/plain", json.dumps(plain), wrong),
            (f"/alerts/{quote(secret('path'))}", "", AUTHORIZED),
        ):
            answers.append(await client.post(path, content=body, headers=headers))
    assert {answer.status_code for answer in answers} == {202, 401, 404}
    outputs: list[str | bytes] = [*(answer.text for answer in answers), *kept(tmp_path), log.getvalue()]
    assert len(canaries.planted) == 22
    assert canaries.found(outputs) == {}
