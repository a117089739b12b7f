"""What each outside system said, before anyone judges it.

A block translates a vendor's format into one of these; its check in `runbook.checks.specs` makes a
finding of it. Times are aware UTC, rates are per second, sizes are bytes.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from runbook.outside_text import Outside, OutsideLine, OutsideName, OutsideTexts
from runbook.value import Value

Title = Annotated[str, Outside(300, lines=False)]
"""A title, a word or an address, as long as it says anything to people."""


class Impact(StrEnum):
    """How bad a status page says an incident is, worst last; vendors' words are mapped onto these."""

    NONE = "none"
    MAINTENANCE = "maintenance"
    DEGRADED = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    FULL_OUTAGE = "full_outage"


class ListedIncident(Value):
    """An unresolved incident on a status page. No regions means that everyone is affected."""

    id: OutsideName
    name: Title
    status: Title
    impact: Impact
    url: OutsideLine = ""
    components: tuple[OutsideName, ...] = ()
    regions: tuple[OutsideName, ...] = ()
    updated_at: datetime | None = None
    message: Annotated[str, Outside(500, lines=False)] = ""


class StatusPageReading(Value):
    """The unresolved incidents and running maintenances that a status page lists.

    `unclear` is what it says in words that nobody knows, such as the status of a component. `our_regions` are
    the regions that the integration uses; none means all.
    """

    page_url: OutsideLine
    format: str
    route: str
    incidents: tuple[ListedIncident, ...] = ()
    our_regions: tuple[OutsideName, ...] = ()
    maintenances: tuple[ListedIncident, ...] = ()
    unclear: tuple[ListedIncident, ...] = ()


class HealthReading(Value):
    """The integration service's own word about its PostHog connection; `None` where it says nothing."""

    url: OutsideLine
    http_status: int
    status: Title | None
    detail: Title = ""


class ErrorRateReading(Value):
    """Errors per second by HTTP status over the window; `None` is no data, which is not zero.

    It is not complete where some statuses had no rate that is a number, or where the server says that its
    answer is `partial`: there may be more errors. `undated_errors_per_second` is how many more there would
    be if all that was counted before the first sample had happened within the window.
    """

    source: OutsideLine
    window_seconds: float
    errors_by_status: dict[OutsideName, float] | None
    complete: bool = True
    partial: bool = False
    undated_errors_per_second: float = 0
    requests_per_second: float | None
    warnings: tuple[OutsideLine, ...] = ()

    @property
    def errors_per_second(self) -> float | None:
        """The rate of all errors together, `None` without data."""
        return None if self.errors_by_status is None else sum(self.errors_by_status.values())

    @property
    def error_share(self) -> float | None:
        """Errors over requests, 0 to 1; `None` where either is unknown or nothing was requested."""
        errors = self.errors_per_second
        if errors is None or not self.requests_per_second:
            return None
        return min(1.0, errors / self.requests_per_second)


class ErrorLine(Value):
    """One log line that reports an error, with what its stack trace comes to."""

    pod: OutsideName
    text: OutsideLine
    status: str | None = None


class LogReading(Value):
    """All error lines of all pods in the window; `pods_unread` says whose logs could not be read and why.

    `errors_by_status` counts those that tell a status of PostHog's. `unplaced_errors` counts those that may
    be PostHog's, but do not say so, or not with which status; `posthog_errors_without_status` is how many of
    them name PostHog.
    """

    window_seconds: float
    lines_read: int
    errors: tuple[ErrorLine, ...]
    errors_by_status: dict[str, int]
    unplaced_errors: int = 0
    posthog_errors_without_status: int = 0
    pods_read: tuple[OutsideName, ...]
    pods_unread: dict[OutsideName, OutsideLine] = {}


class ProbeResult(StrEnum):
    """What the PostHog API did with one harmless authenticated request."""

    ACCEPTED = "accepted"
    KEY_REJECTED = "key_rejected"
    SCOPE_MISSING = "scope_missing"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    UNREACHABLE = "unreachable"


CONFIGURATION = "configuration"
"""The source of a key that is the runbook's own, where the integration's cannot be read."""


class ProbeReading(Value):
    """The answer to an active probe of the PostHog API with the integration's key.

    `key_source` names where the key came from (the cluster's Secret or the configuration), never the key.
    """

    host: OutsideLine
    key_source: OutsideLine
    outcome: ProbeResult
    http_status: int | None
    detail: OutsideLine = ""
    retry_after_seconds: int | None = None
    seconds: float | None = None


class ContainerRole(StrEnum):
    """What a container is in its pod.

    `main` is the integration's own, `beside` another one of the workload's template, `init` runs before them,
    `sidecar` is a native one (an init container with `restartPolicy: Always`). An `injected` one stands in
    the pod but not in the workload's template: a webhook of the cluster added it.
    """

    MAIN = "main"
    BESIDE = "beside"
    INIT = "init"
    SIDECAR = "sidecar"
    INJECTED = "injected"


class ContainerReading(Value):
    """A container of a pod: why it waits, how it last ended, and when it last started or ended.

    `ran_seconds` is how long it had run when it last ended, `None` where that is not known.
    """

    name: OutsideName
    role: ContainerRole = ContainerRole.MAIN
    restarts: int = 0
    waiting: OutsideName | None = None
    last_termination: OutsideName | None = None
    changed_at: datetime | None = None
    ran_seconds: float | None = None


class PodReading(Value):
    """A pod that the workload made, as the cluster sees it. A StatefulSet gives a name again, and no uid."""

    name: OutsideName
    uid: OutsideName = ""
    phase: OutsideName
    ready: bool
    containers: tuple[ContainerReading, ...] = ()
    revision: OutsideName | None = None
    terminating: bool = False


class Rollout(Value):
    """A revision of the workload and when it was rolled out."""

    revision: OutsideName
    created_at: datetime
    image: OutsideLine = ""


class WorkloadReading(Value):
    """The integration's workload: replicas, its own pods, switches and revisions (newest last).

    `container` is the integration's own, `memory_limits` are those of the template's containers.
    `not_counted` are the pods that the selector finds beside the workload's living ones, with the reasons.
    `waits_for` is the pod of an older revision that must be deleted before the newest rollout goes on.
    `at` is the cluster's own time of the reading (aware UTC), `None` where it did not say.
    """

    target: OutsideLine
    container: OutsideName = ""
    desired: int
    ready: int
    updated: int
    paused: bool = False
    pods: tuple[PodReading, ...] = ()
    switches: OutsideTexts = {}
    memory_limits: dict[OutsideName, OutsideName] = {}
    rollouts: tuple[Rollout, ...] = ()
    events: tuple[OutsideLine, ...] = ()
    not_counted: dict[OutsideName, OutsideLine] = {}
    waits_for: OutsideName = ""
    at: datetime | None = None
