"""Remove what is kept no longer. What dies in the middle is finished by the next run.

The evidence goes before the journal, which alone knows that there is any: whatever ends a removal early, the
incident is still found, and removed completely next time.
"""

from datetime import datetime

from blocks.environment import Environment
from blocks.files.evidence_folder import has_collections, remove_collections, remove_folder
from blocks.store.lists import open_incidents
from blocks.store.retention import closed_before, forget_messages, remove_incident
from runbook.evidence.retention import EPISODES_COUNT_FOR, Part, Removal, deliveries_count_since, removal
from runbook.incidents.events import NoteAdded
from tasks.incident import OpenIncident
from tasks.lease import duty


async def find_expired(environment: Environment, *, at: datetime) -> list[Removal]:
    """What of this environment's incidents is to be removed at that time (aware UTC), or kept past its time.

    Raises:
        Unavailable: the store cannot be reached.
        Refused: the evidence cannot be read.
    """
    store, policy = environment.store, environment.runbook_policy.policy
    shortest = policy.keep_days.shortest
    if shortest is None:
        return []
    still_open = await open_incidents(store)
    followed_by = {item.opened.recurrence_of: item.id for item in still_open}
    found = []
    for incident_id in await closed_before(store, at - shortest):
        if not policy.keep_days.incidents and not await has_collections(environment.evidence, incident_id):
            continue
        incident = await store.read(incident_id)
        follower = followed_by.get(incident_id, "")
        expired = removal(incident, followed_by=follower, policy=policy, now=at)
        if expired is not None and incident.environment == environment.name:
            found.append(expired)
    return found


async def remove(environment: Environment, expired: Removal, *, at: datetime) -> str:
    """Remove an incident, or its evidence; returns what was removed, empty where nothing was left to remove.

    Raises:
        Unavailable: the store cannot be reached.
        Refused: a file cannot be removed; then the journal stays, too.
    """
    if expired.part is Part.EVIDENCE:
        return await _remove_evidence(OpenIncident(id=expired.incident, environment=environment))
    await remove_folder(environment.evidence, expired.incident)
    removed = await remove_incident(
        environment.store, expired.incident, closed_before=at, leases=[duty(expired.incident)]
    )
    return f"{expired.incident} ({expired.service}) was removed with its evidence" if removed else ""


async def _remove_evidence(incident: OpenIncident) -> str:
    folder = incident.environment.evidence
    if not await has_collections(folder, incident.id):
        return ""
    # Before it happens: a journal that names files says why they are not there.
    days = incident.policy.keep_days.evidence
    note = NoteAdded(by="clean-up", text=f"the evidence is removed: it is kept for {days} days")
    await incident.record(note, key=note.EVIDENCE_REMOVED)
    await remove_collections(folder, incident.id)
    return f"the evidence of {incident.id} was removed"


async def forget(environment: Environment, *, at: datetime) -> str:
    """Remove what is known of messages that nobody will ask about; returns how much, empty for nothing.

    Raises:
        Unavailable: the store cannot be reached.
    """
    policy = environment.runbook_policy.policy
    if not policy.keep_days.incidents:
        return ""
    rows = await forget_messages(
        environment.store,
        deliveries_before=deliveries_count_since(policy, at),
        episodes_before=at - EPISODES_COUNT_FOR,
        alerts_before=deliveries_count_since(policy, at),
    )
    return f"{rows} records of received messages were removed" if rows else ""
