"""E-mail, through Prefect's notification block and Apprise's `mailto://`.

A message is one e-mail to all its readers, in one SMTP transaction: the first one is in `To`, the others in
`Cc`. E-mails of an incident refer to one that does not exist, by which mail programs show them as a thread.

A reader whom the server refuses beside others whom it takes is named in the receipt, see `NOT_REACHED`: the
e-mail is not sent again, since the others have it.
"""

import asyncio
import base64
import re
import smtplib
import ssl
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import quote, urlencode

from prefect.blocks.core import Block
from prefect.blocks.notifications import AbstractAppriseNotificationBlock
from pydantic import AfterValidator, ConfigDict, Field, SecretStr, field_validator

from blocks.channels.channel import Post, Receipt
from blocks.channels.notifications.sending import SENDING, RefusedReaders, notify, reason
from blocks.channels.notifications.sides import Audiences, SupportSide, TeamSide, Templates, TwoSided
from blocks.transport.errors import OutsideError, Refused, Unavailable
from blocks.transport.threads import Threads
from runbook.channels.text_messages import MAIL, TextStyle
from runbook.incidents.effect_ids import EffectId
from runbook.incidents.effects import NOT_REACHED
from runbook.outside_text import let_in_line
from runbook.outside_text.mail import LONGEST_LINE, mail_body

if TYPE_CHECKING:
    from blocks.channels.notifications.smtp_plugin import TellingEmail

_SYSTEM = "e-mail"
_THREADS = Threads("smtp", 2)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = rf"^[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]+@(?:{_LABEL}\.)*{_LABEL}$"
"""What an SMTP server takes without an extension (RFC 5322's atoms): smtplib fails at any other sign."""

_IN_ADDRESS = "runbook@example.com"
"""What Apprise's address has for sender and reader; it would make `neil@` of `o'neil@`, and drop some."""

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_MODES = {"starttls": "starttls", "tls": "ssl", "none": "insecure"}
_REPLY = re.compile(r"\((?P<code>[2-5]\d\d), b")
"""How smtplib's errors tell what the server has said."""

_LASTING = 500
_STEPS_AT_MOST = 2
"""How many steps' time an e-mail may take: a server that is slow at each would hold up the response."""

_NAME = "Incident runbook"

_LONGEST_LOCAL_PART, _LONGEST_LABEL = 64, 63
"""Characters before the `@`, and of a part of the domain (RFC 5321, 4.5.3.1; RFC 1035, 2.3.4)."""


def _within_limits(address: str) -> str:
    """The address, where no part of it is longer than servers take."""
    local, _, domain = address.rpartition("@")
    if len(local) > _LONGEST_LOCAL_PART or max(map(len, domain.split("."))) > _LONGEST_LABEL:
        raise ValueError("has a part that is longer than mail servers take")
    return address


Address = Annotated[str, Field(pattern=_ADDRESS, max_length=254), AfterValidator(_within_limits)]


class _Mail(AbstractAppriseNotificationBlock):
    """One e-mail, as Apprise's address has it."""

    url: SecretStr


class EmailForTeam(TeamSide):
    """What the team is told by e-mail."""

    kind: ClassVar[str] = "email"


class EmailForSupport(SupportSide):
    """What support is told by e-mail."""

    kind: ClassVar[str] = "email-support"


class Email(TwoSided, Block):
    """Who gets e-mails, and the server that takes them."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str] = "Runbook e-mail"
    _block_type_slug: ClassVar[str] = "runbook-email"
    _description: ClassVar[str] = "E-mails about incidents, by SMTP: to the team, to support, or to both."

    team: ClassVar[type[TeamSide]] = EmailForTeam
    support: ClassVar[type[SupportSide]] = EmailForSupport
    system: ClassVar[str] = _SYSTEM
    style: ClassVar[TextStyle] = MAIL

    host: str = Field(title="Host", description="Name of the SMTP server.", pattern=r"^[A-Za-z0-9.:-]+$")
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        title="Port",
        description="Default: 587, or 465 with tls, or 25 with none.",
    )
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", title="Security", description="How the connection is encrypted."
    )
    username: str = Field(default="", title="User", description="Login at the server; empty for none.")
    password: SecretStr | None = Field(default=None, title="Password", description="That of the user.")
    sender: Address = Field(title="Sender", description="Address that the e-mails come from.")
    to: tuple[Address, ...] = Field(
        title="To", description="Who gets them; a mailing list is best.", min_length=1, max_length=50
    )
    support_to: tuple[Address, ...] = Field(
        default=(),
        max_length=50,
        title="To support",
        description="Who gets the texts for support; default: `to`.",
    )
    audiences: Audiences = ("team",)
    templates: Templates = {}
    timeout_seconds: float = Field(
        default=15, gt=0, title="Timeout", description="Seconds that one step with the server may take."
    )

    @field_validator("to", "support_to")
    @classmethod
    def _fit_into_a_header(cls, readers: tuple[str, ...]) -> tuple[str, ...]:
        if len(",".join(readers)) > LONGEST_LINE:
            raise ValueError(f"have more than {LONGEST_LINE} characters in all: use a mailing list")
        return readers

    @field_validator("username", "password")
    @classmethod
    def _fit_into_a_login(cls, given: str | SecretStr | None) -> str | SecretStr | None:
        said = given.get_secret_value() if isinstance(given, SecretStr) else given or ""
        if not said.isascii():
            raise ValueError("has a sign beyond ASCII, with which nobody can log in: choose another one")
        return given

    async def send(self, text: str, *, subject: str, post: Post, support: bool) -> Receipt:
        """Send one e-mail.

        Raises:
            Refused: the server does not take it.
            Unavailable: the server cannot be reached, or nobody can tell whether it was sent.
        """
        most = _STEPS_AT_MOST * self.timeout_seconds
        mail, plugin = self._mail(post, support=support)
        try:
            async with asyncio.timeout(most):
                await notify(
                    mail,
                    mail_body(text),
                    subject,
                    timeout_seconds=self.timeout_seconds,
                    failure=self._failure,
                )
        except TimeoutError:
            why = f"{self._place} took longer than {most:g} s in all"
            raise Unavailable(_SYSTEM, why, _NETWORK, may_have_landed=True) from None
        return {"id": post.id} | self._not_reached(plugin.refused, support=support)

    async def try_out(self, *, support: bool) -> tuple[str, bool]:
        """Log in and have sender and readers accepted; nothing is sent.

        Raises:
            Refused: the server refuses one of these.
            Unavailable: the server cannot be reached.
        """
        readers = self._readers(support=support)
        try:
            await _THREADS.run(partial(self._dialogue, readers))
        except smtplib.SMTPResponseException as error:
            raise self._said(error.smtp_code, str(error)) from None
        except UnicodeError:  # of the name of the host
            why = f"{self._place} is no name of a server"
            raise Refused(_SYSTEM, why, "Correct host in [email]") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(_SYSTEM, f"{self._place}: {self._hide(str(error))}", _NETWORK) from None
        return f"{self._place} takes e-mails to {', '.join(readers)}", True

    def _dialogue(self, readers: tuple[str, ...]) -> None:
        context = ssl.create_default_context()
        make = partial(smtplib.SMTP_SSL, context=context) if self.security == "tls" else smtplib.SMTP
        with make(self.host, self._port, timeout=self.timeout_seconds) as server:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.username and self.password is not None:
                server.login(self.username, self.password.get_secret_value())
            server.ehlo_or_helo_if_needed()
            for code, said in (server.mail(self.sender), *(server.rcpt(reader) for reader in readers)):
                if code >= 300:  # RFC 5321: 2xx is a success
                    raise smtplib.SMTPResponseException(code, said)
            server.rset()

    def _readers(self, *, support: bool) -> tuple[str, ...]:
        return (self.support_to or self.to) if support else self.to

    @property
    def _port(self) -> int:
        return self.port or _PORTS[self.security]

    @property
    def _place(self) -> str:
        return f"{self.host}:{self._port}"

    def _mail(self, post: Post, *, support: bool) -> "tuple[_Mail, TellingEmail]":
        """The e-mail, with exactly the sender and the readers of the settings, and what sends it."""
        from blocks.channels.notifications.smtp_plugin import TellingEmail  # noqa: PLC0415 - it imports Apprise

        first, *others = self._readers(support=support)
        mail = _Mail(url=SecretStr(self._url(post)))
        plugin: Any = next(iter(mail._apprise_client))
        plugin.__class__ = TellingEmail  # Apprise makes its own of an address
        plugin.from_addr, plugin.targets, plugin.cc = [_NAME, self.sender], [(False, first)], set(others)
        return mail, plugin

    def _not_reached(self, refused: RefusedReaders, *, support: bool) -> Receipt:
        """Whom the server has refused beside others, and why; by his place, as an address would be masked."""
        setting = "support_to" if support and self.support_to else "to"
        each = [
            f"{reader.partition('@')[0]}, number {number} in [email] {setting}"
            f" ({code} {self._hide(said.decode(errors='replace'))})"
            for number, reader in enumerate(self._readers(support=support), 1)
            for code, said in [refused.get(reader, (0, b""))]
            if code
        ]
        return {NOT_REACHED: f"not sent to {'; '.join(each)}"} if each else {}

    def _url(self, post: Post) -> str:
        """Apprise's address. `smtp` keeps it from guessing the server by the domain."""
        login = ""
        if self.username and self.password is not None:
            login = f"{quote(self.username, safe='')}:{quote(self.password.get_secret_value(), safe='')}@"
        incident = re.sub(r"[^A-Za-z0-9.-]", "-", EffectId(post.id).incident_id)
        about = {
            "smtp": self.host,
            "mode": _MODES[self.security],
            "from": _IN_ADDRESS,
            "to": _IN_ADDRESS,
            "format": "text",
            "overflow": "upstream",
            "+X-Runbook-Effect": post.id,
            "+References": f"<{incident}@{self.sender.rpartition('@')[2]}>",
            "+Auto-Submitted": "auto-generated",
        }
        scheme = "mailto" if self.security == "none" else "mailtos"
        given = urlencode(about, quote_via=quote, safe="+")
        return f"{scheme}://{login}{self.host}:{self._port}/?{given}"

    def _failure(self, lines: str) -> OutsideError:
        """What the log says: where nothing was sent yet, or the server has replied, it failed for certain."""
        why = reason(self._without_password(lines), "the e-mail was not sent")
        if replied := _REPLY.search(lines):
            return self._said(int(replied["code"]), why)
        sending = SENDING in lines
        return Unavailable(_SYSTEM, f"{self._place}: {why}", _NETWORK, may_have_landed=sending)

    def _said(self, code: int, why: str) -> OutsideError:
        said = f"{self._place}: {self._hide(why)}"
        if code >= _LASTING:
            return Refused(_SYSTEM, said, "Check [email]: login, sender and readers")
        return Unavailable(_SYSTEM, said)

    def _hide(self, text: str) -> str:
        return let_in_line(self._without_password(text), 300)

    def _without_password(self, text: str) -> str:
        """The text before it is cut, also where it shows the bytes of an answer, or what it was sent."""
        password = self.password.get_secret_value() if self.password else ""
        if not password:
            return text
        plain = f"\0{self.username}\0{password}"
        encoded = [
            base64.b64encode(each.encode()).decode()  # as AUTH PLAIN and AUTH LOGIN send it
            for each in (plain, f"{self.username}{plain}", password)
        ]
        bare = [each.rstrip("=") for each in encoded]
        for shown in (*encoded, *bare, password, repr(password.encode())[2:-1]):
            text = text.replace(shown, "[redacted]")
        return text


_NETWORK = "Check the server and the way to it"
