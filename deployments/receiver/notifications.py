"""One notification: from the request's bytes to alerts in the store, and the answer to its sender."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from deployments.processes.json_log import log_event
from deployments.receiver.authentication import Verified, is_open, needs_body, verified
from deployments.receiver.connections.body import Budget, Rejected, overloaded, read_body
from deployments.receiver.connections.connections import vouch_for
from deployments.receiver.intake import Intake, Overloaded
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.sources.confirmations import Confirmations, TooMany
from runbook.alerts.alert import Alert, AlertStatus
from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Received
from runbook.alerts.mapping.sns import Confirmation, ConfirmationWanted
from runbook.alerts.pager_acts import PagerAct, pager_act
from runbook.alerts.sources import EmptyAlerts, Source, UnreadablePayload
from runbook.alerts.unrouted import EVERY_SERVICE, Routing

CONFIRM = "runbook alerts confirm-sns"

UNPROVEN = "Send the proof that this source takes; GET /docs describes it"
"""What a sender can do that proves nothing; it says nothing of what is set here."""

Endpoint = Callable[[Request], Awaitable[Response]]

log = logging.getLogger("runbook.receiver")

LONG_BYTES = 16 * 1024
"""A body of more is read in a thread: at its slowest, masking takes some microseconds for each byte."""

AT_ONCE = 1
"""Long bodies that are read at one time: the threads for that also write the alerts."""


ActedAtPager = Callable[[PagerAct, str], Awaitable[None]]


async def _nobody(_act: PagerAct, _incident: str) -> None:
    """For where the settings say of nobody who they are."""


@dataclass(frozen=True)
class Notifications:
    """Takes notifications. `service` is whose alerts these are where neither they nor their source say.

    `acted_at_pager` is told who has acknowledged an incident of ours at the pager, with the incident's id.
    `strangers_budget` is for bodies that have to be read before their proof can be checked.
    """

    config: ReceiverSettings
    service: str
    intake: Intake
    budget: Budget
    strangers_budget: Budget
    confirmations: Confirmations | None = None
    routing: Callable[[], Routing] = lambda: EVERY_SERVICE
    acted_at_pager: ActedAtPager = _nobody
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def take(self, source: Source, request: Request) -> tuple[int, dict[str, Any]]:
        """Take one notification; returns the status and the body of the answer.

        Raises:
            Rejected: it is not taken.
            OutsideError: it could not be made durable.
        """
        body, proof = await self._authenticated_body(source, request)
        try:
            alerts = await self._read(source, body)
        except ConfirmationWanted as wanted:
            return 202, await asyncio.to_thread(self._keep, source, wanted.confirmation)
        except EmptyAlerts as error:
            raise Rejected(422, "empty", str(error), "Send at least one alert") from None
        if proof.delivery:
            alerts = [
                alert.model_copy(update={"delivery": f"{proof.delivery}/{number}"})
                for number, alert in enumerate(alerts)
            ]
        act = _act_at_pager(source, body)
        if act is not None and act.incident:
            await self.acted_at_pager(act, act.incident)
        if not alerts:
            return 202, _answer([], [], self.routing())  # a ping, or an event without an alert
        try:
            with self.budget.spent(len(body)):
                received = await self.intake.take(alerts)
        except Overloaded:
            raise overloaded() from None
        ours = (one.incident for one in received if one.meaning is not Meaning.LATE and one.incident)
        if act is not None and not act.incident and (incident := next(ours, "")):
            await self.acted_at_pager(act, incident)
        replayed = bool(received) and all(item.meaning is None for item in received)
        return (200 if replayed else 202), _answer(alerts, received, self.routing())

    async def _authenticated_body(self, source: Source, request: Request) -> tuple[bytes, Verified]:
        """The body of a request that proves where it comes from; without a proof it is not even read."""
        headers, limit, signed = request.headers, self.config.max_body_bytes, b""
        if needs_body(source.name, self.config, headers):
            signed = await read_body(request, limit, self.strangers_budget)
        proof = verified(source.name, self.config, headers, signed, datetime.now(UTC))
        if proof is None:
            raise Rejected(
                401,
                "unauthenticated",
                "not authenticated",
                UNPROVEN,
                operator_step=_credential_step(source, self.config),
            )
        vouch_for(request.scope)
        return signed or await read_body(request, limit, self.budget), proof

    async def _read(self, source: Source, body: bytes) -> list[Alert]:
        """The alerts of a body. Masking a long one takes seconds, in which other alerts have to come in."""
        if len(body) <= LONG_BYTES:
            return self._alerts(source, body)
        with self.budget.spent(len(body)):
            async with self.reading:
                return await asyncio.to_thread(self._alerts, source, body)

    def _alerts(self, source: Source, body: bytes) -> list[Alert]:
        service = self.config.default_service(source.name) or self.service
        try:
            alerts = source.translate(orjson.loads(body), service)
        except (ConfirmationWanted, EmptyAlerts):
            raise
        except UnreadablePayload as error:
            return [_unreadable(source, body, service, str(error))]
        except ValueError:
            return [_unreadable(source, body, service, "the body is not JSON")]
        return [_of_service(alert, self.config.service_here(alert.service)) for alert in alerts]

    def _keep(self, source: Source, confirmation: Confirmation) -> dict[str, Any]:
        """Keep what a person has to confirm, and say so in the log; nothing is called here."""
        try:
            if self.confirmations is None:
                raise TooMany
            self.confirmations.keep(source.name, confirmation)
        except (OSError, TooMany) as error:
            cause = "too many topics ask" if isinstance(error, TooMany) else str(error.strerror)
            raise Rejected(
                503, "not durable", f"the confirmation is not kept: {cause}", "Send it again"
            ) from None
        what = (
            "SNS has ended a subscription"
            if confirmation.unsubscribed
            else "SNS asks to confirm a subscription"
        )
        reason = f"{what}; a person confirms it: {CONFIRM}"
        log_event(log, reason, level=logging.WARNING, source=source.name, topic=confirmation.topic)
        return {"incidents": [], "ignored": [{"service": "", "name": confirmation.topic, "reason": reason}]}


def _credential_step(source: Source, config: ReceiverSettings) -> str:
    """What an operator can do about a sender that proves nothing."""
    section = config.section_of(source.name)
    if is_open(source.name, config):
        return f"If the sender is yours, configure it with the credential of {section} or [receiver]"
    return f"Set a credential in {section}: without one, alerts of {source.title} are rejected"


def _of_service(alert: Alert, service: str) -> Alert:
    return alert if service == alert.service else alert.model_copy(update={"service": service})


def _act_at_pager(source: Source, body: bytes) -> PagerAct | None:
    """What a person did at PagerDuty, where its webhook tells of that."""
    if source.name != "pagerduty":
        return None
    try:
        return pager_act(orjson.loads(body))
    except ValueError:
        return None


def _unreadable(source: Source, body: bytes, service: str, why: str) -> Alert:
    """A broken alert is an alert: it was sent for a reason, and a person can read what we cannot."""
    text = body.decode(errors="replace")
    return Alert(
        source=source.name,
        service=service,
        name="unreadable alert",
        summary=f"{source.title} sent an alert that cannot be read: {why}",
        fingerprint=f"unreadable-{sha256(body).hexdigest()[:32]}",
        extra={"body": text, "bytes": len(body)},
    )


def _answer(alerts: Sequence[Alert], received: Sequence[Received], routing: Routing) -> dict[str, Any]:
    """Which incidents the alerts belong to, and which alerts belong to none and why."""
    incidents: dict[str, bool] = {}
    ignored = []
    for alert, one in zip(alerts, received, strict=True):
        if one.incident:
            incidents[one.incident] = incidents.get(one.incident, False) or one.opened
        else:
            reason = why_ignored(alert, one.meaning, routing)
            ignored.append({"service": alert.service, "name": alert.name, "reason": reason})
    named = [{"id": incident, "new": new} for incident, new in incidents.items()]
    return {"incidents": named, "ignored": ignored}


def why_ignored(alert: Alert, meaning: Meaning | None, routing: Routing) -> str:
    """Why an alert belongs to no incident, for its sender."""
    if meaning is Meaning.REPEATED and alert.status is not AlertStatus.RESOLVED:
        return "a person has ended its incident, and it fires on"
    if meaning is Meaning.UNROUTED:
        return routing.why_not(alert.service)
    return _REASONS[meaning].format(service=alert.service)


_REASONS: dict[Meaning | None, str] = {
    None: "received before",
    Meaning.ENDED: "resolved, and {service} has no open incident",
    Meaning.REPEATED: "resolved before",
    Meaning.LATE: "older than what is already known",
    Meaning.NOTED: "synthetic, never an incident",
}


class AlertPaths:
    """An ASGI application before another one: answers the notifications itself.

    They are all that has to be fast, and FastAPI's way to an endpoint takes longer than the endpoint. It has
    the same endpoints for the description and for whatever else is sent to their paths.
    """

    def __init__(self, app: FastAPI, endpoints: Mapping[str, Endpoint]) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        posted = scope["type"] == "http" and scope["method"] == "POST"
        endpoint = self._endpoints.get(scope["path"]) if posted else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        response = await endpoint(Request(scope, receive))
        await response(scope, receive, send)
