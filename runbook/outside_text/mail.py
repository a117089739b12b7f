"""Plain text in an e-mail: nothing is markup, no header is begun, no line is longer than SMTP allows."""

from email.header import Header

from markupsafe import Markup

from runbook.outside_text.door import CUT, let_in, let_in_line, masked_line
from runbook.outside_text.normal import normal
from runbook.redaction import redact_secrets

LONGEST_LINE = 900
"""Characters; SMTP allows 998 bytes and the line break (RFC 5321, 4.5.3.1.6)."""

LONGEST_MAIL = 50_000
"""Characters; nobody reads more, and servers take some megabytes."""

LONGEST_SUBJECT = 150

_LAST_LINE = 3000


class MailText(Markup):
    """A text as it stands in an e-mail. Made by this module and by the templates alone."""


def mail(text: str) -> MailText:
    """Text on one line."""
    return MailText(masked_line(text, redact_secrets))


def mail_lines(text: str) -> MailText:
    """Text of several lines."""
    return MailText(redact_secrets(normal(text)))


def mail_block(text: str) -> MailText:
    """Commands to copy, or a diff: indented, so that no line of it looks like one of ours."""
    return MailText("\n".join(f"    {line}" for line in str(mail_lines(text)).split("\n")))


def mail_link(url: str, label: str = "") -> MailText:
    """An address of ours, after a label of ours."""
    return MailText(f"{mail(label)}: {mail(url)}" if label else str(mail(url)))


def mail_subject(text: str, *, about: str = "") -> str:
    """The first line of a message: one line without control characters, so that no header follows it.

    Apprise does not fold headers, and a sign beyond ASCII takes up to twelve bytes in one. It leaves `=?` as
    it is, which begins a word that programs decode (RFC 2047): anything could be hidden in it. `about` is the
    id of an incident, which is named at the end where the line does not name it.
    """
    subject = let_in_line(text.partition("\n")[0], LONGEST_SUBJECT).replace("=?", "= ?")
    named = f" ({about})" if about and about not in subject else ""
    while len(Header(f"{subject}{named}", "utf-8").encode(maxlinelen=0)) > LONGEST_LINE:
        subject = f"{subject[: len(subject) * 3 // 4]}{CUT}"
    return f"{subject}{named}"


def mail_beginning(text: str) -> str:
    """The message, cut so that a last line of ours has room."""
    return let_in(text, LONGEST_MAIL - _LAST_LINE)


def mail_body(text: str) -> str:
    """The whole message, with its long lines broken, and cut."""
    lines = [part for line in let_in(text, LONGEST_MAIL).split("\n") for part in _broken(line)]
    return "\n".join(lines) or CUT


def _broken(line: str) -> list[str]:
    parts = []
    while len(line) > LONGEST_LINE:
        at = line.rfind(" ", LONGEST_LINE // 2, LONGEST_LINE)
        at = at if at > 0 else LONGEST_LINE
        parts.append(line[:at])
        line = line[at:].lstrip(" ")
    return [*parts, line]
