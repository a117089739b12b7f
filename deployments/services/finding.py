"""Incidents by what a person types: an id, the beginning of one, or `latest`."""

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from deployments.services.refusals import ActRefused, Refusal
from runbook.outside_text import let_in_line

if TYPE_CHECKING:
    from blocks.store.journal import IncidentStore
    from runbook.incidents.incident import Incident

SHOWN = 5
"""How many of the incidents are named that a beginning of an id may mean."""

SHOWN_OF_REFERENCE = 100
"""Characters of what was typed."""

SEARCHED = 1000
"""How many of the newest open incidents are looked through for those that ask."""


async def find_incident(store: "IncidentStore", reference: str) -> "Incident":
    """The incident that is meant.

    Raises:
        ActRefused: none matches, or more than one does.
        Unavailable: the store cannot be reached.
    """
    from blocks.store.lists import ids_beginning_with

    if reference == "latest":
        newest = await store.incidents(limit=1)
        if not newest:
            raise ActRefused(
                Refusal.NOT_FOUND,
                "there is no incident yet",
                "`runbook drill` makes one, `runbook respond` opens one",
            )
        return newest[0]
    matches = await ids_beginning_with(store, reference, limit=SHOWN + 1)
    if len(matches) > 1 and reference in matches:
        matches = [reference]
    if len(matches) == 1:
        return await store.read(matches[0])
    if not matches:
        raise ActRefused(
            Refusal.NOT_FOUND,
            f"no incident {let_in_line(reference, SHOWN_OF_REFERENCE)!r}",
            "`runbook incidents` lists them",
        )
    number = str(len(matches)) if len(matches) <= SHOWN else f"more than {SHOWN}"
    raise ActRefused(
        Refusal.INVALID,
        f"{reference!r} is the beginning of {number} ids: {', '.join(matches[:SHOWN])}",
        "give more characters of the id",
    )


def require_own(found: "Incident", environments: AbstractSet[str]) -> None:
    """Make sure that an incident belongs to an environment whose policy and systems are known here.

    Raises:
        ActRefused: it belongs to another environment.
    """
    if found.environment not in environments:
        named = " or ".join(map(repr, sorted(environments)))
        raise ActRefused(
            Refusal.INVALID,
            f"{found.id} belongs to environment {found.environment!r}, not to {named}",
            f"give --environment {found.environment}, or the settings file of that environment",
        )


async def find_asking(
    store: "IncidentStore", reference: str, environments: AbstractSet[str], *, plan: str
) -> "Incident":
    """The incident whose question is answered: the one that is meant, as `find_own` finds it.

    An alert can open a newer incident between reading a question and answering it. So `latest` is taken only
    where no other incident asks, or where the answer names the plan that was seen.

    Raises:
        ActRefused: as `find_own`; or several ask, and it is not said which.
        Unavailable: the store cannot be reached.
    """
    found = await find_own(store, reference, environments)
    if reference != "latest" or plan or found.pending_gate is None:
        return found
    asking = [
        each.id
        for each in await store.incidents(only_open=True, limit=SEARCHED)
        if each.pending_gate is not None and each.environment in environments
    ]
    if len(asking) > 1:
        raise ActRefused(
            Refusal.INVALID,
            f"{len(asking)} incidents wait for an answer: {', '.join(asking[:5])}",
            "give the id of the incident, or the plan that you have seen",
        )
    return found


async def find_own(store: "IncidentStore", reference: str, environments: AbstractSet[str]) -> "Incident":
    """The incident that is meant, which belongs to one of these environments.

    Raises:
        ActRefused: none matches, more than one does, or it is another environment's.
        Unavailable: the store cannot be reached.
    """
    found = await find_incident(store, reference)
    require_own(found, environments)
    return found
