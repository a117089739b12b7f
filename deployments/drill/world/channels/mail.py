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

LONGEST_COMMAND = 512
"""Bytes with the line break (4.5.3.1.4)."""

LONGEST_LOCAL_PART = 64
"""Of an address (4.5.3.1.1)."""

MOST_BYTES = 1_000_000
MOST_READERS = 100
"""Of one e-mail (4.5.3.1.8)."""

SLOW_SECONDS = 5
_TOO_LARGE = "552 5.3.4 Message size exceeds fixed maximum message size"
_ATOMS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+"
"""Wherever its dots stand: servers take such addresses, for there are people with them."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"({_ATOMS})@{_LABEL}(?:\.{_LABEL})*")
_ONCE = ("From", "Sender", "To", "Cc", "Subject", "Date", "Message-ID", "References")
"""Header fields that an e-mail has at most once (RFC 5322, 3.6)."""

_KNOWN = frozenset({"EHLO", "HELO", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "VRFY", "QUIT"})
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
        sender, readers, known, greeted = "", list[str](), self.login is None, False
        await _say(writer, "220 imitated ESMTP")
        while line := await reader.readline():
            command, _, rest = line.decode("ascii").strip().partition(" ")
            command = command.upper()
            if flaw := _flaw(line, command, rest, greeted=greeted, sender=sender):
                await _say(writer, flaw)
                continue
            if refusal := self.refuses.get(f"{command} {_address(rest)}") or self.refuses.get(command):
                await _say(writer, refusal)
                continue
            match command:
                case "EHLO":
                    greeted = True
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

    def _take(self, sender: str, readers: list[str], ended: list[bytes]) -> str:
        lines = [line.removesuffix(b"\r\n").removeprefix(b".") for line in ended]
        if any(b"\r" in line or b"\n" in line for line in lines):
            return "521 5.5.2 Error: bare <CR> or <LF> received"
        if max(map(len, lines), default=0) > LONGEST_LINE:
            return "500 5.5.2 line too long"
        if sum(map(len, lines)) > MOST_BYTES:
            return _TOO_LARGE
        message = message_from_bytes(b"\r\n".join(lines), policy=policy.default)
        if not isinstance(message, EmailMessage):
            raise TypeError("the policy makes another class")
        if any(byte > 127 or not byte for line in lines for byte in line):
            return "554 5.6.1 8BITMIME is not announced: 8 bits, or a NUL"
        if flaw := _flaw_of_mail(message):
            return f"550 5.6.0 {flaw}"
        self.taken.append(Delivered(sender, list(readers), message))
        return ""


@asynccontextmanager
async def smtp_listening(server: SmtpServer) -> AsyncIterator[SmtpServer]:
    """Serve on a free loopback port."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=2**22)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield server


def _flaw(line: bytes, command: str, rest: str, *, greeted: bool, sender: str) -> str:
    """Why a command is none, or not now; empty where it is one."""
    if len(line) > LONGEST_COMMAND and command != "AUTH":  # whose limit is another (RFC 4954, 4)
        return "500 5.5.2 line too long"
    if command not in _KNOWN:
        return "500 5.5.2 command unrecognized"
    if command == "MAIL" and not greeted:
        return "503 5.5.1 send EHLO first"
    if command in ("RCPT", "DATA") and not sender:
        return "503 5.5.1 need MAIL before"
    if command in ("MAIL", "RCPT"):
        known = _ADDRESS.fullmatch(_address(rest))
        if known is None or len(known[1]) > LONGEST_LOCAL_PART:
            return "501 5.1.3 Bad address syntax"
    return ""


def _flaw_of_mail(message: EmailMessage) -> str:
    """What is wrong with an e-mail as a document; empty where nothing is."""
    if not message.get_all("From"):
        return "From is missing"
    if twice := [name for name in _ONCE if len(message.get_all(name, [])) > 1]:
        return f"{', '.join(twice)} more than once"
    for part in message.walk():
        with suppress(KeyError):  # of a type that has no content of its own
            part.get_content()  # finds what is wrong with its encoding
        if part.defects:
            return f"malformed: {type(part.defects[0]).__name__}"
    return ""


def _credentials(rest: str) -> tuple[str, ...]:
    """User and password of `AUTH PLAIN`, if these they are."""
    try:
        return tuple(base64.b64decode(rest.rsplit(" ", maxsplit=1)[-1]).decode().split("\0")[1:])
    except (binascii.Error, UnicodeDecodeError):
        return ()


async def _data(reader: asyncio.StreamReader) -> list[bytes]:
    """The lines with their ends. Only `<CR><LF>.<CR><LF>` ends them: any other end hides another e-mail."""
    lines: list[bytes] = []
    while line := await reader.readline():
        if line == b".\r\n" and (not lines or lines[-1].endswith(b"\r\n")):
            return lines
        lines.append(line)
    raise ConnectionError("the client left in the middle of its e-mail")


async def _say(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(f"{text}\r\n".encode())
    await writer.drain()


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
