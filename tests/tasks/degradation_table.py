"""What is to happen where an outside system fails: the one table that is tested, and that people read.

`deployments/degradation.md` holds these rows word for word.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from runbook.actions.spec import ActionName
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.checks.findings import Status
from runbook.checks.spec import CheckName
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.checks.specs.workload import WORKLOAD
from tests.fixtures.faulty_server import WireFault


class System(StrEnum):
    """An outside system, alone or with what stands in for it."""

    STATUS_PAGE = "PostHog's status page"
    STATUS_PAGE_MIRRORED = "PostHog's status page, with a mirror"
    POSTHOG = "PostHog API"
    INTEGRATION = "Integration's health endpoint"
    PROMETHEUS = "Prometheus"
    PROMETHEUS_BACKED_UP = "Prometheus, with a backup"
    KUBERNETES = "Kubernetes API"
    SLACK = "Slack"
    STATUSPAGE = "Status page publisher: Statuspage"
    INCIDENT_IO = "Status page publisher: incident.io"
    PAGERDUTY = "PagerDuty"


FAULTS = tuple(fault for fault in WireFault if fault is not WireFault.NONE)
CLOCKS = (WireFault.CLOCK_BEHIND, WireFault.CLOCK_AHEAD)
WITHOUT_END = (WireFault.HANGING, WireFault.DRIP)
NO_GOOD_ANSWER = tuple(fault for fault in FAULTS if fault not in CLOCKS)
NOT_EVEN_AN_ERROR = tuple(fault for fault in NO_GOOD_ANSWER if fault is not WireFault.ERROR_500)
NEVER_THERE = (WireFault.REFUSED, *(fault for fault in FAULTS if fault in ("wrong certificate", "no TLS")))
AMBIGUOUS = tuple(fault for fault in NO_GOOD_ANSWER if fault not in NEVER_THERE)

_NAMES = {
    FAULTS: "any",
    CLOCKS: "clock 15 min behind or ahead",
    NO_GOOD_ANSWER: "any but the clock",
    NOT_EVEN_AN_ERROR: "any but 500 and the clock",
    NEVER_THERE: "refused, wrong certificate, no TLS",
    AMBIGUOUS: "hanging, drip, 500, garbage, html, truncated JSON, connection closed early",
    (WireFault.ERROR_500,): "500",
}


@dataclass(frozen=True)
class Row:
    """What some faults of a system lead to.

    `statuses` are the checks that come out otherwise than without the fault, `changes` the changes that are
    planned beyond those; both are for the systems that are read.
    """

    system: System
    faults: tuple[WireFault, ...]
    does: str
    seen: str
    setting: str
    statuses: Mapping[CheckName, Status] = field(default_factory=dict)
    changes: frozenset[ActionName] = frozenset()

    @property
    def line(self) -> str:
        """The row of the document's table."""
        return f"| {self.system} | {_NAMES[self.faults]} | {self.does} | {self.seen} | {self.setting} |"


_UNKNOWN = Status.UNKNOWN
_BY_CLOCKS = "Continues unchanged: no decision depends on its times"
_NOT_SENT = "Journals the message as failed; notifies the other channels"
_IN_DOUBT = (
    "Checks whether the message is there; if that is not possible, journals it as unsettled; "
    "notifies the other channels"
)

ROWS = (
    Row(
        System.STATUS_PAGE,
        NO_GOOD_ANSWER,
        "Tries every other format and route, retries until the deadline; then the check is unknown",
        "“Status page: …” with each route's reason; with errors: nothing is changed, a person is paged",
        "`status_page.proxy`, `.fallback_urls`, `.timeout_seconds`; `policy.check_deadline_seconds`",
        {STATUS_PAGE.name: _UNKNOWN},
    ),
    Row(
        System.STATUS_PAGE,
        CLOCKS,
        _BY_CLOCKS,
        "The listed incidents, with the page's own times",
        "none",
    ),
    Row(
        System.STATUS_PAGE_MIRRORED,
        FAULTS,
        "Reads the mirror, within the share of the timeout that is left to it",
        "The finding names the route: `fallback 1`",
        "`status_page.fallback_urls`, `.proxy`, `.timeout_seconds`",
    ),
    Row(
        System.POSTHOG,
        NOT_EVEN_AN_ERROR,
        "The probe is unknown: it may be our own network. Of a truncated 401, only the status counts",
        "“PostHog: cannot be reached from here: …”",
        "`posthog.timeout_seconds`, `.probe_path`",
        {PROBE.name: _UNKNOWN},
    ),
    Row(
        System.POSTHOG,
        (WireFault.ERROR_500,),
        "Confirmed by a second request, it is what the probe looks for: PostHog fails. The "
        "fallback is planned and needs approval",
        "“server error (HTTP 500)”",
        "`policy.preapproved`",
        {PROBE.name: Status.BAD},
        frozenset({ENABLE_FALLBACK.name}),
    ),
    Row(System.POSTHOG, CLOCKS, _BY_CLOCKS, "“accepts our key”", "none"),
    Row(
        System.INTEGRATION,
        NOT_EVEN_AN_ERROR,
        "The check is unknown after its retries. Of a truncated 503, only the status counts",
        "“Integration health: …” with the reason; nothing is over before it answers",
        "`integration.timeout_seconds`, `policy.check_deadline_seconds`",
        {HEALTH.name: _UNKNOWN},
    ),
    Row(
        System.INTEGRATION,
        (WireFault.ERROR_500,),
        "The check is bad: the service is unhealthy. A restart is planned and needs approval",
        "“answers HTTP 500”",
        "`integration.health_url`, `policy.approvals`",
        {HEALTH.name: Status.BAD},
        frozenset({RESTART_DEPLOYMENT.name}),
    ),
    Row(System.INTEGRATION, CLOCKS, _BY_CLOCKS, "“says healthy”", "none"),
    Row(
        System.PROMETHEUS,
        FAULTS,
        "The error rate is unknown; complete logs replace it. An answer for a different time is ignored",
        "“Prometheus: …” with the reason; nothing is over before it answers",
        "`prometheus.backup_urls`, `.timeout_seconds`, `.clock_tolerance_seconds`",
        {ERROR_RATE.name: _UNKNOWN},
    ),
    Row(
        System.PROMETHEUS_BACKED_UP,
        FAULTS,
        "Reads the backup, within the share of the timeout that is left to it",
        "The finding names the server that answered",
        "`prometheus.backup_urls`, `.timeout_seconds`",
    ),
    Row(
        System.KUBERNETES,
        NO_GOOD_ANSWER,
        "Logs and workload are unknown; the probe tries the configured key, not the stored one",
        "“Kubernetes: …” with the reason; an approved change waits, as for its rollout, within its time; "
        "another is blocked",
        "`cluster.timeout_seconds`, `posthog.api_key`, `policy.approval_outage_seconds`, "
        "`.rollout_deadline_seconds`",
        {LOGS.name: _UNKNOWN, WORKLOAD.name: _UNKNOWN, PROBE.name: Status.OK},
    ),
    Row(
        System.KUBERNETES,
        CLOCKS,
        "Continues: ages of kills, logs and rollouts are computed from the API server's own "
        "clock, its `Date`",
        "The same findings as with right clocks",
        "none",
    ),
    *(
        row
        for system in (System.SLACK, System.STATUSPAGE, System.INCIDENT_IO)
        for row in (
            Row(
                system,
                NEVER_THERE,
                _NOT_SENT,
                "The effect with its reason, in timeline and post-mortem",
                "`timeout_seconds` of its section",
            ),
            Row(
                system,
                AMBIGUOUS,
                _IN_DOUBT,
                "The effect with both reasons, in timeline and post-mortem",
                "`timeout_seconds` of its section",
            ),
            Row(system, CLOCKS, _BY_CLOCKS, "The message", "none"),
        )
    ),
    Row(
        System.PAGERDUTY,
        NO_GOOD_ANSWER,
        "Only PagerDuty's own confirmation counts; otherwise the page failed, and is sent again "
        "when asked for again",
        "The page in the channel, and the failed effect in timeline and post-mortem",
        "`pager.timeout_seconds`",
    ),
    Row(System.PAGERDUTY, CLOCKS, _BY_CLOCKS, "The page", "none"),
)


def row_of(system: System, fault: WireFault) -> Row:
    """The row of a cell.

    Raises:
        ValueError: there is none, or more than one.
    """
    (row,) = (row for row in ROWS if row.system is system and fault in row.faults)
    return row
