"""A person's request to the receiver's API: whose it is, what it says, and the answer where it is refused.

The settings are read again for each request, so that somebody whose token, login or right was taken away is
refused without a restart.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import orjson
from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blocks.store.journal import IncidentStore
from blocks.transport.errors import OutsideError
from deployments.processes.json_log import log_event
from deployments.receiver.connections.body import Budget, Rejected, read_body
from deployments.receiver.connections.local_socket import PEER, Peer
from deployments.receiver.people.proving import NotProven, identify
from deployments.services.environments import named_by, policy_of
from deployments.services.refusals import ActRefused, Asked, Refusal
from deployments.services.speaker import Speaker
from deployments.settings.settings import ConfigurationError, Settings
from deployments.settings.signing_key import private_key
from runbook.approvals.names import spelling
from runbook.approvals.people import known_as
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from runbook.redaction import redact_secrets

MAX_BYTES = 16_384

PROVE = "Send your token as `Authorization: Bearer TOKEN`, log in at the proxy, or use the local socket"
"""What somebody can do who has proven nothing; it says nothing of what is set here."""

AT_ONCE = 2
"""Requests whose person is looked up at one time: the threads for that also write the alerts."""

READ_AT_ONCE = 1
"""Incidents that are prepared for reading at one time: masking them takes the processor."""

STATUS = {
    Refusal.NOT_FOUND: 404,
    Refusal.NOTHING: 409,
    Refusal.UNSEEN: 409,
    Refusal.INVALID: 422,
    Refusal.UNPROVEN: 403,
    Refusal.FAILED: 502,
}

_LONGEST = 400
"""Characters of a reason why something was refused."""

log = logging.getLogger("runbook.receiver")


class Body(BaseModel):
    """What every request may say."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field(
        default="", description="Your name; a request that is proven to be somebody else's is refused."
    )


BodyT = TypeVar("BodyT", bound=Body)


@dataclass(frozen=True)
class PeoplesDoor:
    """What the API needs. `settings` reads them, and raises `ConfigurationError` where it cannot."""

    store: IncidentStore
    settings: Callable[[], Settings]
    looking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(READ_AT_ONCE))
    budget: Budget = field(default_factory=Budget)
    acted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once somebody has acted, other than by an answer: what is due then is started."""


async def known(door: PeoplesDoor, request: Request) -> tuple[Speaker, Settings]:
    """Who asks, and the settings of this moment.

    Raises:
        Rejected: the request proves nobody, or the settings cannot be read.
    """
    peer = request.scope.get("state", {}).get(PEER)
    if peer is None and not _shows_something(request):
        raise Rejected(401, "unauthenticated", "not authenticated", PROVE)  # no file is read for it
    async with door.looking:
        settings, speaker = await asyncio.to_thread(_whose, door, request.headers, peer)
    return speaker, settings


async def understood(
    door: PeoplesDoor, request: Request, body_type: type[BodyT]
) -> tuple[BodyT, Speaker, Settings]:
    """What the request says, who says it, and the settings of this moment.

    Raises:
        Rejected: it proves nobody, or says nothing that can be done.
    """
    speaker, settings = await known(door, request)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":  # what a page of another site can have a browser send is not that
        raise Rejected(415, "no JSON", "the content type is not application/json", "Send JSON")
    try:
        raw = await read_body(request, MAX_BYTES, door.budget)
    except Rejected as error:
        if error.status == 413:
            raise Rejected(413, error.reason, error.error, "Write less, the rest as further notes") from None
        raise
    try:
        body = body_type.model_validate(orjson.loads(raw))
    except ValidationError as error:
        raise Rejected(422, "invalid", _mistakes(error), "See /docs") from None
    except ValueError:
        raise Rejected(422, "invalid", "the body is not JSON", "See /docs") from None
    people = settings.policy.people
    if body.by and spelling(known_as(body.by, people)) != spelling(speaker.name):
        mine = f"{speaker.name} is proven, not {body.by!a}"
        raise Rejected(403, "another name", mine, "Act under your own name")
    return body, speaker, settings


def _whose(door: PeoplesDoor, headers: Mapping[str, str], peer: Peer | None) -> tuple[Settings, Speaker]:
    try:
        settings = door.settings()
    except ConfigurationError as error:
        log_event(log, "settings cannot be read", level=logging.ERROR, error=str(error))
        advice = "Correct the settings file; the receiver's log says what is wrong"
        raise Rejected(503, "settings", "the receiver's settings have mistakes", advice) from None
    try:
        identity = identify(headers, peer, settings)
    except NotProven as error:
        raise Rejected(401, "unauthenticated", str(error), PROVE) from None
    secret = settings.receiver.signing_key
    key = private_key(secret.get_secret_value().encode()) if secret is not None else None
    name = known_as(identity.name, settings.policy.people)
    return settings, Speaker(name=name, identity=identity, key=key)


def environments(settings: Settings) -> frozenset[str]:
    """The environments whose incidents people see and act upon here."""
    return named_by(settings.prefect.environment, settings.routing)


async def under_its_policy(found: Incident, speaker: Speaker, settings: Settings) -> tuple[Speaker, Policy]:
    """Who speaks, by the names of the policy of the incident's environment, and that policy.

    Raises:
        Refused: no policy is saved for that environment.
        Unavailable: Prefect, which keeps the policies of other environments, cannot be reached.
    """
    policy = await policy_of(found, settings.prefect.environment, settings.policy)
    name = known_as(speaker.identity.name, policy.people)
    return replace(speaker, name=name), policy


def _shows_something(request: Request) -> bool:
    """Whether there is anything beside the headers that every client sends: a token, or a proxy's own."""
    return len(set(request.headers.keys()) - _USUAL) > 0


_USUAL = frozenset(
    {"host", "user-agent", "accept", "accept-encoding", "connection", "content-type", "content-length"}
)


def _mistakes(error: ValidationError) -> str:
    """What is wrong, without the values."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg']}" for item in found[:5])


def refused(error: Exception) -> JSONResponse:
    """The answer to a request that was refused, or could not be carried out.

    Raises:
        Exception: the error itself, if it is a different one.
    """
    match error:
        case ActRefused():
            answer = STATUS[error.kind], error.kind.value, error.problem, error.next_step
            return _answer(*answer, asked=error.asked)
        case Rejected():
            return _answer(error.status, error.reason, error.error, error.next_step)
        case OutsideError():
            next_step = error.next_step or "Try again"
            return _answer(503, "unavailable", f"{error.system}: {error.detail}", next_step)
        case _:
            raise error


def _shown(text: str) -> str:
    """What a request said may have a secret in it; the names of people stay."""
    shown = redact_secrets(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def _answer(
    status: int, kind: str, error: str, next_step: str, *, asked: Asked | None = None
) -> JSONResponse:
    content: dict[str, Any] = {"kind": kind, "error": _shown(error)}
    if next_step:
        content["next_step"] = _shown(next_step)
    if asked is not None:
        content |= {"plan": asked.gate.plan_digest, "asked": asked.model_dump(mode="json")}
    headers = {401: {"www-authenticate": "Bearer"}, 503: {"retry-after": "5"}}.get(status)
    return JSONResponse(content, status_code=status, headers=headers)
