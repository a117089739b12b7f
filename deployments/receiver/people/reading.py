"""The receiver's API for people, where it is read: the incidents, one of them, and what it asks.

Whoever may answer through the receiver may read what is asked, with the same proofs. Nobody else learns
whether an incident exists.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from blocks.store.tail import events_after
from blocks.transport.errors import OutsideError
from deployments.processes.json_log import log_event
from deployments.receiver.connections.body import Rejected
from deployments.receiver.people.requests import PeoplesDoor, environments, known, log, refused
from deployments.services.environments import policy_of
from deployments.services.finding import SEARCHED, find_own
from deployments.services.reading import (
    events_document,
    incident_document,
    list_document,
    packet_document,
    support_document,
)
from deployments.services.refusals import ActRefused, Refusal
from deployments.settings.settings import Settings
from runbook.incidents.events import IncidentOpened
from runbook.incidents.ids import INCIDENT_ID
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy

LONGEST_LIST = 100

MOST_NEWER = 50
"""Events in one answer to who follows an incident; who has read those asks for the next."""

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""What is asked now is not what was asked a moment ago, and a browser shows none of it as a page."""

Make = Callable[[Incident, Policy, datetime], str]
Read = Callable[[PeoplesDoor, Request, Settings], Awaitable[str]]


async def _list(door: PeoplesDoor, request: Request, settings: Settings) -> str:
    only_open, limit = _wanted(request)
    mine: list[Incident] = []
    for searched in (limit, SEARCHED):  # far back only where other environments have incidents in this store
        found = await door.store.incidents(only_open=only_open, limit=searched)
        mine = [item for item in found if item.environment in environments(settings)]
        if len(mine) >= limit or len(found) < searched:
            break
    return await asyncio.to_thread(list_document, mine[:limit], settings.policy)


def _wanted(request: Request) -> tuple[bool, int]:
    """Whether closed incidents are left out, and how many are listed at most.

    Raises:
        Rejected: that is not what a query may say.
    """
    asked = request.query_params
    advice = f"Use ?open=true, and a limit from 1 to {LONGEST_LIST}"
    limit = asked.get("limit", "20")
    wrong = set(asked) - {"open", "limit"} or asked.get("open", "true") not in ("true", "false")
    if wrong or not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= LONGEST_LIST):
        raise Rejected(422, "invalid", "the query is not valid", advice)
    return asked.get("open") == "true", int(limit)


async def _one(door: PeoplesDoor, request: Request, settings: Settings) -> str:
    reference = str(request.path_params["reference"])
    found = await find_own(door.store, reference, environments(settings))
    try:
        policy = await policy_of(found, settings.prefect.environment, settings.policy)
    except OutsideError:  # who reads wants to know what is asked, also while Prefect is away
        policy = settings.policy
    return await asyncio.to_thread(incident_document, found, policy)


async def _packet(door: PeoplesDoor, request: Request, settings: Settings) -> str:
    return await _made_by(packet_document, door, request, settings)


async def _support(door: PeoplesDoor, request: Request, settings: Settings) -> str:
    return await _made_by(support_document, door, request, settings)


async def _made_by(make: Make, door: PeoplesDoor, request: Request, settings: Settings) -> str:
    found = await find_own(door.store, str(request.path_params["reference"]), environments(settings))
    try:
        policy = await policy_of(found, settings.prefect.environment, settings.policy)
    except OutsideError:  # colleagues do not wait for Prefect
        policy = settings.policy
    return await asyncio.to_thread(make, found, policy, datetime.now(UTC))


async def _newer(door: PeoplesDoor, request: Request, settings: Settings) -> str:
    incident, after = str(request.path_params["reference"]), request.query_params.get("after", "0")
    if set(request.query_params) - {"after"} or not (after.isascii() and after.isdecimal()):
        raise Rejected(422, "invalid", "the query is not valid", "Use ?after= and a place in the journal")
    if INCIDENT_ID.fullmatch(incident) is None:  # `latest`, or the beginning of an id
        incident = (await find_own(door.store, incident, environments(settings))).id
    first = await events_after(door.store, incident, 0, limit=1)
    opening = first[0].event if first else None
    if not isinstance(opening, IncidentOpened) or opening.environment not in environments(settings):
        raise ActRefused(Refusal.NOT_FOUND, f"no incident {incident!r}", "`runbook incidents` lists them")
    newer = await events_after(door.store, incident, int(after[:9]), limit=MOST_NEWER)
    return await asyncio.to_thread(events_document, incident, newer)


def add_people_reading(
    app: FastAPI, door: PeoplesDoor, *, description: str, responses: dict[int | str, dict[str, Any]]
) -> None:
    """Add the paths to read. `responses` are the refusals that are the same as for an act."""
    _add(app, door, "/api/incidents", "List the newest incidents", _list, description, responses)
    _add(app, door, "/api/incidents/{reference}", "Read an incident", _one, description, responses)
    path = "/api/incidents/{reference}/handover"
    _add(app, door, path, "Read what the next lead has to know", _packet, description, responses)
    path = "/api/incidents/{reference}/support"
    _add(app, door, path, "Read what support may tell users", _support, description, responses)
    path = "/api/incidents/{reference}/events"
    _add(app, door, path, "Read the newer events of an incident", _newer, description, responses)


def _add(
    app: FastAPI,
    door: PeoplesDoor,
    path: str,
    summary: str,
    read: Read,
    description: str,
    responses: dict[int | str, dict[str, Any]],
) -> None:
    async def take(request: Request) -> Response:
        try:
            speaker, settings = await known(door, request)
            async with door.reading:
                document = await read(door, request, settings)
        except (ActRefused, Rejected, OutsideError) as error:
            answer = refused(error)
            log_event(log, "reading refused", status=answer.status_code, error=str(error))
            return answer
        log_event(log, "read", by=speaker.name, how=speaker.identity.how.value)
        return Response(document, media_type="application/json", headers=_HEADERS)

    app.get(
        path,
        summary=summary,
        description=description,
        tags=["people"],
        responses={200: {"description": "As `--json` of `runbook incidents` and `incident`."}, **responses},
        response_class=Response,
        name=summary,
    )(take)
