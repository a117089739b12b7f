"""The incidents of one environment that a schedule has to look at; a store may hold those of several."""

from collections.abc import Iterable
from datetime import datetime

from blocks.environment import Environment
from blocks.store import lists as store_lists
from runbook.evidence.manifest import collection_name
from runbook.incidents.incident import Incident
from runbook.incidents.loose_ends import switches_left_on


async def open_incidents(
    environment: Environment, *, or_closed_since: datetime | None = None
) -> list[Incident]:
    """Every open incident, and every one that was closed since then (aware UTC), newest first.

    Raises:
        Unavailable: the store cannot be reached.
    """
    found = await store_lists.open_incidents(environment.store, or_closed_since=or_closed_since)
    return _of(environment, found)


async def incidents_with_switches(environment: Environment) -> list[Incident]:
    """Every incident that may have left a temporary switch on, open or ended, newest first.

    A closed one of which nothing is left on is noted as such, and not read again.

    Raises:
        Unavailable: the store cannot be reached.
    """
    found = await store_lists.incidents_with_switches(environment.store)
    over = [incident.id for incident in found if incident.closed and not switches_left_on(incident)]
    if over:
        await store_lists.note_switches_off(environment.store, over)
    return _of(environment, found)


async def incidents_with_public_texts(environment: Environment, *, closed_since: datetime) -> list[Incident]:
    """Every incident that was closed since then (aware UTC) and that has proposed a text for the public.

    Raises:
        Unavailable: the store cannot be reached.
    """
    return _of(
        environment,
        await store_lists.incidents_with_public_texts(environment.store, closed_since=closed_since),
    )


async def incidents_to_collect_from(environment: Environment) -> list[Incident]:
    """Every resolved incident whose evidence is not complete yet, newest first.

    Raises:
        Unavailable: the store cannot be reached.
    """
    due = environment.runbook_policy.policy.evidence_due_seconds
    lacking = await store_lists.incidents_that_lack(environment.store, map(collection_name, due))
    return _of(environment, lacking)


def _of(environment: Environment, incidents: Iterable[Incident]) -> list[Incident]:
    return [incident for incident in incidents if incident.environment == environment.name]
