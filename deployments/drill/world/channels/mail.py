"""A mail server, as far as it takes e-mails by SMTP, with the limits of RFC 5321, 1870 (SIZE), 4954 (AUTH).

Greylisting is RFC 6647's: whoever is not known is told to come again, and taken then.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from time import monotonic

from deployments.drill.world.faults import MailFaults

LONGEST_LINE = 998
"""Bytes without the line break (4.5.3.1.6)."""

MOST_BYTES = 1_000_000
MOST_READERS = 100
"""Of one e-mail (4.5.3.1.8)."""

SLOW_SECONDS = 5
_TOO_LARGE = "552 5.3.4 Message size exceeds fixed maximum message size"
_SIZE = re.compile(r"\bSIZE=(\d+)", re.IGNORECASE)


@dataclass
class Delivered:
    """One e-mail that was taken."""

    sender: str
    readers: list[str]
    message: EmailMessage

    @property
    def text(self) -> str:
        """What its readers read."""
        return str(self.message.get_content()).replace("\r\n", "\n").strip()

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(self.message["Subject"])

    @property
    def effect(self) -> str:
        """What the runbook calls it."""
        return str(self.message["X-Runbook-Effect"] or "")


@dataclass
class SmtpServer:
    """`taken` are the e-mails, oldest first; `port` is where it listens.

    `refuses` is said to a command by its first word, or by it and its address (`RCPT bob@example.com`);
    `loses_answers` closes the connection when an e-mail is taken, and `is_slow` says nothing then. With a
    `login` (user and password) nobody else may send.
    """

    taken: list[Delivered] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    loses_answers: bool = False
    is_slow: bool = False
    login: tuple[str, str] | None = None
    port: int = 0
    connections: int = 0
    faults: MailFaults = field(default_factory=MailFaults)
    _first_seen: dict[tuple[str, str], float] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it leaves."""
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
                await self._greet(reader, writer)
        finally:
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self.faults.mode:
            case "closed":
                return
            case "hanging":
                await reader.read()  # until the client has enough
            case "unavailable":
                await _say(writer, "421 4.3.2 Service not available, closing transmission channel")
            case _:
                await self._talk(reader, writer)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, readers, known = "", list[str](), self.login is None
        await _say(writer, "220 imitated ESMTP")
        while line := await reader.readline():
            command, _, rest = line.decode("ascii").strip().partition(" ")
            command = command.upper()
            if refusal := self.refuses.get(f"{command} {_address(rest)}") or self.refuses.get(command):
                await _say(writer, refusal)
                continue
            match command:
                case "EHLO":
                    await _say(writer, f"250-imitated\r\n250-SIZE {MOST_BYTES}\r\n250 AUTH PLAIN")
                case "AUTH":
                    known = self.login is not None and _credentials(rest) == self.login
                    await _say(writer, "235 2.7.0 welcome" if known else "535 5.7.8 wrong user or password")
                case "MAIL" if not known:
                    await _say(writer, "530 5.7.0 authentication required")
                case "MAIL" if (size := _SIZE.search(rest)) and int(size[1]) > MOST_BYTES:
                    await _say(writer, _TOO_LARGE)
                case "MAIL":
                    sender, readers = _address(rest), []
                    await _say(writer, "250 ok")
                case "RCPT":
                    await _say(writer, self._reader(sender, readers, _address(rest)))
                case "DATA" if not readers:
                    await _say(writer, "503 5.5.1 no valid recipients")
                case "DATA":
                    await _say(writer, "354 go on")
                    refusal = self._take(sender, readers, await _data(reader))
                    if self.loses_answers or self.faults.mode == "lost":
                        return
                    if self.is_slow:
                        await asyncio.sleep(SLOW_SECONDS)
                    await _say(writer, refusal or "250 ok")
                case "QUIT":
                    await _say(writer, "221 bye")
                    return
                case _:
                    await _say(writer, "250 ok")

    def _reader(self, sender: str, readers: list[str], one: str) -> str:
        """What is said to one reader, who is among them if he is taken."""
        if len(readers) >= MOST_READERS:
            return "452 4.5.3 Too many recipients"
        first = self._first_seen.setdefault((sender, one), monotonic())
        if self.faults.greylist_seconds and monotonic() - first < self.faults.greylist_seconds:
            return f"450 4.7.1 <{one}>: Recipient address rejected: Greylisted, please come again"
        readers.append(one)
        return "250 ok"

    def _take(self, sender: str, readers: list[str], lines: list[bytes]) -> str:
        if max(map(len, lines), default=0) > LONGEST_LINE:
            return "500 5.5.2 line too long"
        if sum(map(len, lines)) > MOST_BYTES:
            return _TOO_LARGE
        message = message_from_bytes(b"\r\n".join(lines), policy=policy.default)
        if not isinstance(message, EmailMessage):
            raise TypeError("the policy makes another class")
        self.taken.append(Delivered(sender, list(readers), message))
        return ""


@asynccontextmanager
async def smtp_listening(server: SmtpServer) -> AsyncIterator[SmtpServer]:
    """Serve on a free loopback port."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=2**22)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield server


def _credentials(rest: str) -> tuple[str, ...]:
    """User and password of `AUTH PLAIN`, if these they are."""
    try:
        return tuple(base64.b64decode(rest.rsplit(" ", maxsplit=1)[-1]).decode().split("\0")[1:])
    except (binascii.Error, UnicodeDecodeError):
        return ()


async def _data(reader: asyncio.StreamReader) -> list[bytes]:
    lines: list[bytes] = []
    while line := await reader.readline():
        if (bare := line.rstrip(b"\r\n")) == b".":
            return lines
        lines.append(bare.removeprefix(b"."))
    raise ConnectionError("the client left in the middle of its e-mail")


async def _say(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(f"{text}\r\n".encode())
    await writer.drain()


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
