"""How an incident begins, and under which policy."""

from datetime import datetime
from typing import Literal

from runbook.alerts.alert import Alert
from runbook.incidents.events.base import JournalEvent
from runbook.outside_text import OutsideLine
from runbook.policy.permissions import PermissionChange, Permissions


class IncidentOpened(JournalEvent):
    """An alert or a person opened the incident.

    `recurrence_of` is the service's incident that was closed not long before, if any. `states_identities`:
    what people say in this journal tells how it is known who they are. Earlier releases' journals do not.
    `dry_run` is true for a rehearsal, which changes nothing and stays one to its end. `permissions` is what
    the policy permitted at that moment; journals of earlier releases have none, see `PolicyNoted`.
    """

    type: Literal["IncidentOpened"] = "IncidentOpened"
    alert: Alert
    environment: str = "default"
    recurrence_of: str = ""
    states_identities: bool = False
    dry_run: bool = False
    permissions: Permissions | None = None

    @property
    def journal_key(self) -> str:
        """An incident is opened once."""
        return "opened"


class MaintenanceNoted(JournalEvent):
    """The incident began within a known maintenance. `until` is aware UTC, `None` where it is open-ended.

    `source` is `configured` or `status-page`; `paging_suppressed` whether nobody is paged for its opening.
    """

    type: Literal["MaintenanceNoted"] = "MaintenanceNoted"
    source: str
    title: OutsideLine
    until: datetime | None
    paging_suppressed: bool

    @property
    def journal_key(self) -> str:
        """Once in an incident."""
        return "maintenance"


class PolicyNoted(JournalEvent):
    """What the policy permitted when a run of this release first saw an incident of an earlier one."""

    type: Literal["PolicyNoted"] = "PolicyNoted"
    permissions: Permissions

    @property
    def journal_key(self) -> str:
        """Before all edits, see `PolicyChanged.key_of`."""
        return "policy:0"


class PolicyChanged(JournalEvent):
    """The policy was edited while the incident was open. What the edit loosens does not apply to it."""

    type: Literal["PolicyChanged"] = "PolicyChanged"
    permissions: Permissions
    changes: tuple[PermissionChange, ...]

    @staticmethod
    def key_of(number: int) -> str:
        """The key of an edit, counted from 1."""
        return f"policy:{number}"
