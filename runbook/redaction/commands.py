"""Secrets in command lines and SQL statements, where no `=` or `:` follows a name."""

import re
from collections.abc import Iterator

from runbook.redaction.label_values import ValueReader, stays
from runbook.redaction.marks import Span
from runbook.redaction.names import SecretName, secret_name
from runbook.redaction.words import is_harmless

_FLAG = re.compile(
    r"(?<![\w-])--?(?P<name>[A-Za-z][\w.-]*+)"
    r"(?:[ \t]++|[\"']?,[ \t]*(?=[^\s-])|[\"'][ \t]*(?=[\"'])|[\"']?\n[ \t]*-[ \t]+(?=[^\s-]))"
)
_SHORT_PASSWORD = re.compile(r"(?<![\w-])-p(?P<value>'[^'\n]*'?|\"[^\"\n]*\"?)(?![^\s;|&)])")
_CLIENT = re.compile(
    r"\b(?:mysql\w*|mariadb\w*|mongo\w*|mycli|redis-cli|sshpass|ldap\w+|docker login"
    r"|podman login|skopeo login|helm registry login|az login|smbclient)\b"
)
_GLUED_PASSWORD = re.compile(
    r"(?<![\w-])-(?P<letter>[paw])(?P<gap>[ \t]*)(?P<value>(?:'[^'\n]*'|\"[^\"\n]*\"|[^\s'\"-][^\s'\"]*))"
)
_USER = re.compile(
    r"(?<![\w-])(?:-[A-Za-z]{0,6}[uUa]|--user|--proxy-user|--auth|--basic-auth)(?:[ \t]+|=|(?=[\"']))"
    r"(?P<quote>[\"']?)(?P<user>[^\s:\"'%/]{1,100})[:%](?P<value>[^\s\"']+|(?<=[\"'])[^\"']+)"
)
_GLUED_USER = re.compile(
    r"(?<![\w-])-[A-Za-z]{0,6}u(?P<user>[A-Za-z0-9][^\s:\"'%/]{0,100}):(?P<value>[^\s\"']+)"
)
_CURL = re.compile(r"\bcurl\b")
_COOKIE_FLAG = re.compile(r"(?<![\w-])(?:-b|--cookie)[ \t]+(?P<quote>[\"'])(?P<value>[^\"'\n]*=[^\"'\n]*)")
_HTTP_CLIENT = re.compile(r"\b(?:curl|wget|https?|xh|http)\b")
_SQL = re.compile(
    r"\bidentified(?:[ \t]+with[ \t]+[\w'\"`]+)?[ \t]+(?:by|as)(?:[ \t]+password)?[ \t]+"
    r"(?P<value>\\{0,7}[\"']|[^\s;,\"']+)"
    r"|\bpassword(?:[ \t]+\(?|[ \t]*\()[ \t]*(?P<quoted>\\{0,7}['\"`])"
    r"|\b(?:requirepass|masterauth)[ \t]+(?P<bare>\S+)"
    r"|[\"'](?:auth|requirepass|masterauth)[\"'][ \t]+(?P<auth>\\{0,7}[\"'])"
    r"|\b(?:set|SET)(?:env)?[ \t]+(?P<name>[\w./:@-]{3,200})[ \t]+(?P<setting>\\{0,7}[\"']|[^\s;,=\"']+)"
    r"|\bAUTH[ \t]+(?:PLAIN|LOGIN)[ \t]+(?P<smtp>[A-Za-z0-9+/=]{4,})"
    r"|(?:^|>)[ \t]*AUTH[ \t]+(?P<redis>[^\s\"']{4,}(?:[ \t]+[^\s\"']{4,})?)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_PASSWORD = SecretName("password")
_GLUED = ("mysql", "mariadb", "mycli")
"""With a space after it, their `-p` asks for a password."""

_FAR = 200


def find_in_commands(text: str) -> Iterator[Span]:
    """Secrets of flags, such as `--token x`, `-p'x'` and `-u user:x`."""
    reader = ValueReader(text)
    for found in _FLAG.finditer(text):
        secret = secret_name(found["name"])
        if secret and secret.certain and not text.startswith("-", found.end()) and len(found["name"]) > 1:
            yield from reader.read(
                found.end(), secret._replace(line=False) if secret.kind == "cookie" else secret
            )[0]
    for found in _USER.finditer(text):
        user, value = found["user"], found["value"]
        if is_harmless(value) or (
            not _HTTP_CLIENT.search(text, max(0, found.start() - _FAR), found.start())
            and (value == user or value.isdigit())
        ):
            continue
        yield Span(*found.span("value"), "password")
    for found in _GLUED_USER.finditer(text):
        before = text[max(0, found.start() - _FAR) : found.start()]
        if _CURL.search(before) and not is_harmless(found["value"]):
            yield Span(*found.span("value"), "password")
    for found in _COOKIE_FLAG.finditer(text):
        yield Span(*found.span("value"), "cookie")
    for found in _SHORT_PASSWORD.finditer(text):
        start, end = found.start("value") + 1, found.end()
        end -= text[end - 1] == text[start - 1] and end - 1 > start
        if not stays(text[start:end], _PASSWORD) and not text.startswith("{", start):
            yield Span(start, end, "password")
    if _CLIENT.search(text):
        yield from _of_clients(text)


def _of_clients(text: str) -> Iterator[Span]:
    """Passwords of programs that take them right after a letter: `mysql -px`, `redis-cli -a x`."""
    for found in _GLUED_PASSWORD.finditer(text):
        line = text[max(0, found.start() - _FAR) : found.start()].rpartition("\n")[2]
        programs = _CLIENT.findall(line)
        if not programs:
            continue
        program = programs[-1]
        wanted = "a" if program == "redis-cli" else "w" if program.startswith("ldap") else "p"
        if found["letter"] != wanted or (found["gap"] and program.startswith(_GLUED)):
            continue
        start, end = found.span("value")
        if text[start] in "'\"":
            start, end = start + 1, end - 1
        if not stays(text[start:end], _PASSWORD):
            yield Span(start, end, "password")


def find_in_statements(text: str) -> Iterator[Span]:
    """Secrets of SQL and other statements: `IDENTIFIED BY 'x'`, `PASSWORD 'x'`, `AUTH x`."""
    reader = ValueReader(text)
    for found in _SQL.finditer(text):
        group = next(
            name for name, value in found.groupdict().items() if value is not None and name != "name"
        )
        if group == "setting" and not _is_certain(found["name"]):
            continue
        at = found.start(group)
        quoted = reader.quoted(at)
        start, end = (quoted.start, quoted.end) if quoted else found.span(group)
        value = text[start:end].strip()
        if group == "quoted" and re.match(r"[\s,:)]", text[start : start + 1] or " "):
            continue
        if value and not is_harmless(value):
            yield Span(start, end, "password")


def _is_certain(name: str) -> bool:
    secret = secret_name(name.rpartition("/")[2].lstrip(":"))
    return secret is not None and secret.certain
