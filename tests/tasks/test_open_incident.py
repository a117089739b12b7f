"""Steps read and write their incident through one handle, with one clock."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from blocks.transport.errors import Refused
from runbook.caretaking.runs import newest_run
from runbook.decision.severity import Severity
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import (
    AlertJoined,
    AlertsResolved,
    Event,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
    NoteAdded,
    PolicyChanged,
    PolicyNoted,
)
from runbook.incidents.state import IncidentOutcome
from runbook.policy.permissions import PermissionChange, Permissions
from tasks.caretaking.in_doubt import read_changes_in_doubt
from tasks.caretaking.watchdog import note_policies
from tasks.channels.page import escalate
from tasks.evidence.collect import collect_evidence
from tasks.evidence.paper import leave_paper
from tasks.incident import OpenIncident
from tasks.incidents import open_incidents
from tasks.opening import close
from tasks.opening import open_incident as take_over
from tasks.postmortem import draft_postmortem
from tests.tasks.environments import ALERT, AT, environment, open_incident

NOTE = NoteAdded(by="ana", text="called PostHog support")


async def test_what_is_recorded_is_read_with_its_time(tmp_path: Path) -> None:
    """Events are stamped with the present moment in UTC."""
    incident = await open_incident(tmp_path)
    before = datetime.now(UTC)
    recorded = await incident.record(NOTE)
    read = await incident.read()
    assert (read.opened_at, read.journal[-1]) == (AT, recorded)
    assert before <= recorded.at <= datetime.now(UTC)
    assert recorded.at.tzinfo is UTC


async def test_key_makes_a_record_repeatable(tmp_path: Path) -> None:
    """A step that runs again writes nothing twice and sees what it wrote first."""
    incident = await open_incident(tmp_path)
    first = await incident.record(NOTE, key="note")
    assert await incident.record(NoteAdded(by="bob", text="other"), key="note") == first
    assert (await incident.read()).events(NoteAdded) == [NOTE]


async def test_policy_is_that_of_the_environment(tmp_path: Path) -> None:
    """Rules read the team's configuration, not the defaults."""
    incident = await open_incident(tmp_path, page_from=Severity.P1)
    assert incident.policy.page_from is Severity.P1


@pytest.mark.parametrize(("opened", "run"), [(True, False), (False, True)])
async def test_a_rehearsal_stays_one_and_an_incident_none(tmp_path: Path, opened: bool, run: bool) -> None:
    """A run that would make it the other is refused before it writes anything."""
    incident = await open_incident(tmp_path, dry_run=opened)
    before = await incident.read()
    with pytest.raises(Refused, match="is a rehearsal, which" if opened else "is no rehearsal, which"):
        await take_over(
            incident.environment, ALERT, incident_id=incident.id, flow_run_id=uuid4(), dry_run=run
        )
    assert await incident.read() == before


async def test_a_rehearsal_and_an_incident_of_one_service_are_open_at_once(tmp_path: Path) -> None:
    """Each has its run; a second of either kind joins its like."""
    at_work = environment(tmp_path)
    seen = []
    for dry_run in (True, False, True, False):
        opened, ours = await take_over(at_work, ALERT, incident_id=None, flow_run_id=uuid4(), dry_run=dry_run)
        journal = await opened.read()
        assert journal.dry_run is dry_run
        assert journal.opened.permissions == Permissions.of(at_work.runbook_policy.policy)
        seen.append((opened.id, ours))
    rehearsal, real, *again = seen
    assert (rehearsal[1], real[1]) == (True, True)
    assert again == [(rehearsal[0], False), (real[0], False)]


async def test_an_incident_is_worked_on_in_its_own_environment_only(tmp_path: Path) -> None:
    """Another one has another policy: whoever comes with it reads nothing and writes nothing."""
    incident = await open_incident(tmp_path, name="inc-1")
    before = await incident.read()
    lax = dataclasses.replace(incident.environment, name="lax")
    told = "inc-1 belongs to environment 'test', not to 'lax'"
    with pytest.raises(Refused, match=told):
        await take_over(lax, ALERT, incident_id="inc-1", flow_run_id=uuid4())
    foreign = OpenIncident(id="inc-1", environment=lax)
    for step in (
        collect_evidence(foreign, "by-hand"),
        draft_postmortem(foreign, again=True),
        leave_paper(foreign),
        escalate(foreign, Escalation(kind=EscalationKind.NOT_OVER), "it burns"),
        read_changes_in_doubt(foreign),
    ):
        with pytest.raises(Refused, match=told):
            await step
    assert await open_incidents(lax) == []
    assert await incident.read() == before


async def test_a_run_that_starts_again_in_another_environment_is_refused(tmp_path: Path) -> None:
    """The parameters of a run can be edited in Prefect while it sleeps."""
    run = uuid4()
    opened, _ = await take_over(environment(tmp_path), ALERT, incident_id=None, flow_run_id=run)
    lax = dataclasses.replace(opened.environment, name="lax")
    with pytest.raises(Refused, match="belongs to environment 'test'"):
        await take_over(lax, ALERT, incident_id=None, flow_run_id=run)


async def test_an_edit_of_the_policy_is_journalled_once(tmp_path: Path) -> None:
    """By the run that starts again, and by the watchdog's; the way back is an edit, too."""
    run = uuid4()
    strict = environment(tmp_path, changes_per_hour=1)
    opened, _ = await take_over(strict, ALERT, incident_id=None, flow_run_id=run)
    lax = dataclasses.replace(strict, runbook_policy=environment(tmp_path, changes_per_hour=9).runbook_policy)
    for at_work in (lax, lax, strict):
        again, _ = await take_over(at_work, ALERT, incident_id=None, flow_run_id=run)
        await note_policies(at_work)
        assert again.policy_in_force(await again.read()).changes_per_hour == 1
    journal = await opened.read()
    assert [event.changes for event in journal.events(PolicyChanged)] == [
        (PermissionChange(name="changes_per_hour", before="1", after="9", applied=False),),
        (PermissionChange(name="changes_per_hour", before="9", after="1", applied=True),),
    ]


async def test_the_policy_of_an_incident_of_the_release_before_is_noted_by_its_first_run(
    tmp_path: Path,
) -> None:
    """What was permitted at its opening is not known: what is permitted then holds from then on."""
    at_work = environment(tmp_path, changes_per_hour=1)
    await at_work.store.open_incident(ALERT, incident_id="old", at=AT, environment=at_work.name)
    run = uuid4()
    opened, _ = await take_over(at_work, ALERT, incident_id="old", flow_run_id=run)
    lax = dataclasses.replace(
        at_work, runbook_policy=environment(tmp_path, changes_per_hour=9).runbook_policy
    )
    await take_over(lax, ALERT, incident_id="old", flow_run_id=run)
    journal = await opened.read()
    assert journal.events(PolicyNoted) == [
        PolicyNoted(permissions=Permissions.of(at_work.runbook_policy.policy))
    ]
    assert OpenIncident(id="old", environment=lax).policy_in_force(journal).changes_per_hour == 1


@pytest.mark.parametrize("by", ["", "ana"])
async def test_an_alert_that_begins_while_its_incident_is_closed_reopens_it(tmp_path: Path, by: str) -> None:
    """It joined an incident to which nobody responds any more; whoever ended it did not know of it."""
    incident = await open_incident(tmp_path)
    await incident.record_once(IncidentResolved(outcome="recovered", because=(), by=by))
    await incident.record(AlertJoined(alert=ALERT))
    for _ in range(2):  # the process may die in between
        await close(incident, IncidentOutcome.RECOVERED)
    journal = await incident.read()
    assert (journal.closed, journal.reopened, newest_run(journal)) == (False, 1, None)
    assert journal.events(IncidentReopened)[0].because == f"{ALERT.name} fires again"


@pytest.mark.parametrize(
    ("end", "later"),
    [
        (IncidentResolved(outcome="recovered", because=()), ()),
        (
            IncidentResolved(outcome="recovered", because=()),
            (AlertJoined(alert=ALERT), AlertsResolved(alerts=1)),
        ),
        (IncidentMerged(into="inc-2", by="ana"), (AlertJoined(alert=ALERT),)),
    ],
)
async def test_an_incident_that_is_over_stays_closed(
    tmp_path: Path, end: Event, later: tuple[Event, ...]
) -> None:
    """No alert has begun since, or none fires; those of a merged one belong to the other."""
    incident = await open_incident(tmp_path)
    for event in (AlertJoined(alert=ALERT), end, *later):
        await incident.record(event)
    await close(incident, IncidentOutcome.RECOVERED)
    assert (await incident.read()).closed
