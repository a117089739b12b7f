"""The way of an act to the incident: the receiver's local socket or API where there is one, else the store.

Only the receiver can prove an account or a token, so it is asked first. Where this machine's own is away
nothing is lost: the act is written into the store, signed with the person's key where they have one, else as
a claim.
"""

import os
import tomllib
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.output import warn
from deployments.services.refusals import ActRefused, Asked, Refusal
from runbook.value import Value

if TYPE_CHECKING:
    import httpx

    from deployments.cli.options import ActOptions
    from runbook.incidents.incident import Incident
    from runbook.policy.policy import Policy

URL_VARIABLE = "RUNBOOK_URL"
TOKEN_VARIABLE = "RUNBOOK_TOKEN"  # noqa: S105  the name of a variable
TOKEN_FILE_VARIABLE = "RUNBOOK_TOKEN_FILE"  # noqa: S105
DEFAULT_SOCKET = ".runbook/receiver.sock"
ANSWER_SECONDS = 60.0
"""How long the receiver may take: it also wakes the run."""

ResultT = TypeVar("ResultT", bound=Value)


class DoorAway(Exception):
    """The receiver is not there, and nothing was sent; the text says why."""


@dataclass(frozen=True)
class Door:
    """Where the receiver is asked: at a URL with a token, or over its local socket."""

    url: str = ""
    token: str = ""
    socket: Path | None = None

    @property
    def where(self) -> str:
        """For people."""
        return str(self.socket) if self.socket else self.url

    async def send(self, reference: str, act: str, body: dict[str, Any]) -> dict[str, Any]:
        """Have the receiver do it.

        Raises:
            DoorAway: it is not there; nothing was sent.
            ActRefused: it refused.
            CommandError: it did not answer as it should; what became of it is in the journal.
        """
        return await self._asked("POST", f"/api/incidents/{quote(reference, safe='')}/{act}", json=body)

    async def read(self, reference: str = "", part: str = "", **query: str) -> dict[str, Any]:
        """What the receiver tells of an incident, or of a part of it; without one, of the newest.

        Raises:
            DoorAway: it is not there.
            ActRefused: it refused.
            CommandError: it did not answer as it should.
        """
        path = "/".join(("/api/incidents", *(quote(word, safe="") for word in (reference, part) if word)))
        return await self._asked("GET", path, params=query)

    async def _asked(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        import httpx

        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        with ExitStack() as resources:
            try:
                transport = _over(self.socket, resources) if self.socket else None
                async with httpx.AsyncClient(
                    base_url=self.url or "http://receiver",
                    headers=headers,
                    timeout=httpx.Timeout(ANSWER_SECONDS, connect=5.0),
                    transport=transport,
                ) as client:
                    answer = await client.request(method, path, **what)
            except (httpx.ConnectError, httpx.ConnectTimeout, OSError) as error:
                raise DoorAway(str(error) or type(error).__name__) from None
            except httpx.HTTPError as error:
                look = "check with `runbook incident` whether it was done, or " if method == "POST" else ""
                raise CommandError(
                    f"the receiver at {self.where} did not answer ({type(error).__name__})",
                    f"{look}repeat the command",
                    code=ExitCode.UNREACHABLE,
                ) from None
        return self._understood(answer)

    def _understood(self, answer: "httpx.Response") -> dict[str, Any]:
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            body = {}
        if answer.is_success and body:
            return body
        kind, problem = body.get("kind"), str(body.get("error") or f"it answered {answer.status_code}")
        next_step = str(body.get("next_step") or "")
        if kind in {refusal.value for refusal in Refusal}:
            raise ActRefused(Refusal(kind), problem, next_step, asked=_asked(body))
        if answer.status_code == 401:
            raise ActRefused(
                Refusal.UNPROVEN, f"the receiver at {self.where} does not recognize you", _TELL_WHO
            )
        codes = {404: ExitCode.NOTHING}
        code = (
            ExitCode.UNREACHABLE if answer.is_server_error else codes.get(answer.status_code, ExitCode.USAGE)
        )
        raise CommandError(
            f"receiver: {problem}", next_step or f"check what answers at {self.where}", code=code
        )


def _asked(body: dict[str, Any]) -> Asked | None:
    """The question that came with a refusal; `None` also where a receiver of another release sent it."""
    try:
        return Asked.model_validate(body.get("asked"))
    except ValidationError:
        return None


_TELL_WHO = f"set {TOKEN_VARIABLE}, or {TOKEN_FILE_VARIABLE}, to your token from [receiver.people]"


def _over(path: Path, resources: ExitStack) -> "httpx.AsyncHTTPTransport":
    """The socket itself, by its open folder: its path may be longer than an address can be."""
    import httpx

    from deployments.receiver.connections.local_socket import short_path

    folder = os.open(path.parent, os.O_DIRECTORY | os.O_PATH)
    resources.callback(os.close, folder)
    return httpx.AsyncHTTPTransport(uds=short_path(folder, path.name))


def find_door(config: Path | None) -> Door | None:
    """Where the receiver is, as far as this machine knows; `None` where nothing names one.

    Raises:
        CommandError: `RUNBOOK_URL` or the token cannot be used.
    """
    if remote := find_remote():
        return remote
    path = _socket_path(config)
    return Door(socket=path) if path is not None else None


def find_remote() -> Door | None:
    """The receiver that `RUNBOOK_URL` names; its store is hardly the one that is configured here.

    Raises:
        CommandError: `RUNBOOK_URL` or the token cannot be used.
    """
    url = os.environ.get(URL_VARIABLE, "").strip()
    return Door(url=_checked(url), token=_token()) if url else None


def _checked(url: str) -> str:
    import httpx

    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    local = parsed.host in ("localhost", "127.0.0.1", "::1")
    if parsed.userinfo or not parsed.host or parsed.scheme not in ("http", "https"):
        raise CommandError(f"{URL_VARIABLE} is not an address", "write https://HOST", code=ExitCode.USAGE)
    if parsed.scheme == "http" and not local:
        raise CommandError(
            f"{URL_VARIABLE} would send your token unencrypted", "write https://HOST", code=ExitCode.USAGE
        )
    return url.rstrip("/")


def _token() -> str:
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if named := os.environ.get(TOKEN_FILE_VARIABLE):
        try:
            token = token or Path(named).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            problem = f"cannot read {named} ({reason})"
            raise CommandError(problem, f"set {TOKEN_FILE_VARIABLE}", code=ExitCode.USAGE) from None
    if not token.isascii() or not token.isprintable():
        raise CommandError(
            "the token has characters that a token cannot have", _TELL_WHO, code=ExitCode.USAGE
        )
    return token


def _socket_path(config: Path | None) -> Path | None:
    """The socket that the settings name, read without any secret: those are the receiver's to read."""
    from deployments.receiver.connections.local_socket import is_socket

    named: object = DEFAULT_SOCKET
    if config is not None:
        try:
            receiver = tomllib.loads(config.read_text(encoding="utf-8")).get("receiver", {})
        except (OSError, ValueError):
            return None  # whoever reads the rest of the file tells what is wrong with it
        named = receiver.get("socket", DEFAULT_SOCKET) if isinstance(receiver, dict) else DEFAULT_SOCKET
    if not isinstance(named, str) or named == "none":
        return None
    folder = config.absolute().parent if config is not None else Path.cwd()
    path = folder / Path(named).expanduser()
    return path if is_socket(path) else None


def nobody_there(door: Door, away: DoorAway, so: str = "") -> CommandError:
    """The error where nobody answers at an address."""
    return CommandError(
        f"nothing answers at {door.url} ({away}){so}",
        f"try again, or unset {URL_VARIABLE} to use the store in the settings on this machine",
        code=ExitCode.UNREACHABLE,
    )


async def read_page(
    incident: str, name: str, options: "ActOptions", make: Callable[["Incident", "Policy"], dict[str, Any]]
) -> dict[str, Any]:
    """A page about an incident, as JSON: the receiver's where `RUNBOOK_URL` names one, else made here.

    Raises:
        CommandError: nobody answers there, or the store and the incident cannot be read.
    """
    from deployments.cli.sources import find_sources
    from deployments.services.finding import find_incident

    if remote := find_remote():
        try:
            return await remote.read(incident, name)
        except DoorAway as away:
            raise nobody_there(remote, away) from None
    sources = find_sources(options.config, options.environment)
    found = await find_incident(await sources.store(), incident)
    return make(found, await sources.for_incident(found).policy())


async def act(
    kind: type[ResultT],
    reference: str,
    what: str,
    body: dict[str, Any],
    *,
    config: Path | None,
    directly: Callable[[], Awaitable[ResultT]],
) -> ResultT:
    """Do it through the receiver where it is there, else `directly`.

    Also directly where the proof of this machine's receiver is not one that the rules take, and the person
    has a signing key.

    Raises:
        ActRefused: it is refused.
        CommandError: it cannot be done, or nobody knows whether it was.
    """
    door = find_door(config)
    if door is None:
        return await directly()
    try:
        return kind.model_validate(await door.send(reference, what, body))
    except DoorAway as away:
        if (
            door.socket is None
        ):  # what is configured here may be another store than the one behind that address
            raise nobody_there(door, away, "; nothing was recorded") from None
        warn(
            f"the receiver at {door.where} cannot be reached ({away}): writing to the incident store instead"
        )
    except ActRefused as refused:
        from deployments.settings.signing_key import key_path

        if door.socket is None or refused.kind is not Refusal.UNPROVEN or not key_path().exists():
            raise
        warn(f"{refused.problem}: signing with your own key instead")
    return await directly()
