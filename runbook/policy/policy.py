"""What the platform team decides once: thresholds, clocks, names and what may happen without asking.

All durations are seconds, all rates per second, unless the name says otherwise.
"""

from datetime import timedelta

from pydantic import Field, field_validator

from runbook.decision.severity import Severity
from runbook.kubernetes.quantities import memory_bytes
from runbook.policy.approval_policy import ApprovalPolicy
from runbook.policy.clock_policy import ClockPolicy, Minutes
from runbook.policy.keep_days import KeepDays
from runbook.policy.maintenance_window import MaintenanceWindow
from runbook.policy.public_policy import PublicPolicy
from runbook.policy.service_policy import ServicePolicy


class Policy(ApprovalPolicy, ServicePolicy, ClockPolicy):
    """The configuration of the rules. Every default is the runbook's own value, or says where it is from."""

    dry_run_only: bool = Field(
        default=False,
        title="Dry run only",
        description="Run everything to the point of changing the cluster, and stop there.",
    )
    remind_after_seconds: int = Field(
        default=300,
        ge=1,
        title="Remind after",
        description="How long a gate stays unanswered until the channel is reminded.",
    )
    escalate_after_seconds: int = Field(
        default=900,
        ge=1,
        title="Escalate after",
        description="How long a gate stays unanswered until a person is paged; nothing is applied for it.",
    )
    approval_outage_seconds: float = Field(
        default=900,
        ge=0,
        title="Approval in an outage",
        description="How long an approval holds while the cluster does not answer; then it is asked again.",
    )
    changes_per_incident: int = Field(
        default=6,
        ge=0,
        title="Changes per incident",
        description="After this many changes an incident is left to people; undoing is not limited.",
    )
    changes_per_hour: int = Field(
        default=12,
        ge=0,
        title="Changes per hour",
        description="The same for all incidents of this environment within an hour.",
    )
    memory_ceiling: str = Field(
        default="2Gi",
        title="Memory ceiling",
        description="A memory limit is never raised above this.",
    )
    replicas_ceiling: int = Field(
        default=10,
        ge=1,
        title="Replicas ceiling",
        description="The workload is never scaled above this number of pods.",
    )
    takeover_after_seconds: float = Field(
        default=30,
        ge=1,
        title="Take over after",
        description="A run that has not responded for this long is continued by another process.",
    )
    continuations_per_hour: int = Field(
        default=5,
        ge=0,
        title="Continuations per hour",
        description="After this many continuations an incident's run is left alone, and a person is paged.",
    )
    hold_seconds: float = Field(
        default=60,
        ge=0,
        title="Hold window",
        description="How long the success of a change has to hold before it counts.",
    )
    rollout_deadline_seconds: float = Field(
        default=300,
        gt=0,
        title="Rollout deadline",
        description="How long a rollout may take before it counts as failed.",
    )
    success_deadline_seconds: float = Field(
        default=600,
        gt=0,
        title="Success deadline",
        description="How long after a change its success may take to show.",
    )
    settle_seconds: float = Field(
        default=300,
        ge=0,
        title="Settling time",
        description="How long the error rate must stay under its threshold before the incident is over.",
    )
    watch_poll_seconds: float = Field(
        default=15,
        gt=0,
        title="Watch interval",
        description="How often the recovery is checked.",
    )
    watch_limit_seconds: float = Field(
        default=6 * 3600,
        gt=0,
        title="Watch limit",
        description="How long the runbook watches before it pages a person, and looks more slowly.",
    )
    look_again_seconds: float = Field(
        default=300,
        gt=0,
        title="Look again after",
        description="How soon the checks are made again while a person is waited for; then ever later.",
    )
    look_again_limit_seconds: float = Field(
        default=3600,
        gt=0,
        title="Look again at least every",
        description="The longest pause between two looks at an open incident.",
    )
    facts_hold_seconds: float = Field(
        default=60,
        ge=0,
        title="Facts hold",
        description="How long other facts have to hold until the runbook decides anew.",
    )
    update_interval_minutes: dict[Severity, Minutes] = Field(
        default={Severity.P1: 15, Severity.P2: 30, Severity.P3: 120, Severity.P4: 24 * 60},
        title="Update intervals",
        description="Minutes until the next promised update, by severity.",
    )
    incident_commander: str = Field(
        default="on-call",
        title="Incident commander",
        description="Who is named as incident commander until someone takes over.",
    )
    announce: bool = Field(
        default=True,
        title="Announce internally",
        description="Post the internal updates without asking (recorded as policy:announce).",
    )
    publish_from: Severity | None = Field(
        default=Severity.P2,
        title="Publish from",
        description="Publish on the status page from this severity upwards; none never publishes.",
    )
    public: PublicPolicy = Field(
        default=PublicPolicy(),
        title="Public",
        description="What a public text may not say, and of which severities it goes out without a person.",
    )
    page_from: Severity | None = Field(
        default=Severity.P2,
        title="Page from",
        description="Page a person at opening from this severity upwards; escalations always page.",
    )
    maintenance: tuple[MaintenanceWindow, ...] = Field(
        default=(),
        title="Maintenance",
        description="Announced work; incidents that begin during it are marked as such.",
    )
    listed_maintenance_suppresses_paging: bool = Field(
        default=False,
        title="Listed maintenance suppresses paging",
        description="The same for maintenance that PostHog's status page lists as running.",
    )
    flapping_quiet_seconds: float = Field(
        default=900,
        ge=0,
        title="Quiet after flapping",
        description="How long no alert may begin before an incident marked as flapping is over.",
    )
    evidence_due_seconds: tuple[int, ...] = Field(
        default=(0, 3600, 24 * 3600),
        title="Evidence due",
        description="When evidence is collected, counted from the resolution: at once, +1 h, +24 h.",
    )
    evidence_window_seconds: int = Field(
        default=3600,
        ge=60,
        title="Evidence window",
        description="Logs and metrics from this long before the alert are kept: the runbook's `--since=1h`.",
    )
    keep_days: KeepDays = Field(
        default=KeepDays(),
        title="Keep",
        description="How many days closed incidents and their evidence are kept; all for ever by default.",
    )

    @field_validator("memory_ceiling")
    @classmethod
    def _is_memory(cls, value: str) -> str:
        memory_bytes(value)
        return value

    def next_update_in(self, severity: Severity) -> timedelta:
        """The promise made in every internal update."""
        return timedelta(minutes=self.update_interval_minutes.get(severity, 60))

    def publishes(self, severity: Severity) -> bool:
        """Whether an incident of this severity goes onto the public status page."""
        return self.publish_from is not None and severity.rank <= self.publish_from.rank

    @property
    def publish_without_asking(self) -> tuple[Severity, ...]:
        """The severities whose public texts go out without a person."""
        return self.public.publish_without_asking

    def pages(self, severity: Severity) -> bool:
        """Whether an incident of this severity pages a person when it is opened."""
        return self.page_from is not None and severity.rank <= self.page_from.rank
