"""What the readers of all sources share: the payload made safe, the mistakes told, the bounds kept.

Whatever a sender sends ends up in a database, in a journal of JSON and in messages to people. So a payload
is made storable before anything is read from it. Masking and cutting is the alert's own, so nothing is cut
here before.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import AwareDatetime, BaseModel, BeforeValidator, StringConstraints, ValidationError

from runbook.alerts.alert import MAX_LABEL_NAME, MAX_URL, Alert, AlertStatus
from runbook.alerts.sources.status_words import status_of
from runbook.decision.severity import Severity
from runbook.outside_text import MAX_NAME, let_in_line, let_in_name, normal

MAX_EXTRA = 16_384
"""Of an alert's `extra`, as JSON."""

_MAX_MISTAKE = 500
_MAX_DEPTH = 32
_TOO_DEEP = "left out: nested too deeply"
_MAX_LEFT_OUT = 20
_YEARS = range(1970, 3000)
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line feed, and halves of surrogate pairs: PostgreSQL or UTF-8 cannot hold
them, or a terminal obeys them."""

_PERHAPS_UNWANTED = re.compile(rb"null|\\(?:u00|[bfr])|\x7f|\xc2[\x80-\x9f]")
"""What orjson makes of these, and of numbers that are none."""

_WEB_ADDRESS = re.compile(r"https?://[^\s<>|\"]+", re.IGNORECASE)

SEVERITY_LABELS: dict[str, Severity] = {
    **{level.value.lower(): level for level in Severity},
    "critical": Severity.P1,
    "error": Severity.P2,
    "warning": Severity.P3,
    "info": Severity.P4,
}
"""What a `severity` label claims: our own levels, or PagerDuty's four words in the same order."""

ModelT = TypeVar("ModelT", bound=BaseModel)


class UnreadablePayload(ValueError):
    """A payload that is not what its sender promised; the text names the field, and never its value.

    A field's own name may come from the sender, so the text is masked.
    """

    def __init__(self, text: str) -> None:
        super().__init__(let_in_line(text, _MAX_MISTAKE))


class EmptyAlerts(UnreadablePayload):
    """A notification that is well-formed but tells of no alert: there is nothing to respond to."""


def _text(value: Any) -> Any:
    """Senders send null for what is empty, and numbers and truth values for ids, ports and flags."""
    if value is None:
        return ""
    return orjson.dumps(value).decode() if isinstance(value, bool | int | float) else value


def _texts(value: Any) -> Any:
    """One value of another type is no reason to lose an alert: it becomes its JSON."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        return value
    return {name: _written_text(it) for name, it in value.items()}


def _written(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()


Text = Annotated[str, BeforeValidator(_text)]
"""A text that may be null, or a number."""


def _reference(value: Any) -> Any:
    """Some senders give the name alone where there is an object with it."""
    return {"name": value, "summary": value} if isinstance(value, str | int | float) else value


NAMED = BeforeValidator(_reference)
"""Of a field that is an object with a `name` or a `summary`, or that text alone."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), BeforeValidator(_text)]
"""A text that says something."""

Texts = Annotated[dict[str, str], BeforeValidator(_texts)]
"""Texts by name, as labels and annotations are, that may be null."""


def _known_status(value: Any) -> Any:
    """The status by its own name; another value stays as it is, and is told as a mistake."""
    status = status_of(value)
    return value if status is None else status.value


Status = Annotated[AlertStatus, BeforeValidator(_known_status)]
"""A status, whatever the sender calls it."""


FiringOrResolved = Annotated[Literal["firing", "resolved"], BeforeValidator(_known_status)]
"""The status of an alert that nobody can acknowledge."""


def _unless_blank(value: Any) -> Any:
    """Senders send an empty text for what they do not know."""
    return None if isinstance(value, str) and not value.strip() else value


Time = Annotated[AwareDatetime | None, BeforeValidator(_unless_blank)]
"""A time with its zone, or none."""


def parsed(model: type[ModelT], payload: Any, *, at: str = "") -> ModelT:
    """The payload as that model; `at` is where it stands in the body.

    Raises:
        UnreadablePayload: a field is missing or of the wrong type.
    """
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        raise UnreadablePayload(first_mistake(error, at=at)) from None


def first_mistake(error: ValidationError, *, at: str = "") -> str:
    """The first mistake that a model found, as `field.name: what is wrong`, without the value."""
    mistake = error.errors(include_url=False, include_input=False, include_context=False)[0]
    steps = (at, *(let_in_name(str(step), MAX_LABEL_NAME) for step in mistake["loc"]))
    where = ".".join(filter(None, steps)) or "the body"
    message = mistake["msg"].removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:]}"


def storable(payload: Any) -> Any:
    """The JSON value with all in it that UTF-8, JSON and SQL hold: without control characters, by value.

    Numbers that JSON has no form for, or that do not fit into 64 bits, become texts. What is nested more than
    32 levels deep is left out, so that one such value costs nothing beside it.

    Raises:
        UnreadablePayload: it is no JSON value.
    """
    return payload if _is_storable(payload) else _storable(payload, _MAX_DEPTH)


def unreadable_alert(raw: Any, service: str, *, source: str, why: UnreadablePayload) -> Alert:
    """One alert of several that cannot be read: it was sent for a reason, and a person can read it.

    What it says of its identity and its end counts all the same.
    """
    fields = raw if isinstance(raw, dict) else {}
    sent = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)
    known = _text(fields.get("fingerprint"))
    mark = known if isinstance(known, str) and known else f"unreadable-{sha256(sent).hexdigest()[:32]}"
    return Alert(
        source=source,
        service=service,
        name="unreadable alert",
        summary=f"{source} sent an alert that cannot be read: {why}",
        status=status_of(fields.get("status")) or AlertStatus.FIRING,
        fingerprint=mark,
        extra=bounded({"alert": raw}),
    )


def _is_storable(payload: Any) -> bool:
    """Whether it is so already, as nearly all payloads are: found out without a look at each value in Python.

    orjson refuses halves of surrogate pairs, numbers beyond 64 bits and very deep nesting, writes null for
    what JSON has no number for, and escapes control characters.
    """
    try:
        written = orjson.dumps(payload)
    except (TypeError, RecursionError):
        return False
    return _PERHAPS_UNWANTED.search(written) is None


def _storable(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _UNWANTED.sub("", value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() < 64 else hex(value)[:MAX_NAME]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth == 0 and isinstance(value, dict | list):
        return _TOO_DEEP
    if isinstance(value, dict):
        return {_storable(str(key), depth - 1): _storable(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item, depth - 1) for item in value]
    raise UnreadablePayload("the body: not a JSON value")


def claimed_severity(label: str | None) -> Severity | None:
    """The severity that a sender claims; None for no claim or one in words of the sender's own."""
    return SEVERITY_LABELS.get((label or "").strip().lower())


def words(text: str) -> str:
    """What a text says, empty where it shows nothing: without white space around it."""
    return normal(text).strip()


def service_name(name: str) -> str:
    """The name of a service as a sender gave it, without the white space around it.

    Raises:
        ValueError: it is empty, too long or not printable.
    """
    name = name.strip()
    if not name:
        raise ValueError("the service is missing")
    if len(name) > MAX_NAME or not name.isprintable():
        raise ValueError(f"not a name of at most {MAX_NAME} printable characters")
    return name


def service_label(labels: Any, default: str) -> str:
    """The service in labels as they came, else the default.

    Raises:
        UnreadablePayload: there is neither, or what is there cannot be a name, as a list.
    """
    given = labels.get("service") if isinstance(labels, dict) else None
    if isinstance(given, dict | list):
        raise UnreadablePayload("labels.service: not a text")
    return named_service(_written_text(given), default, at="labels.service")


def _written_text(value: Any) -> str:
    return value if isinstance(value, str) else _written(value)


def named_service(name: str, default: str, *, at: str) -> str:
    """The service that the payload names `at` a field, else the default.

    Raises:
        UnreadablePayload: there is neither, or the name cannot be one.
    """
    try:
        return service_name(name.strip() or default)
    except ValueError as error:
        raise UnreadablePayload(f"{at}: {error}") from None


def web_address(text: str) -> str:
    """The text if people can be given it as a link, else nothing: half an address leads nowhere."""
    text = text.strip()
    return text if len(text) <= MAX_URL and _WEB_ADDRESS.fullmatch(text) else ""


def utc(at: datetime | None) -> datetime | None:
    """That time in UTC; None where the sender does not know it.

    Go's zero time, in the year 1, says so. Years that no clock shows are taken for the same, so that a time
    can be converted, stored and reckoned with.
    """
    if at is None or at.year not in _YEARS:
        return None
    return at.astimezone(UTC)


def beyond(payload: Mapping[str, Any], model: type[BaseModel], *also: str) -> dict[str, Any]:
    """The fields of a payload that neither the model nor `also` names."""
    known = {field.alias or name for name, field in model.model_fields.items()} | {*also}
    return {name: value for name, value in payload.items() if name not in known}


def bounded(fields: Mapping[str, Any], limit: int = MAX_EXTRA) -> dict[str, Any]:
    """As many of the fields as fit into that many bytes of JSON; the others are named in `left_out`."""
    kept: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in fields.items():
        size = len(orjson.dumps({name: value}))
        if size <= limit:
            kept[name] = value
            limit -= size
        else:
            left_out.append(let_in_name(name, MAX_LABEL_NAME))
    if left_out:
        kept["left_out"] = left_out[:_MAX_LEFT_OUT]
    return kept
