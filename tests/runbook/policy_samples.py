"""Public keys of people in a policy, and incidents that were opened under one."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runbook.approvals.signatures import public_text
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.permissions import Permissions
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, OPENED
from tests.runbook.questions import with_questions

ONE, TWO = (
    public_text(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32).public_key()) for number in (1, 2)
)


def opened_with(policy: Policy | None, *events: e.Event, alert: Any = ALERT) -> Incident:
    """An incident that was opened under a policy; `None` is one of an earlier release, which noted none."""
    permissions = Permissions.of(policy) if policy else None
    journal = [e.IncidentOpened(alert=alert, permissions=permissions), *with_questions(events)]
    recorded = [e.Recorded(seq=n, at=OPENED, event=event) for n, event in enumerate(journal)]
    return Incident.from_events("inc-1", recorded)
