"""A mapping of one's own: its paths, its words for a status, its times, and what it does not find."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runbook.alerts.alert import AlertStatus
from runbook.alerts.intake import Batch, Known, Message
from runbook.alerts.mapping.mapping import AlertMapping
from runbook.alerts.mapping.paths import find, steps
from runbook.alerts.mapping.translating import read_by, translate_by
from runbook.alerts.sources import UnreadablePayload
from runbook.decision.severity import Severity
from tests.runbook.alerts.test_sources_properties import JSON, check

PAYLOAD = {
    "a": {"b": [{"c": "deep"}, "second"], "d.e": 5, "off": False, "none": None, "blank": " "},
    "text": json.dumps({"inner": {"x": 1}}),
    "tags": ["env:prod", "service:checkout"],
    "line": "env:prod, service:cart",
    "objects": [{"name": "service", "value": "pay"}, {"tag": "team", "value": "t"}, {"key": "k", "value": 3}],
    "pairs": [["service", "ship"], "odd", 7],
    "by_name": {"service": "own"},
}

FULL = AlertMapping.model_validate(
    {
        "status": "state",
        "firing": "rot",
        "acknowledged": "gelb",
        "resolved": ["gruen", 1],
        "ignored": "grau",
        "key": "id",
        "service": "labels.service",
        "name": "name",
        "summary": "text",
        "severity": "level",
        "severities": {"schlimm": Severity.P1},
        "url": "link",
        "started_at": "since",
        "ended_at": "until",
        "changed_at": "at",
    }
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b[0].c", "deep"),
        ("a.b[1]", "second"),
        ("a.b[2]", None),
        ("a.b[-1]", ValueError),
        ('a."d.e"', 5),
        ("a.off", False),
        ("a.none", None),
        ("a.blank", None),
        ("a.b", None),
        ("a.b.c", None),
        ("text.inner.x", 1),
        ("tags[service]", "checkout"),
        ("line[service]", "cart"),
        ("objects[service]", "pay"),
        ("objects[team]", "t"),
        ("objects[k]", 3),
        ("pairs[service]", "ship"),
        ("by_name[service]", "own"),
        ("missing.x", None),
        ("", ValueError),
        (" ", ValueError),
        (".a", ValueError),
        ("a..b", ValueError),
        ("a.", ValueError),
        ("a[", ValueError),
        ("a[]", ValueError),
        ("a b", ValueError),
        ('"a', ValueError),
        ("a[0]b", ValueError),
        ("x" * 301, ValueError),
    ],
)
def test_a_path_finds_what_it_says(path: str, value: Any) -> None:
    """Or nothing; what is no path is refused before any payload comes."""
    if value is ValueError:
        with pytest.raises(ValueError, match="write keys with dots between them"):
            steps(path)
        return
    found = find(PAYLOAD, [path])
    assert (found.value if found else None) == value


def test_the_first_path_that_finds_something_counts() -> None:
    """And it is known which that was."""
    found = find(PAYLOAD, ["missing", "a.blank", "a.off", "a.b[1]"])
    assert found is not None
    assert (found.path, found.value, found.text) == ("a.off", False, "false")


def test_every_field_can_be_mapped() -> None:
    """With numbers and truth values for texts, as everywhere."""
    sent = {
        "state": "ROT",
        "id": 7,
        "labels": {"service": "checkout"},
        "name": True,
        "text": "it is slow",
        "level": "Schlimm",
        "link": "https://x.example/7",
        "since": "2026-03-01T11:00:00+01:00",
        "at": 1772359260,
    }
    read = read_by(FULL, sent, "ours", source="mine")
    assert read is not None
    alert = read.alert
    assert (alert.source, alert.status, alert.fingerprint) == ("mine", AlertStatus.FIRING, "7")
    assert (alert.service, alert.name, alert.summary) == ("checkout", "true", "it is slow")
    assert (alert.severity, alert.url) == (Severity.P1, "https://x.example/7")
    assert alert.starts_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert alert.changed_at == datetime(2026, 3, 1, 10, 1, tzinfo=UTC)
    assert read.paths["service"] == "labels.service"
    assert "until" not in read.paths


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("rot", AlertStatus.FIRING),
        (" Rot ", AlertStatus.FIRING),
        ("Gelb", AlertStatus.ACKNOWLEDGED),
        ("GRUEN", AlertStatus.RESOLVED),
        (1, AlertStatus.RESOLVED),
        ("OK", AlertStatus.RESOLVED),
        ("Triggered", AlertStatus.FIRING),
        ("grau", None),
        ("blau", LookupError),
        (0, LookupError),
        (None, LookupError),
        ([], LookupError),
    ],
)
def test_a_status_means_what_the_mapping_says_or_what_is_common(state: Any, status: Any) -> None:
    """In any case of letters. One that nobody knows is told, and never taken for a recovery."""
    sent = {"state": state, "id": "7", "name": "n"}
    if status is LookupError:
        with pytest.raises(UnreadablePayload, match=r"^status \(state\)"):
            translate_by(FULL, sent, "ours", source="mine")
    else:
        assert [it.status for it in translate_by(FULL, sent, "ours", source="mine")] == (
            [status] if status else []
        )


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (1772359200, datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("1772359200", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (1772359200000, datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (1772359200000000, datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (1772359200000000000, datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (2**63 - 1, datetime(2262, 4, 11, 23, 47, 16, 854776, tzinfo=UTC)),
        (1e300, None),
        ("nan", None),
        ("inf", None),
        (-5, None),
        ("2026-03-01 10:00:00", ValueError),
        ("yesterday", ValueError),
        (10**30, ValueError),
        (True, ValueError),
    ],
)
def test_a_time_is_read_in_any_unit(value: Any, at: Any) -> None:
    """One without a zone is refused where the mapping does not say that it is UTC."""
    sent = {"state": "rot", "since": value, "name": "n"}
    [alert] = translate_by(FULL, sent, "ours", source="mine")
    if at is not ValueError:
        assert (alert.starts_at, alert.summary) == (at, "n")
        return
    assert alert.starts_at is None
    assert alert.summary.startswith("n (started_at (since): not a time")
    assert alert.summary.endswith(": the time of receipt counts)")


@pytest.mark.parametrize("field", ["since", "until", "at"])
def test_a_recovery_with_a_time_that_cannot_be_read_ends_its_alert_all_the_same(field: str) -> None:
    """It is known by its key, and says that the time of its receipt counts."""
    fired, ended = (
        translate_by(FULL, {"state": state, "id": "7", "name": "n", field: when}, "ours", source="mine")[0]
        for state, when in (("rot", 1772359200), ("gruen", "half past ten"))
    )
    assert (ended.status, ended.key) == (AlertStatus.RESOLVED, fired.key)
    assert ended.summary.endswith(": the time of receipt counts)")
    batch = Batch(Known(), "test", lambda _: "new", flapping_episodes=9)
    at = datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
    assert batch.take(Message(fired, at)).opened
    assert batch.take(Message(ended, at)).over


def test_a_naive_time_is_utc_where_the_mapping_says_so() -> None:
    """As Uptime Kuma writes it."""
    mapping = AlertMapping(name=("n",), changed_at=("at",), times_are_utc=True)
    [alert] = translate_by(mapping, {"n": "x", "at": "2026-03-01 10:00:00.5"}, "ours", source="mine")
    assert alert.changed_at == datetime(2026, 3, 1, 10, 0, 0, 500000, tzinfo=UTC)


def test_the_end_of_an_alert_is_when_it_ended() -> None:
    """And while it fires, an end that the sender foresees is no change."""
    times = {"since": 1772359200, "until": 1772359800, "name": "n"}
    [fired], [over] = (
        translate_by(FULL, {**times, "state": state}, "ours", source="mine") for state in ("rot", "gruen")
    )
    assert fired.changed_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert over.changed_at == datetime(2026, 3, 1, 10, 10, tzinfo=UTC)


def test_a_recovery_is_newer_than_the_repeats_that_were_sent_after_the_end() -> None:
    """Where each message says when it was sent, the end of an alert is not taken for a late message."""
    times = {"since": 1772359200, "until": 1772359800, "name": "n"}
    [repeated] = translate_by(FULL, {**times, "state": "rot", "at": 1772359860}, "ours", source="mine")
    [over] = translate_by(FULL, {**times, "state": "gruen", "at": 1772359920}, "ours", source="mine")
    assert repeated.changed_at is not None
    assert over.changed_at is not None
    assert over.changed_at > repeated.changed_at


def test_a_message_is_a_replay_only_if_all_of_it_is_the_same() -> None:
    """An id that names the alert instead of the message, or a macro nobody filled in, loses no alert."""
    mapping = AlertMapping(status=("s",), key=("k",), name=("n",), changed_at=("at",), delivery=("id",))
    told = (("firing", 1772359200), ("resolved", 1772359800), ("firing", 1772359860))
    payloads = [{"id": "$ID", "k": "a", "n": "x", "s": state, "at": at} for state, at in told]
    read = [translate_by(mapping, payload, "ours", source="mine")[0] for payload in (*payloads, payloads[0])]
    ids = [alert.delivery for alert in read]
    assert len(set(ids)) == 3
    assert ids[3] == ids[0]


@pytest.mark.parametrize("payload", [{}, [], "text", 5, None, {"other": 1}])
def test_a_payload_without_anything_of_it_cannot_be_read(payload: Any) -> None:
    """It is no alert of nothing."""
    with pytest.raises(UnreadablePayload, match="the mapping finds nothing in it"):
        translate_by(FULL, payload, "ours", source="mine")


@pytest.mark.parametrize(
    ("fields", "mistake"),
    [
        ({"status": "a..b"}, "status"),
        ({"key": ["ok", "a["]}, "key"),
        ({"name": 5}, "name"),
        ({"firing": "x", "resolved": "X "}, "a value is in two of"),
        ({"severities": {"high": "P9"}}, "severities"),
        ({"key": ["alert", "id"], "delivery": "id"}, "id is in key and in delivery"),
        ({"stauts": "x"}, "stauts"),
    ],
)
def test_a_mistake_in_a_mapping_is_told_at_once(fields: dict[str, Any], mistake: str) -> None:
    """Before any alert comes."""
    with pytest.raises(ValidationError, match=mistake):
        AlertMapping.model_validate(fields)


def test_a_mapping_over_another_says_only_what_it_says() -> None:
    """The rest is the other one's."""
    both = AlertMapping(service=("impactedEntities[0]",), resolved=("weg",)).over(FULL)
    assert (both.service, both.resolved) == (("impactedEntities[0]",), ("weg",))
    assert (both.name, both.firing) == (FULL.name, FULL.firing)


@given(
    payload=JSON
    | st.fixed_dictionaries(
        {"state": st.just("rot")},
        optional=dict.fromkeys(("id", "name", "text", "level", "link", "since", "labels"), JSON),
    )
)
def test_any_json_is_read_or_refused(payload: Any) -> None:
    """No value of any type, size or depth ends in another error, and what is read can be stored."""
    alerts = []
    with contextlib.suppress(UnreadablePayload):
        alerts = translate_by(FULL, payload, "ours", source="mine")
    for alert in alerts:
        check(alert, "mine")
