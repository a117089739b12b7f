"""Container logs: what was written, and how much of it a request gets back.

Source: k8s.io/kubernetes/pkg/apis/core/validation (PodLogOptions) and pkg/registry/core/pod (LogLocation).
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from deployments.drill.cluster.objects import parsed_timestamp
from deployments.drill.cluster.server.errors import ApiError, Cause, bad_request

_LINES_KEPT = 50_000
"""A real kubelet rotates logs by size, so that an old line is gone one day."""


@dataclass(frozen=True)
class LogOptions:
    """The parameters of a log request, checked."""

    container: str = ""
    previous: bool = False
    follow: bool = False
    timestamps: bool = False
    since_seconds: int | None = None
    since_time: datetime | None = None
    tail_lines: int | None = None
    limit_bytes: int | None = None

    @classmethod
    def from_query(cls, pod: str, query: Mapping[str, str]) -> "LogOptions":
        """Read the query of a log request. Raises ApiError 400 or 422."""
        options = cls(
            container=query.get("container", ""),
            previous=_flag(query.get("previous", "")),
            follow=_flag(query.get("follow", "")),
            timestamps=_flag(query.get("timestamps", "")),
            since_seconds=_number("sinceSeconds", query.get("sinceSeconds")),
            since_time=_time(query.get("sinceTime")),
            tail_lines=_number("tailLines", query.get("tailLines")),
            limit_bytes=_number("limitBytes", query.get("limitBytes")),
        )
        causes = options._violations()
        if causes:
            text = ", ".join(f"{cause.field}: {cause.message}" for cause in causes)
            listed = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
            details = {"name": pod, "kind": "PodLogOptions", "causes": listed}
            raise ApiError(422, "Invalid", f'PodLogOptions "{pod}" is invalid: {text}', details)
        return options

    def _violations(self) -> list[Cause]:
        causes = []
        if self.tail_lines is not None and self.tail_lines < 0:
            causes.append(Cause.invalid("tailLines", self.tail_lines, "must be greater than or equal to 0"))
        if self.limit_bytes is not None and self.limit_bytes < 1:
            causes.append(Cause.invalid("limitBytes", self.limit_bytes, "must be greater than 0"))
        if self.since_seconds is not None and self.since_time is not None:
            causes.append(
                Cause.forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified")
            )
        elif self.since_seconds is not None and self.since_seconds < 1:
            causes.append(Cause.invalid("sinceSeconds", self.since_seconds, "must be greater than 0"))
        return causes


def _flag(text: str) -> bool:
    return text.lower() not in ("", "0", "false")


def _number(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(
            f'unable to decode query: strconv.ParseInt: parsing "{text}": invalid syntax ({name})'
        ) from None


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parsed_timestamp(text)
    except ValueError:
        raise bad_request(f'parsing time "{text}" as RFC 3339 failed') from None


@dataclass(frozen=True)
class Line:
    """One line of a log, without its newline."""

    at: datetime
    text: str

    def encoded(self, timestamps: bool) -> bytes:
        """The line as sent, with the runtime's nanosecond timestamp if asked for."""
        stamp = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z ") if timestamps else ""
        return f"{stamp}{self.text}\n".encode(errors="surrogateescape")


@dataclass
class Log:
    """What one run of a container wrote."""

    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))
    closed: bool = False
    _followers: set[asyncio.Queue[Line | None]] = field(default_factory=set)

    def write(self, at: datetime, text: str) -> None:
        """Append a text, a line at a time."""
        for part in text.split("\n"):
            line = Line(at, part)
            self.lines.append(line)
            for follower in self._followers:
                follower.put_nowait(line)

    def close(self) -> None:
        """The container has ended: nothing more is written, and followers get the end of the log."""
        self.closed = True
        self.end_followers()

    def end_followers(self) -> None:
        """Send no more of the log to its followers."""
        for follower in self._followers:
            follower.put_nowait(None)

    def read(self, options: LogOptions, now: datetime) -> bytes:
        """The part of the log that the options ask for."""
        since = options.since_time
        if options.since_seconds is not None:
            since = now - timedelta(seconds=options.since_seconds)
        lines = [line for line in self.lines if since is None or line.at >= since]
        if options.tail_lines is not None:
            lines = lines[len(lines) - options.tail_lines :] if options.tail_lines < len(lines) else lines
        data = b"".join(line.encoded(options.timestamps) for line in lines)
        return data if options.limit_bytes is None else data[: options.limit_bytes]

    @contextmanager
    def followed(self) -> Iterator[asyncio.Queue[Line | None]]:
        """A queue that gets every further line, and None when the log closes."""
        queue: asyncio.Queue[Line | None] = asyncio.Queue()
        self._followers.add(queue)
        try:
            yield queue
        finally:
            self._followers.discard(queue)
