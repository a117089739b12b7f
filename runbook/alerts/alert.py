"""An alert, whatever system it came from."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Self

from pydantic import model_validator

from runbook.decision.severity import Severity
from runbook.outside_text import (
    MAX_NAME,
    Outside,
    OutsideIdentity,
    OutsideJson,
    OutsideName,
    OutsideNamed,
    let_in_identity,
    one_line,
)
from runbook.value import Value

MAX_SUMMARY = 2000
"""Characters, as for all of these. A section of a Slack message has room for 3000, and says more."""

MAX_URL = 2048
MAX_LABELS = 64
MAX_LABEL_NAME = 128
MAX_LABEL_VALUE = 1024
MAX_EXTRA_TEXT = 20_000
"""Of each text in `extra`: the body of an alert that nobody could read is one."""


class AlertStatus(StrEnum):
    """Whether the condition still holds at the sender.

    Acknowledged: it holds, and somebody there knows. Unlike firing, that never begins anew what has ended.
    """

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Alert(Value):
    """One message about one alert of a service. Its texts are masked and cut when it is made.

    `severity` is the sender's claim, not our assessment. `fingerprint` is the sender's identity of the
    alert; the same fingerprint is the same alert again. `starts_at` is when the condition began and
    `changed_at` when it took this status: aware UTC by the sender's clock, so they are compared with each
    other and never with ours. `delivery` is the sender's id of this message: a second one with it is a
    replay. `extra` is what the sender said beyond that, as it came. `requested_by` is the person who started
    the response by hand.

    `key` is the same in all messages about this alert: the fingerprint, else made of the name and labels as
    they came, before anything of them was masked.
    """

    source: str
    service: OutsideName
    name: Annotated[str, Outside(MAX_NAME, lines=False)]
    summary: Annotated[str, Outside(MAX_SUMMARY)]
    status: AlertStatus = AlertStatus.FIRING
    severity: Severity | None = None
    fingerprint: OutsideIdentity = ""
    starts_at: datetime | None = None
    changed_at: datetime | None = None
    url: Annotated[str, Outside(MAX_URL, lines=False)] = ""
    labels: Annotated[dict[str, str], OutsideNamed(MAX_LABEL_NAME, MAX_LABEL_VALUE, MAX_LABELS)] = {}
    extra: Annotated[dict[str, Any], OutsideJson(MAX_EXTRA_TEXT)] = {}
    delivery: OutsideIdentity = ""
    requested_by: OutsideName = ""
    key: OutsideIdentity = ""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The same alert with other fields; with another fingerprint, name or labels it is another alert."""
        if update and update.keys() & {"fingerprint", "name", "labels"}:
            update = {"key": "", **update}
        return super().model_copy(update=update, deep=deep)

    @model_validator(mode="before")
    @classmethod
    def _with_key(cls, given: Any) -> Any:
        return {**given, "key": _key(given)} if isinstance(given, Mapping) and not given.get("key") else given


def _key(given: Mapping[str, Any]) -> str:
    """Cut as earlier releases cut: what their stores know of an alert is under this key."""
    fingerprint, name, labels = given.get("fingerprint") or "", given.get("name"), given.get("labels") or {}
    if not isinstance(fingerprint, str) or not isinstance(name, str) or not isinstance(labels, Mapping):
        return ""  # a mistake, which the fields tell
    if fingerprint:
        return let_in_identity(fingerprint)
    parts = [_clipped(one_line(name), MAX_NAME)]
    kept = {
        _clipped(str(label), MAX_LABEL_NAME): _clipped(str(value), MAX_LABEL_VALUE)
        for label, value in list(labels.items())[:MAX_LABELS]
    }
    parts += [f"{label}={value}" for label, value in sorted(kept.items())]
    return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
