"""Pods' logs, all of them.

`kubectl logs -l` stops at ten lines a pod, at one container, and at the first pod that fails.
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import urllib3
from kubernetes.client import ApiClient, CoreV1Api

from blocks.errors import OutsideError
from blocks.kubernetes_access import Credentials, open_stream
from blocks.kubernetes_errors import SYSTEM, Request
from blocks.kubernetes_revisions import Object, moment
from runbook.log_lines import LogLine, PodLogs, in_order

_CHUNK = 64 * 1024


@dataclass(frozen=True)
class LogSource:
    """A container's log: the running one's, or that of the container before its last restart."""

    pod: str
    container: str
    previous: bool = False

    def __str__(self) -> str:
        return f"{self.container} before its restart" if self.previous else self.container


@dataclass
class LogText:
    """What was read of one log; `missing` says why that is not all."""

    source: LogSource
    lines: list[LogLine] = field(default_factory=list)
    missing: str = ""


@dataclass(frozen=True)
class LogWindow:
    """Which part of a log is wanted, and how much of it may be read."""

    since_seconds: int
    bytes_limit: int
    timeout_seconds: float


def log_sources(pod: Object, container: str | None, *, since: datetime) -> Iterator[LogSource]:
    """The logs of a pod that have lines from `since` on."""
    name = pod["metadata"]["name"]
    statuses = {item["name"]: item for item in (pod.get("status") or {}).get("containerStatuses") or ()}
    for spec in pod["spec"]["containers"]:
        if container is not None and spec["name"] != container:
            continue
        yield LogSource(name, spec["name"])
        ended = (statuses.get(spec["name"], {}).get("lastState") or {}).get("terminated") or {}
        ended_at = moment(ended.get("finishedAt"))
        if ended and (ended_at is None or ended_at >= since - timedelta(seconds=1)):
            yield LogSource(name, spec["name"], previous=True)


def read_log(credentials: Credentials, namespace: str, source: LogSource, window: LogWindow) -> LogText:
    """Read one log from the window's start. A log that cannot be read is a result too, with the reason.

    Of a log over the limit, the newest lines are kept.
    """
    text = LogText(source)

    def send(client: ApiClient) -> Any:
        return CoreV1Api(client).read_namespaced_pod_log(
            source.pod,
            namespace,
            container=source.container,
            previous=source.previous,
            since_seconds=window.since_seconds,
            timestamps=True,
            _preload_content=False,
            _request_timeout=(window.timeout_seconds, window.timeout_seconds),
        )

    try:
        response = open_stream(credentials, Request("get", "pods/log", source.pod), send)
    except OutsideError as error:
        text.missing = error.detail
        return text
    try:
        raw = _read_bounded(response, window, text)
    finally:
        response.close()
    text.lines = [_line(source, line) for line in raw.decode("utf-8", errors="replace").splitlines()]
    return text


def pod_logs(texts: list[LogText]) -> PodLogs:
    """Several logs as one story; a pod of which something is missing is named with the reasons."""
    missing: dict[str, list[str]] = {}
    for text in texts:
        if text.missing:
            missing.setdefault(text.source.pod, []).append(f"{text.source}: {text.missing}")
    lines: list[LogLine] = [line for text in texts for line in text.lines]
    return PodLogs(
        lines=in_order(lines),
        pods_read=tuple(dict.fromkeys(text.source.pod for text in texts if text.lines or not text.missing)),
        pods_unread={pod: "; ".join(reasons) for pod, reasons in missing.items()},
    )


def _read_bounded(response: urllib3.BaseHTTPResponse, window: LogWindow, text: LogText) -> bytes:
    chunks: deque[bytes] = deque()
    size, dropped = 0, False
    deadline = time.monotonic() + window.timeout_seconds
    try:
        while chunk := response.read1(_CHUNK):  # what is there, whereas `stream` waits for a whole chunk
            chunks.append(chunk)
            size += len(chunk)
            while size - len(chunks[0]) >= window.bytes_limit:
                size -= len(chunks.popleft())
                dropped = True
            if time.monotonic() > deadline:
                text.missing = f"not read to its end in {window.timeout_seconds:g} s"
                break
    except urllib3.exceptions.HTTPError:
        text.missing = f"{SYSTEM} broke the connection off"
    raw = b"".join(chunks)
    if dropped:
        text.missing = f"only its last {size} bytes were read"
        raw = raw[raw.find(b"\n") + 1 :]
    elif raw and not raw.endswith(b"\n") and not text.missing:
        # a connection that the kubelet loses in mid-log still ends as a clean answer
        text.missing = "it ends in the middle of a line"
    return raw


def _line(source: LogSource, raw: str) -> LogLine:
    stamp, _, rest = raw.partition(" ")
    try:
        at = datetime.fromisoformat(stamp).astimezone(UTC)
    except ValueError:
        return LogLine(source.pod, source.container, raw)
    return LogLine(source.pod, source.container, rest, at)
