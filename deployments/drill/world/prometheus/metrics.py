"""What the integration exports: the counters its runbook's queries read.

The pods send to one exporter (as with a statsd exporter), so the series outlive a restart, and every
status starts at 0, so that "no errors" and "no data" can be told apart.
"""

from collections import deque

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SERVICE = "posthog-integration"
STATUSES = ("401", "403", "429", "500", "502", "503", "504", "timeout", "connection")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Exporter:
    """Counts calls to PostHog and remembers the last few seconds of them for the health endpoint."""

    def __init__(self) -> None:
        """Start every series at zero."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "posthog_requests", "Requests to PostHog", ["service", "path"], registry=self.registry
        )
        self._errors = Counter(
            "posthog_errors", "Failed requests to PostHog", ["service", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "posthog_request_duration_seconds",
            "Duration of requests to PostHog",
            ["service"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._buffered = Gauge(
            "posthog_buffered_events", "Events kept locally", ["service"], registry=self.registry
        )
        self._memory = Gauge(
            "process_resident_memory_bytes", "Memory of a pod", ["service", "pod"], registry=self.registry
        )
        for status in STATUSES:
            self._errors.labels(SERVICE, status)
        for path in ("/flags", "/i/v0/e/", "/api/projects"):
            self._requests.labels(SERVICE, path)
        self._buffered.labels(SERVICE)
        self._recent: deque[tuple[float, str | None]] = deque()

    def count(self, *, path: str, failure: str | None, seconds: float, now: float) -> None:
        """Count one call; ``failure`` is its status, None for a good one; ``now`` in monotonic seconds."""
        self._requests.labels(SERVICE, path).inc()
        self._seconds.labels(SERVICE).observe(seconds)
        if failure is not None:
            self._errors.labels(SERVICE, failure).inc()
        self._recent.append((now, failure))
        while self._recent and self._recent[0][0] < now - 10:
            self._recent.popleft()

    def buffer(self) -> None:
        """Count one event that was kept locally."""
        self._buffered.labels(SERVICE).inc()

    def show_memory(self, used: dict[str, int]) -> None:
        """Show the memory of the pods that run, in bytes, and of no others."""
        self._memory.clear()
        for pod, size in used.items():
            self._memory.labels(SERVICE, pod).set(size)

    def recent(self, *, now: float, seconds: float) -> list[str | None]:
        """Return the failure (None: none) of each call within the last ``seconds``, at most ten."""
        return [failure for at, failure in self._recent if at >= now - seconds]

    def text(self) -> bytes:
        """Return the series in Prometheus's text format."""
        return generate_latest(self.registry)
