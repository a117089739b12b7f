"""Whatever is sent, a source's reader returns storable alerts or says that it cannot read it."""

import copy
import json
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.alerts.alert import MAX_SUMMARY, Alert
from runbook.alerts.sources import SOURCES, UnreadablePayload
from runbook.alerts.sources.reading import MAX_EXTRA
from runbook.outside_text import MAX_NAME

RECORDED = Path(__file__).parents[2] / "data" / "alerts"
PAYLOADS = {
    source: [json.loads(path.read_text()) for path in sorted((RECORDED / source).glob("*.json"))]
    for source in SOURCES
}

TIMES = st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999-14:00",
        "2026-03-01T10:00:00Z",
        "2026-03-01T10:00:00",
        "1969-12-31T23:59:59-01:00",
        "2999-12-31T23:59:59-23:59",
        1e300,
        -1e18,
        10**30,
    ]
)
TEXTS = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["\x00", "\ud800", "firing", "resolved", "x" * 5000]
)
NUMBERS = st.integers() | st.floats() | st.just(10**4000)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS | TIMES
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def nested(depth: int, around: str) -> Any:
    """A value that deep, made without recursion."""
    value: Any = "deep"
    for _ in range(depth):
        value = [value] if around == "list" else {"x": value}
    return value


def places(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    inner = list(value.items()) if isinstance(value, dict) else []
    inner += list(enumerate(value)) if isinstance(value, list) else []
    return [at, *(place for step, item in inner for place in places(item, (*at, step)))]


@st.composite
def nearly_right(draw: st.DrawFn, source: str) -> Any:
    """A recorded payload with something else, or nothing, in up to three places."""
    payload = copy.deepcopy(draw(st.sampled_from(PAYLOADS[source])))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(payload)))
        if not place:
            continue
        parent = payload
        for step in place[:-1]:
            parent = parent[step]
        if draw(st.booleans()):
            parent[place[-1]] = draw(JSON)
        else:
            del parent[place[-1]]
    return payload


def check(alert: Alert, source: str) -> None:
    """Asserts that the store, JSON and a message can hold it."""
    text = alert.model_dump_json()
    assert Alert.model_validate_json(text) == alert
    assert "\\u0000" not in text
    text.encode()
    json.dumps(alert.extra, allow_nan=False).encode()
    assert alert.source == source
    assert 0 < len(alert.service) <= MAX_NAME
    assert 0 < len(alert.name) <= MAX_NAME
    assert 0 < len(alert.summary) <= MAX_SUMMARY
    assert len(alert.key) <= MAX_NAME
    assert len(alert.delivery) <= MAX_NAME
    assert len(json.dumps(alert.extra)) <= MAX_EXTRA + 4096
    for at in (alert.starts_at, alert.changed_at):
        if at is not None:
            assert at.tzinfo is UTC
            assert at - timedelta(days=365) < at < at + timedelta(days=365)


def read(source: str, payload: Any) -> None:
    """Read it, and check what comes out."""
    mistake = ""
    try:
        for alert in SOURCES[source].translate(payload, "ours"):
            check(alert, source)
    except UnreadablePayload as error:
        mistake = str(error)
    assert len(mistake.encode()) < 2000


@pytest.mark.parametrize("source", SOURCES)
@given(payload=JSON)
def test_any_json_is_read_or_refused(source: str, payload: Any) -> None:
    """No value of any type, size or depth ends in another error."""
    read(source, payload)


@pytest.mark.parametrize("source", SOURCES)
@given(data=st.data())
def test_a_payload_that_is_nearly_right_is_read_or_refused(source: str, data: st.DataObject) -> None:
    """A field that is missing, null, or of another type ends in no other error either."""
    read(source, data.draw(nearly_right(source)))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("around", ["list", "dict"])
@pytest.mark.parametrize("depth", [31, 32, 33, 900, 100_000])
def test_a_payload_of_any_depth_is_read_or_refused(source: str, around: str, depth: int) -> None:
    """Neither a value that is only brackets nor one deep inside of an alert exhausts the stack."""
    deep = nested(depth, around)
    read(source, deep)
    for payload in PAYLOADS[source]:
        read(source, payload | {"more": deep})
