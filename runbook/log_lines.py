"""Which log lines report an error, and of which HTTP status: the runbook's `grep -i error`, made exact."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from runbook.readings import ErrorLine, LogReading
from runbook.value import Value


class LogLine(NamedTuple):
    """A line of a container's log; `at` is when it was written (aware UTC), where the cluster says so."""

    pod: str
    container: str
    text: str
    at: datetime | None = None


class PodLogs(Value):
    """The lines of all pods in the window, oldest first; `pods_unread` says what is missing and why."""

    lines: tuple[LogLine, ...]
    pods_read: tuple[str, ...]
    pods_unread: dict[str, str] = {}


_EPOCH = datetime.fromtimestamp(0, UTC)

_WORDS = re.compile(r"error|exception", re.IGNORECASE)
_NONE = re.compile(
    r"\b(?:no|0|zero|without)\s+(?:errors?|exceptions?)\b"
    r"""|\b(?:errors?|error_count|exceptions?)["']?\s*[=:]\s*["']?(?:0|none|null|nil|false|\[\s*\])(?![\w.])""",
    re.IGNORECASE,
)
_LEVEL = re.compile(
    r"""\b(?:level|lvl|severity|levelname)["']?\s*[=:]\s*["']?(?:err|fatal|critical|crit|alert|emerg|panic)\b""",
    re.IGNORECASE,
)
_WORD_LEVEL = re.compile(r"(?<![\w-])(?:FATAL|CRITICAL|PANIC|EMERG|ERR)(?![\w-])|^panic:")

_CODE = r"(?P<code>[45]\d\d)(?![\w.:%-])"
_LABELLED_STATUS = re.compile(
    r"""\b(?:http[_\s-]?)?(?:status(?:[_\s-]?code)?|response[_\s-]?code|code)["']?\s*(?:[=:]|\bis\b)?\s*["']?"""
    + _CODE,
    re.IGNORECASE,
)
_HTTP_STATUS = re.compile(r"\bHTTP(?:/\d(?:\.\d)?)?[\s:]+" + _CODE, re.IGNORECASE)
_PHRASES = (
    r"Unauthori[sz]ed|Forbidden|Not Found|Too Many Requests|Internal Server Error|Bad Gateway"
    r"|Service Unavailable|Gateway Time-?out|Payment Required|Bad Request|Client Error|Server Error"
)
_PHRASED_STATUS = re.compile(rf"(?<![\w.:-])(?P<code>[45]\d\d)\s+(?:{_PHRASES})", re.IGNORECASE)
_LONE_STATUS = re.compile(
    r"(?<![\w.:/,=-])(?<!port )(?<!line )(?<!pid )(?<!after )(?P<code>40[123]|429|50[0-4])"
    r"(?=$|[\s,;)\]}]|\.(?:\s|$))(?!\s*(?:ms|s|sec|seconds?|bytes|events|items|requests|times|x)\b)"
)
_TIMEOUT = re.compile(r"\btimed?[\s_-]?out\b|\btimeout\b|deadline exceeded", re.IGNORECASE)
_NO_CONNECTION = re.compile(
    r"connection (?:refused|reset|aborted|closed)|ECONNREFUSED|ECONNRESET|name or service not known"
    r"|no such host|network is unreachable|temporary failure in name resolution",
    re.IGNORECASE,
)


def is_error(text: str) -> bool:
    """Whether the line reports an error: by its level, or by the words that the runbook greps for.

    A line that only says that there are none, such as `errors=0`, is none.
    """
    if _LEVEL.search(text) or _WORD_LEVEL.search(text):
        return True
    return bool(_WORDS.search(_NONE.sub("", text)))


def http_status(text: str) -> str | None:
    """The HTTP status that an error line tells, or `timeout` or `connection` where no answer came.

    A number counts only where its surroundings make it a status: durations, ports, times and ids have three
    digits too.
    """
    for pattern in (_LABELLED_STATUS, _HTTP_STATUS, _PHRASED_STATUS, _LONE_STATUS):
        found = pattern.search(text)
        if found:
            return found["code"]
    if _TIMEOUT.search(text):
        return "timeout"
    return "connection" if _NO_CONNECTION.search(text) else None


def summarise(logs: PodLogs, *, window_seconds: float) -> LogReading:
    """All error lines, and how many tell which status."""
    errors = [
        ErrorLine(pod=line.pod, text=line.text, status=http_status(line.text))
        for line in logs.lines
        if is_error(line.text)
    ]
    return LogReading(
        window_seconds=window_seconds,
        lines_read=len(logs.lines),
        errors=tuple(errors),
        errors_by_status=dict(Counter(error.status for error in errors if error.status)),
        pods_read=logs.pods_read,
        pods_unread=logs.pods_unread,
    )


def in_order(lines: Sequence[LogLine]) -> tuple[LogLine, ...]:
    """The lines of several containers as one story, oldest first, if all have a time."""
    if any(line.at is None for line in lines):
        return tuple(lines)
    return tuple(sorted(lines, key=lambda line: line.at or _EPOCH))
