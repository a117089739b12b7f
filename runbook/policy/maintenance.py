"""Whether an incident began within a known maintenance: always noted, and where so set nobody is paged."""

from runbook.checks.findings import Findings
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.incidents.events import MaintenanceNoted
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy


def maintenance_of(incident: Incident, findings: Findings, policy: Policy) -> MaintenanceNoted | None:
    """The maintenance that the incident began in: a configured one, else one that the status page lists."""
    configured = [item for item in policy.maintenance if item.covers(incident.service, incident.opened_at)]
    if configured:
        return MaintenanceNoted(
            source="configured",
            title=", ".join(item.title for item in configured),
            until=max(item.ends for item in configured),
            paging_suppressed=any(item.suppress_paging for item in configured),
        )
    listed = findings.facts(STATUS_PAGE).maintenances
    if not listed:
        return None
    return MaintenanceNoted(
        source="status-page",
        title=", ".join(listed),
        until=None,
        paging_suppressed=policy.listed_maintenance_suppresses_paging,
    )
