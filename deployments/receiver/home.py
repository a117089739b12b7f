"""The receiver's page at `/`: what it is, who may send alerts, how to send a test alert, and what waits.

Whoever reaches it reads which sources are open, how each of them proves itself, and numbers. Incidents are
for people who prove who they are, in the ways in which they read through the API.
"""

import asyncio
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from blocks.transport.errors import OutsideError
from deployments.receiver.authentication import credentials
from deployments.receiver.connections.body import Rejected
from deployments.receiver.page import TEMPLATES
from deployments.receiver.people.requests import PeoplesDoor, environments, known
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.sources.credentials import BasicPassword, BearerToken, Credential, HeaderValue
from deployments.receiver.sources.registry import PROOFS
from deployments.receiver.starting import Starter
from runbook.channels.untold import untold
from runbook.incidents.incident import Incident
from runbook.incidents.summary import headline
from runbook.outside_text import let_in_line
from runbook.policy.policy import Policy
from runbook.transport.addresses import is_loopback

MOST_LISTED = 50
_LINE = 200

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


@dataclass(frozen=True)
class SourceRow:
    """A source of alerts. `proofs` are what it has to show; none where it is closed."""

    path: str
    title: str
    section: str
    proofs: tuple[str, ...]


@dataclass(frozen=True)
class Home:
    """What the page tells beside what waits. `table` is `[receiver]` as it is written, with references."""

    config: ReceiverSettings
    service: str
    table: Mapping[str, Any]
    folder: Path

    def sources(self) -> list[SourceRow]:
        """Every source, those that are open first."""
        rows = [
            SourceRow(
                path,
                source.title,
                self.config.section_of(source.name),
                tuple(_told(each) for each in credentials(source.name, self.config)),
            )
            for path, source in self.config.paths.items()
        ]
        return sorted(rows, key=lambda row: not row.proofs)

    def test_alert(self, address: str, *, ours: bool) -> str:
        """A command that sends a test alert; empty where no open source takes one without a signature.

        It works as typed for those who are `ours`. Others read a place for the secret: where it is kept, and
        for which service, is nothing for strangers.
        """
        service = self.service if ours else ""
        for name, body in (("plain", _plain(service)), ("alertmanager", _group(service))):
            if shown := self._shown(name) if ours else self._placed(name):
                lines = (f"curl {shlex.quote(f'{address}/alerts/{name}')}", shown, f"-d {shlex.quote(body)}")
                return " \\\n  ".join(lines)
        return ""

    def _shown(self, name: str) -> str:
        """What curl shows of the credential, which stays where the settings say that it is."""
        own = self.table.get(PROOFS[name].section, {})
        for each in credentials(name, self.config):
            if isinstance(each, BearerToken):
                return f'-H "Authorization: Bearer {self._word(own.get("token") or self.table.get("token"))}"'
            if isinstance(each, BasicPassword):
                return f'-u {shlex.quote(each.username)}:"{self._word(own.get("password"))}"'
        return ""

    def _placed(self, name: str) -> str:
        """What curl shows, with places for what is secret."""
        for each in credentials(name, self.config):
            if isinstance(each, BearerToken):
                return '-H "Authorization: Bearer $TOKEN"'
            if isinstance(each, BasicPassword):
                return '-u "USER:$PASSWORD"'
        return ""

    def _word(self, reference: Any) -> str:
        """The secret for a shell, by its reference."""
        match reference:
            case {"env": str(name)}:
                return f"${name}"
            case {"file": str(path)}:
                return f"$(cat {shlex.quote(str(self.folder / Path(path).expanduser()))})"
            case _:
                return "TOKEN"


def _told(credential: Credential) -> str:
    """What has to be shown, without any of it."""
    match credential:
        case BearerToken():
            return "a bearer token"
        case BasicPassword():
            return "a user and password (basic authentication)"
        case HeaderValue():
            return "a header that your proxy sets"
        case _:
            return f"a signature of the body in {credential.header}"


def _plain(service: str) -> str:
    alert = {"name": "TestAlert", "summary": "a test, please ignore", "severity": "P4"}
    return json.dumps(_of(service) | alert, ensure_ascii=False)


def _group(service: str) -> str:
    labels = _of(service) | {"alertname": "TestAlert", "severity": "P4"}
    alert = {"status": "firing", "labels": labels, "annotations": {"summary": "a test, please ignore"}}
    return json.dumps({"version": "4", "alerts": [alert]}, ensure_ascii=False)


def _of(service: str) -> dict[str, str]:
    """Without a service, it is the receiver's own."""
    return {"service": service} if service else {}


def add_home(app: FastAPI, home: Home, starter: Starter, door: PeoplesDoor | None) -> None:
    """Add the page."""
    template = TEMPLATES.get_template("home.html.j2")

    @app.get("/", include_in_schema=False)
    async def show(request: Request) -> Response:
        person, listed, status = await _for_a_person(door, request)
        ours = bool(person) or is_from_here(request, home.config)
        address = home.config.public_url or _address(request, home.config)
        text = template.render(
            sources=home.sources(),
            test=home.test_alert(address, ours=ours),
            ours=ours,
            waits=starter.waits,
            prefect_up=starter.prefect_up,
            person=person,
            incidents=listed,
        )
        return HTMLResponse(text, status_code=status, headers=_HEADERS)


_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_from_here(request: Request, config: ReceiverSettings) -> bool:
    """Whether somebody on this machine asks, as far as a request tells.

    Not where the settings say that there is a proxy, whose requests all come from this machine, nor for a
    page that has pointed its own name here.
    """
    if config.public_url or config.identity_header or any(name in request.headers for name in _OF_PROXIES):
        return False
    try:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    return request.client is not None and is_loopback(request.client.host) and is_loopback(host)


def _address(request: Request, config: ReceiverSettings) -> str:
    """Where the request came in: the port in the settings may not be the one that is listened on."""
    host, port = request.scope.get("server") or ("", None)
    if not port:
        return config.url  # the local socket
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def _for_a_person(door: PeoplesDoor | None, request: Request) -> tuple[str, list[dict[str, Any]], int]:
    """Who asks, the open incidents of their environment, and the status of the answer."""
    if door is None:
        return "", [], 200
    try:
        speaker, settings = await known(door, request)
        async with door.reading:
            found = await door.store.incidents(only_open=True, limit=MOST_LISTED)
            mine = [item for item in found if item.environment in environments(settings)]
            return (
                speaker.name,
                await asyncio.to_thread(lambda: [_facts(item, settings.policy) for item in mine]),
                200,
            )
    except Rejected as error:
        shows_nothing = error.status == 401 and "authorization" not in request.headers
        return "", [], 200 if shows_nothing else error.status
    except OutsideError:
        return "", [], 503


def _facts(incident: Incident, policy: Policy) -> dict[str, Any]:
    lines = {name: let_in_line(str(value or ""), _LINE) for name, value in headline(incident, policy).items()}
    return lines | {"untold": [let_in_line(each.sentence, _LINE) for each in untold(incident)]}
