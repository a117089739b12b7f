"""A payload read by a mapping: the alert, and which path each of its fields came from."""

from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.mapping.mapping import AlertMapping
from runbook.alerts.mapping.paths import Found, find
from runbook.alerts.mapping.times import time_of
from runbook.alerts.sources.reading import (
    UnreadablePayload,
    bounded,
    claimed_severity,
    named_service,
    storable,
    web_address,
    words,
)
from runbook.outside_text import MAX_NAME, let_in_name, one_line
from runbook.value import Value


class MappedAlert(Value):
    """An alert, and the path of each field that was found, by the mapping's name of the field."""

    alert: Alert
    paths: dict[str, str]


def translate_by(mapping: AlertMapping, payload: Any, default_service: str, *, source: str) -> list[Alert]:
    """The one alert that the mapping finds in the payload, or none where its status is an ignored one.

    Raises:
        UnreadablePayload: the status is not found or says nothing, or there is no service.
    """
    read = read_by(mapping, payload, default_service, source=source)
    return [read.alert] if read else []


def read_by(mapping: AlertMapping, payload: Any, default_service: str, *, source: str) -> MappedAlert | None:
    """Like `translate_by`, with the paths."""
    payload = storable(payload)
    found = {field: one for field, paths in paths_of(mapping).items() if (one := find(payload, paths))}
    if not found:
        raise UnreadablePayload("the mapping finds nothing in it")
    status = _status(mapping, found)
    if status is None:
        return None
    texts = {field: one.text for field, one in found.items()}
    name = one_line(texts.get("name", "")) or one_line(texts.get("summary", "")) or "unnamed alert"
    starts_at, changed_at, unread = _times(mapping, found, status)
    summary = words(texts.get("summary", "")) or name
    severity = texts.get("severity", "")
    alert = Alert(
        source=source,
        service=named_service(texts.get("service", ""), default_service, at=_place(mapping, "service")),
        name=name,
        summary=f"{summary} ({unread})" if unread else summary,
        status=status,
        severity=mapping.claim_of(severity) or claimed_severity(severity),
        fingerprint=texts.get("key", ""),
        starts_at=starts_at,
        changed_at=changed_at,
        url=web_address(texts.get("url", "")),
        extra=bounded(payload) if isinstance(payload, dict) else bounded({"body": payload}),
        delivery=_delivery(texts.get("delivery", ""), payload),
    )
    return MappedAlert(alert=alert, paths={field: one.path for field, one in found.items()})


_MARK = 16
"""Characters of the mark of what a message says."""

_NO_PATHS = ("firing", "acknowledged", "resolved", "ignored", "severities", "times_are_utc")


def paths_of(mapping: AlertMapping) -> dict[str, tuple[str, ...]]:
    """Where the mapping looks for each field."""
    return {
        field: paths
        for field in AlertMapping.model_fields
        if field not in _NO_PATHS and (paths := getattr(mapping, field))
    }


def _delivery(given: str, payload: Any) -> str:
    """The sender's id of the message, with a mark of what it says: a replay says the same.

    An id that is not the message's own, as a macro that the sender leaves as it is, loses no other message.
    """
    if not given:
        return ""
    said = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    return f"{let_in_name(given, MAX_NAME - _MARK - 1)} {sha256(said).hexdigest()[:_MARK]}"


def _place(mapping: AlertMapping, field: str) -> str:
    paths = getattr(mapping, field)
    return f"{field} ({' or '.join(paths)})" if paths else field


def _status(mapping: AlertMapping, found: dict[str, Found]) -> AlertStatus | None:
    if not mapping.status:
        return AlertStatus.FIRING
    if "status" not in found:
        raise UnreadablePayload(f"{_place(mapping, 'status')}: not found")
    try:
        return mapping.meaning_of(found["status"].text)
    except LookupError:
        raise UnreadablePayload(
            f"status ({found['status'].path}): none of the values that the mapping or the runbook knows"
        ) from None


def _times(
    mapping: AlertMapping, found: dict[str, Found], status: AlertStatus
) -> tuple[datetime | None, datetime | None, str]:
    """When the condition began, when it took this status, and which of the times could not be read.

    Without the sender's time, that of its receipt counts: an alert begins, and ends, all the same.
    """
    told: dict[str, datetime | None] = {}
    unread: list[str] = []
    for field in ("started_at", "ended_at", "changed_at"):
        if field in found:
            try:
                told[field] = time_of(found[field].value, naive_is_utc=mapping.times_are_utc)
            except ValueError as error:
                unread.append(f"{field} ({found[field].path}): {error}")
    why = f"{'; '.join(unread)}: the time of receipt counts" if unread else ""
    started, changed = told.get("started_at"), told.get("changed_at")
    if status is AlertStatus.RESOLVED:
        ends = [at for at in (told.get("ended_at"), changed) if at is not None]
        return started, max(ends, default=None), why  # or a repeat that was sent after the end would be newer
    return started, changed or started, why
