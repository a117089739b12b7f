"""Pods' logs, all of them.

`kubectl logs -l` stops at ten lines a pod, at one container, and at the first pod that fails.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import urllib3
from kubernetes.client import ApiClient, CoreV1Api

from blocks.kubernetes.access.api import open_stream
from blocks.kubernetes.access.connection import ClusterClient
from blocks.kubernetes.access.credentials import Credentials
from blocks.kubernetes.access.errors import SYSTEM, Request
from blocks.kubernetes.pods import STARTING, container_statuses, known_containers, role_of
from blocks.kubernetes.revisions import Object, moment
from blocks.kubernetes.workload import Workload
from blocks.transport.errors import NotFound, OutsideError, Unavailable
from runbook.checks.log_lines import LogLine, PodLogs, in_order
from runbook.checks.readings import ContainerRole
from runbook.kubernetes.patches import main_container

_CHUNK = 64 * 1024
_LOGS_AT_ONCE = 6


@dataclass(frozen=True)
class LogSource:
    """A container's log: the running one's, or that of the container before its last restart."""

    pod: str
    container: str
    previous: bool = False

    def __str__(self) -> str:
        return f"{self.container} before its restart" if self.previous else self.container


@dataclass(frozen=True)
class LogWindow:
    """Which part of a log is wanted, and how much of it may be read.

    `ends_at` is when the reading stops, by `time.monotonic`; `seconds` is the time that it may take in all.
    """

    since_seconds: int
    bytes_limit: int
    seconds: float
    ends_at: float

    @property
    def left(self) -> float:
        """Seconds until the reading stops."""
        return self.ends_at - time.monotonic()


@dataclass
class LogText:
    """What was read of one log, by a thread that may be given up: what it has read until then counts.

    `missing` says why that is not all.
    """

    source: LogSource
    missing: str = ""
    _chunks: deque[bytes] = field(default_factory=deque)
    _size: int = 0
    _limit: int = 0  # of bytes, once older ones were dropped for it
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, chunk: bytes, limit: int) -> None:
        """Keep a chunk; over the limit, the oldest are dropped."""
        with self._lock:
            self._chunks.append(chunk)
            self._size += len(chunk)
            while self._size - len(self._chunks[0]) >= limit:
                self._size -= len(self._chunks.popleft())
                self._limit = limit

    def cut_short(self, seconds: float) -> None:
        """Note that the reading stopped before the log's end."""
        with self._lock:
            self.missing = f"reading was stopped after {seconds:g} s, so its newest lines are missing"

    def failed(self, why: str) -> None:
        """Note why it cannot be read, unless the reading was stopped: that closes its connection, too."""
        with self._lock:
            self.missing = self.missing or why

    def finished(self) -> "tuple[list[LogLine], str]":
        """The lines, split where the container did, and what is missing of them."""
        with self._lock:
            raw, dropped, missing = b"".join(self._chunks), self._limit, self.missing
        if dropped:
            raw = raw[raw.find(b"\n") + 1 :]
            kept = f"only its last {len(raw)} bytes were read"
            if missing:
                kept = f"only {len(raw)} bytes were read, after more than {dropped} that were skipped"
            missing = f"{kept}, and it was {missing}" if missing else kept
        elif raw and not raw.endswith(b"\n") and not missing:
            # a connection that the kubelet loses in mid-log still ends as a clean answer
            missing = "it ends in the middle of a line"
        lines = raw.decode("utf-8", errors="replace").split("\n")
        if not lines[-1]:
            lines.pop()
        return [_line(self.source, line) for line in lines], missing


Wanted = Callable[[str, ContainerRole], bool]
"""Whether the log of a container of that name and role is wanted."""


def log_sources(
    pod: Object, wanted: Wanted, *, main: str, known: frozenset[str], since: datetime
) -> Iterator[LogSource]:
    """The logs of a pod that have lines from `since` on (aware UTC, the cluster's time).

    A container that is only starting has none yet. One that cannot start has none either; the cluster says so
    when it is asked for it.
    """
    name = pod["metadata"]["name"]
    statuses = {item["name"]: item for item in container_statuses(pod)}
    earliest = since - timedelta(seconds=1)
    for spec in [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]:
        role = role_of(pod, spec["name"], main=main, known=known)
        if not wanted(spec["name"], role):
            continue
        status = statuses.get(spec["name"], {})
        state = status.get("state") or {}
        ended = state.get("terminated") or {}
        before = (status.get("lastState") or {}).get("terminated") or {}
        starting = (state.get("waiting") or {}).get("reason") in STARTING and not before
        if not starting and not _over(ended, earliest):
            yield LogSource(name, spec["name"])
        if before and not _over(before, earliest):
            yield LogSource(name, spec["name"], previous=True)


def _over(terminated: Object, earliest: datetime) -> bool:
    ended_at = moment(terminated.get("finishedAt"))
    return ended_at is not None and ended_at < earliest


def read_log(credentials: Credentials, namespace: str, text: LogText, window: LogWindow) -> None:
    """Read one log from the window's start. A log that cannot be read is a result too, with the reason."""
    source = text.source
    if window.left <= 0:
        text.missing = f"reading did not start within {window.seconds:g} s"
        return

    def send(client: ApiClient) -> Any:
        return CoreV1Api(client).read_namespaced_pod_log(
            source.pod,
            namespace,
            container=source.container,
            previous=source.previous,
            since_seconds=window.since_seconds,
            timestamps=True,
            _preload_content=False,
            _request_timeout=(window.left, window.left),
        )

    try:
        response = open_stream(credentials, Request("get", "pods/log", source.pod), send)
    except OutsideError as error:
        text.failed(error.detail)
        return
    try:
        while chunk := response.read1(_CHUNK):  # what is there, whereas `stream` waits for a whole chunk
            text.add(chunk, window.bytes_limit)
            if window.left <= 0:
                text.cut_short(window.seconds)
                return
    except urllib3.exceptions.HTTPError:
        if window.left <= 0:
            text.cut_short(window.seconds)
        else:
            text.failed(f"{SYSTEM} closed the connection")
    finally:
        response.close()


def pod_logs(texts: list[LogText]) -> PodLogs:
    """Several logs as one story; a pod of which something is missing is named with the reasons."""
    missing: dict[str, list[str]] = {}
    read: list[str] = []
    logs: list[list[LogLine]] = []
    for text in texts:
        lines, why = text.finished()
        if why:
            missing.setdefault(text.source.pod, []).append(f"{text.source}: {why}")
        if lines or not why:
            read.append(text.source.pod)
        logs.append(lines)
    return PodLogs(
        lines=in_order(logs),
        pods_read=tuple(dict.fromkeys(read)),
        pods_unread={pod: "; ".join(reasons) for pod, reasons in missing.items()},
    )


def _line(source: LogSource, raw: str) -> LogLine:
    stamp, _, rest = raw.partition(" ")
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:  # a date or a number of the program's own is no time of the cluster
        return LogLine(source.pod, source.container, raw)
    return LogLine(source.pod, source.container, rest, at.astimezone(UTC))


@dataclass(frozen=True)
class Logs:
    """Reading the logs of the workload's pods."""

    workload: Workload

    @property
    def client(self) -> ClusterClient:
        """The connection to the cluster."""
        return self.workload.client

    async def read(
        self, since_seconds: int, *, within_seconds: float | None = None, every_container: bool = False
    ) -> PodLogs:
        """All lines of the workload's pods in the last `since_seconds`, from before restarts too.

        Read are the configured container and the init containers; where none is configured, all that the
        workload's template has; with `every_container`, injected ones too. `within_seconds` is for all logs
        together, else each has the timeout. A log that cannot be read, or not wholly, does not stop the
        others: `pods_unread` says why.
        """
        settings = self.client.settings
        workload, own, pods = await self.workload.own_pods()
        template = workload["spec"]["template"]
        try:
            main = main_container(template, settings.container)
        except LookupError as error:
            raise NotFound(
                SYSTEM, f"{settings.target}: {error}", "Correct `container` in [cluster]"
            ) from None
        known = known_containers([template, *(revision.template for revision in own)])
        since = (self.client.server_time() or datetime.now(UTC)) - timedelta(seconds=since_seconds)
        slots = asyncio.Semaphore(_LOGS_AT_ONCE)
        together = time.monotonic() + within_seconds if within_seconds else None

        def wanted(name: str, role: ContainerRole) -> bool:
            if every_container:
                return True
            if settings.container is not None:
                return name == settings.container or role is ContainerRole.INIT
            return role is not ContainerRole.INJECTED

        async def read_one(source: LogSource) -> LogText:
            async with slots:
                seconds = within_seconds or settings.timeout_seconds
                ends_at = together or time.monotonic() + seconds
                window = LogWindow(max(1, since_seconds), settings.log_bytes_limit, seconds, ends_at)
                return await self._read(source, window)

        sources = [
            source
            for pod in pods.living
            for source in log_sources(pod, wanted, main=main, known=known, since=since)
        ]
        return pod_logs(await asyncio.gather(*map(read_one, sources)))

    async def _read(self, source: LogSource, window: LogWindow) -> LogText:
        text, settings = LogText(source), self.client.settings
        try:
            async with asyncio.timeout(max(0, window.left)):
                await self.client.in_time(
                    Request("get", "pods/log", source.pod),
                    lambda: read_log(settings.credentials, settings.namespace, text, window),
                )
        except TimeoutError:
            text.cut_short(window.seconds)
        except Unavailable as error:
            text.missing = error.detail
        return text
