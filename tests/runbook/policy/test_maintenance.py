"""Known maintenance: noted with what began in it, and a reason not to page only where that is set."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from runbook.checks.facts import RecordedFacts
from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.specs.status_page import STATUS_PAGE, StatusPageFacts
from runbook.incidents.events import MaintenanceNoted
from runbook.policy.maintenance import maintenance_of
from runbook.policy.maintenance_window import MaintenanceWindow
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, OPENED, incident

HOUR = timedelta(hours=1)


def window(*, services: tuple[str, ...] = (), suppress: bool = False, start: int = -1) -> MaintenanceWindow:
    """Two hours of announced work, which begin so many hours after the incident."""
    starts = OPENED + start * HOUR
    return MaintenanceWindow(
        title="Cluster upgrade",
        starts=starts,
        ends=starts + 2 * HOUR,
        services=services,
        suppress_paging=suppress,
    )


def listed(*names: str) -> Findings:
    """What the status page lists as running maintenance."""
    facts = RecordedFacts.of(StatusPageFacts(maintenances=names))
    page = Finding(
        check=STATUS_PAGE.name, status=Status.OK, summary="", facts=facts, observed_at=OPENED, seconds=0.1
    )
    return Findings(items=(page,))


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ((), None),
        ((window(),), False),
        ((window(suppress=True),), True),
        ((window(), window(suppress=True)), True),
        ((window(services=("other",)),), None),
        ((window(services=("other", ALERT.service)),), False),
        ((window(start=1),), None),
        ((window(start=-2),), None),
    ],
)
def test_an_incident_that_begins_in_announced_work_is_noted(
    configured: tuple[MaintenanceWindow, ...], expected: bool | None
) -> None:
    """For its services, from its start until its end; paging is suppressed where a window says so."""
    noted = maintenance_of(incident(), Findings(items=()), Policy(maintenance=configured))
    assert (noted.paging_suppressed if noted else None) == expected


@pytest.mark.parametrize("suppresses", [True, False])
def test_maintenance_that_posthog_lists_is_noted(suppresses: bool) -> None:
    """Whether it keeps the pager silent is the policy's to say."""
    policy = Policy(listed_maintenance_suppresses_paging=suppresses)
    assert maintenance_of(incident(), listed("EU upgrade"), policy) == MaintenanceNoted(
        source="status-page", title="EU upgrade", until=None, paging_suppressed=suppresses
    )
    assert maintenance_of(incident(), listed(), policy) is None


def test_a_window_that_ends_before_it_starts_is_a_mistake() -> None:
    """Nobody would notice that it never counts."""
    with pytest.raises(ValidationError, match="ends before it starts"):
        MaintenanceWindow(title="x", starts=OPENED, ends=OPENED - HOUR)
    with pytest.raises(ValidationError, match="timezone"):
        MaintenanceWindow(title="x", starts=datetime(2026, 1, 1), ends=datetime(2026, 1, 2, tzinfo=UTC))  # noqa: DTZ001
