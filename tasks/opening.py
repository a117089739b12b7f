"""Opening and ending: how a run gets hold of its incident, and how it lets go."""

from uuid import UUID

from prefect.settings import PREFECT_UI_URL

from blocks.environment import Environment
from blocks.store.lists import open_incident_of
from blocks.store.overview import incident_of_run
from blocks.transport.errors import Refused
from blocks.transport.translating import bare_url
from runbook.actions.catalogue import PlannedAction
from runbook.alerts.alert import Alert
from runbook.incidents.events import (
    ApprovalWithdrawn,
    IncidentClosed,
    IncidentReopened,
    IncidentResolved,
    RunStarted,
)
from runbook.incidents.ids import new_incident_id
from runbook.incidents.incident import ALERTS_ENDED, Incident
from runbook.incidents.loose_ends import alert_since_end
from runbook.incidents.sentences import sentence
from runbook.incidents.state import IncidentOutcome
from runbook.policy.permissions import Permissions
from tasks.incident import OpenIncident, now
from tasks.story import tell


async def open_incident(
    environment: Environment,
    alert: Alert,
    *,
    incident_id: str | None,
    flow_run_id: UUID,
    dry_run: bool = False,
) -> tuple[OpenIncident, bool]:
    """Take over the incident that the receiver opened, or open one; note that this run works on it.

    Returns the incident and whether it is this run's: a run that was started by hand for a service whose
    incident another run works on has only joined it.

    Raises:
        UnknownIncident: `incident_id` names none.
        Refused: the incident belongs to another environment, or is a rehearsal while this run is not.
        Unavailable: the store cannot be reached.
    """
    store, ours = environment.store, True
    if incident_id is None:
        incident_id = await incident_of_run(store, str(flow_run_id))  # a run that starts again
    if incident_id is None:
        at = now()
        opened, ours = await store.open_incident(
            alert,
            incident_id=new_incident_id(at, flow_run_id.hex[:4]),
            at=at,
            environment=environment.name,
            dry_run=dry_run,
            permissions=Permissions.of(environment.runbook_policy.policy),
        )
        incident_id = opened.id
    incident = OpenIncident(id=incident_id, environment=environment)
    if ours:
        _require_same(await incident.read(), dry_run=dry_run)
        await incident.note_policy()
        ui = PREFECT_UI_URL.value()
        url = f"{bare_url(ui).rstrip('/')}/runs/flow-run/{flow_run_id}" if ui else ""
        started = RunStarted(flow_run_id=str(flow_run_id), url=url, dry_run=dry_run)
        await incident.record_once(started)
    tell_of_opening(await incident.read(), ours=ours)
    return incident, ours


def tell_of_opening(journal: Incident, *, ours: bool) -> None:
    """Say in the run's log which incident it works on, and why there is one."""
    how = "Works on" if ours else "Another run works on"
    tell(f"{how} {journal.id}: {sentence(journal.journal[0].event)}")


def _require_same(journal: Incident, *, dry_run: bool) -> None:
    if journal.dry_run != dry_run:
        what, wanted = ("a rehearsal", "true") if journal.dry_run else ("no rehearsal", "false")
        raise Refused(
            "incident store",
            f"{journal.id} is {what}, which is fixed at its opening",
            f"Start the run with dry_run {wanted}, or without an incident to open another one",
        )


async def withdraw_question(incident: OpenIncident) -> None:
    """Take back a question about an action that is not needed now, so that nobody is asked or reminded."""
    gate = (await incident.read()).needless_gate
    if gate is not None:
        event = ApprovalWithdrawn(gate=gate.gate, action_id=gate.action_id, because=ALERTS_ENDED)
        await incident.record_once(event)


async def withdraw_outdated_question(incident: OpenIncident, action: PlannedAction, because: str) -> None:
    """Take back a question about an action whose reason is gone, so that nobody is asked or reminded."""
    gate = (await incident.read()).pending_gate
    if gate is not None and gate.action_id == action.id:
        event = ApprovalWithdrawn(gate=gate.gate, action_id=gate.action_id, because=because)
        await incident.record_once(event)


async def resolve(
    incident: OpenIncident, outcome: IncidentOutcome, because: tuple[str, ...]
) -> IncidentOutcome:
    """Journal how the response ended; the first end stands."""
    await incident.fence()
    reopened = (await incident.read()).reopened
    await incident.record_once(IncidentResolved(outcome=outcome, because=because, reopened=reopened))
    return (await incident.read()).outcome or outcome


async def close(incident: OpenIncident, outcome: IncidentOutcome) -> None:
    """Nothing is left to do here: the next alert of the service opens a new incident.

    Where an alert has begun since the end, nobody has responded to it: then the incident is reopened at once.
    """
    await incident.fence()
    ended = await incident.read()
    if not ended.resolved:  # it has gone on meanwhile
        return
    reopened = ended.reopened
    await incident.record_once(IncidentClosed(outcome=outcome, reopened=reopened))
    journal = await incident.read()
    alert = alert_since_end(journal)
    if alert is None or journal.reopened > reopened:
        return
    open_now = await open_incident_of(incident.environment.store, journal.service, dry_run=journal.dry_run)
    if open_now is None:  # else its next message joins that one
        because = f"{alert.name} fires again"
        await incident.record_once(IncidentReopened(because=because, reopened=reopened + 1))
