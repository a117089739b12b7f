"""What the platform team decides once: thresholds, clocks, names and what may happen without asking.

All durations are seconds, all rates per second, unless the name says otherwise.
"""

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field, field_validator, model_validator

from runbook.actions.catalogue import CATALOGUE, KnownName
from runbook.actions.spec import ActionKind, ActionName, Risk
from runbook.actions.switch import Switch
from runbook.approvals.people import Person, people_flaw
from runbook.approvals.rules import NO_KEY, ActRule, ApprovalRule
from runbook.approvals.signatures import public_key, public_text
from runbook.decision.severity import Severity
from runbook.kubernetes.quantities import memory_bytes
from runbook.policy.business_hours import BusinessCalendar
from runbook.policy.keep_days import KeepDays
from runbook.value import Value


class MaintenanceWindow(Value):
    """Work that was announced: what breaks meanwhile was to be expected."""

    title: str = Field(title="Title", description="What is being done.")
    starts: AwareDatetime = Field(title="Starts", description="With its offset: 2026-12-24T22:00:00+01:00.")
    ends: AwareDatetime = Field(title="Ends", description="With its offset; from then on it counts no more.")
    services: tuple[str, ...] = Field(
        default=(), title="Services", description="The services that it is about; empty means all."
    )
    suppress_paging: bool = Field(
        default=False,
        title="Suppress paging",
        description="Whether nobody is paged for the opening of an incident; it is recorded all the same.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> "MaintenanceWindow":
        if self.ends <= self.starts:
            raise ValueError("it ends before it starts")
        return self

    def covers(self, service: str, at: datetime) -> bool:
        """Whether the service is under maintenance at that time (aware)."""
        return self.starts <= at < self.ends and (not self.services or service in self.services)


class Policy(Value):
    """The configuration of the rules. Every default is the runbook's own value, or says where it is from."""

    service: str = Field(
        default="posthog-integration",
        title="Service",
        description="The service that this configuration is about; alerts name it in their `service` label.",
    )
    error_rate_threshold: float = Field(
        default=0.1,
        ge=0,
        title="Error rate threshold",
        description="Errors per second (5 min rate) above which PostHog counts as returning errors.",
    )
    complete_outage_share: float = Field(
        default=0.9,
        gt=0,
        le=1,
        title="Complete outage share",
        description="Share of failing requests from which the outage counts as complete (P1).",
    )
    log_error_threshold: int = Field(
        default=3,
        ge=1,
        title="Log error threshold",
        description="Error lines in the window from which the logs count as bad.",
    )
    log_window_seconds: int = Field(
        default=300,
        ge=1,
        title="Log window",
        description="How far back recent logs are read: the runbook's `--since=5m`.",
    )
    recent_rollout_seconds: int = Field(
        default=3600,
        ge=1,
        title="Recent rollout",
        description="A rollout that is not older than this when the alert fires is a suspect.",
    )
    healthy_words: tuple[str, ...] = Field(
        default=("healthy", "ok", "up", "operational", "pass"),
        title="Healthy words",
        description="Words of the health endpoint for all is well, beside those that the runbook knows.",
    )
    check_deadline_seconds: float = Field(
        default=10,
        gt=0,
        title="Check deadline",
        description="How long one triage check may take, retries and fallbacks included.",
    )
    queue_switch: Switch = Field(
        default=Switch(variable="RATE_LIMIT_MODE", value="queue"),
        title="Queue switch",
        description="The runbook's RATE_LIMIT_MODE=queue.",
    )
    fallback_switch: Switch = Field(
        default=Switch(variable="POSTHOG_FALLBACK", value="true"),
        title="Fallback switch",
        description="The runbook's POSTHOG_FALLBACK=true.",
    )
    replacement_key_block: str = Field(
        default="posthog-replacement-key",
        title="Replacement key",
        description="Name of the Prefect Secret block that holds the new API key, never typed into a form.",
    )
    approvals: dict[Risk, ApprovalRule] = Field(
        default={Risk.HIGH: ApprovalRule(accept_unverified=False)},
        title="Approvals",
        description=(
            "Who may approve what, by risk: low, medium, high. What is not named, anybody may; high-risk "
            "changes and rules for two people take proven identities unless accept_unverified is set there."
        ),
    )
    acts: ActRule = Field(
        default=ActRule(),
        title="Acts",
        description="Who may set a severity and hand the response back. By default anybody, as a claim too.",
    )
    people: dict[str, Person] = Field(
        default={},
        title="People",
        description="Known people by name, with their logins and signing keys.",
    )
    receiver_keys: tuple[str, ...] = Field(
        default=(),
        title="Receiver keys",
        description="The receiver's public keys; with one, what it has proven counts only if it is signed.",
    )
    preapproved: dict[KnownName, tuple[Severity, ...]] = Field(
        default={},
        title="Pre-approved",
        description="Low-risk actions that need no approval at these severities. Off by default.",
    )
    undo_needs_approval: bool = Field(
        default=False,
        title="Undo needs approval",
        description="Ask again before a change that did not help is undone; else its approval covers that.",
    )
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
        description="After so many changes an incident is left to people; undoing is not limited.",
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
        description="A run that has shown no sign of life for so long is continued by another process.",
    )
    continuations_per_hour: int = Field(
        default=5,
        ge=0,
        title="Continuations per hour",
        description="After so many continuations an incident's run is left alone, and a person is called.",
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
        description="How often the recovery is looked at.",
    )
    watch_limit_seconds: float = Field(
        default=6 * 3600,
        gt=0,
        title="Watch limit",
        description="How long the runbook watches before it calls a person and stops.",
    )
    update_interval_minutes: dict[Severity, int] = Field(
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
    page_from: Severity | None = Field(
        default=Severity.P2,
        title="Page from",
        description="Page a person at opening from this severity upwards; escalations always page.",
    )
    maintenance: tuple[MaintenanceWindow, ...] = Field(
        default=(),
        title="Maintenance",
        description="Announced work; incidents that begin meanwhile are noted as such.",
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
    calendar: BusinessCalendar = Field(
        default=BusinessCalendar(),
        title="Business calendar",
        description="Time zone, business hours and holidays that `next business day` goes by.",
    )

    @field_validator("approvals")
    @classmethod
    def _strict_unless_said(cls, value: dict[Risk, ApprovalRule]) -> dict[Risk, ApprovalRule]:
        """A rule about something else does not loosen the default for high-risk changes.

        Two people who are each a claim may be one, so a rule for two takes proven ones as well.
        """
        strict = {Risk.HIGH: value.get(Risk.HIGH, ApprovalRule())}
        strict |= {risk: rule for risk, rule in value.items() if rule.count > 1}
        return value | {
            risk: rule.model_copy(update={"accept_unverified": False})
            for risk, rule in strict.items()
            if "accept_unverified" not in rule.model_fields_set
        }

    @field_validator("people")
    @classmethod
    def _told_apart(cls, value: dict[str, Person]) -> dict[str, Person]:
        if flaw := people_flaw(value):
            raise ValueError(flaw)
        owners: dict[str, str] = {}
        for name, person in value.items():
            for key in person.public_keys:
                if owners.setdefault(public_text(public_key(key)), name) != name:
                    raise ValueError(f"{name} and {owners[public_text(public_key(key))]} have the same key")
        return value

    @field_validator("receiver_keys")
    @classmethod
    def _are_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for key in () if value == (NO_KEY,) else value:
            public_key(key)
        return value

    @field_validator("preapproved")
    @classmethod
    def _only_low_risk(
        cls, value: dict[ActionName, tuple[Severity, ...]]
    ) -> dict[ActionName, tuple[Severity, ...]]:
        for name in value:
            spec = CATALOGUE[name]
            if spec.kind is not ActionKind.CHANGE or spec.risk is not Risk.LOW:
                raise ValueError(f"{name} is not a low-risk change: it needs a person's approval")
        return value

    @field_validator("memory_ceiling")
    @classmethod
    def _is_memory(cls, value: str) -> str:
        memory_bytes(value)
        return value

    def rule_for(self, risk: Risk) -> ApprovalRule:
        """Who may approve changes of this risk."""
        return self.approvals.get(risk, ApprovalRule())

    def next_update_in(self, severity: Severity) -> timedelta:
        """The promise made in every internal update."""
        return timedelta(minutes=self.update_interval_minutes.get(severity, 60))

    def publishes(self, severity: Severity) -> bool:
        """Whether an incident of this severity goes onto the public status page."""
        return self.publish_from is not None and severity.rank <= self.publish_from.rank

    def pages(self, severity: Severity) -> bool:
        """Whether an incident of this severity pages a person when it is opened."""
        return self.page_from is not None and severity.rank <= self.page_from.rank
