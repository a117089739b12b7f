"""Secrets in command lines and SQL statements, where no `=` or `:` follows a name."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.names import SecretName, secret_name
from runbook.redaction.values.harmless import stays
from runbook.redaction.values.label_values import ValueReader
from runbook.redaction.words import is_harmless

_FLAG = re.compile(
    r"(?<![\w-])--?(?P<name>[A-Za-z][\w.-]*+)"
    r"(?:[ \t]++|\0(?=[^\s\0-])|[\"']?,[ \t]*(?=[^\s-])|[\"'][ \t]*(?=[\"'])|[\"']?\n[ \t]*-[ \t]+(?=[^\s-]))"
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
_I = re.IGNORECASE | re.MULTILINE
_SQL: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (
        ("identified",),
        re.compile(
            r"identified(?:[ \t]+with[ \t]+[\w'\"`]+)?[ \t]+(?:by|as)(?:[ \t]+password)?[ \t]+"
            r"(?P<value>\\{0,7}[\"']|[^\s;,\"']+)",
            _I,
        ),
    ),
    (
        ("password",),
        re.compile(
            r"password(?:(?:[ \t]+\(?|\()[ \t]*(?P<quoted>\\{0,7}['\"`])"
            r"|[ \t]+[0-9][ \t]+(?P<typed>[0-9A-Za-z$./]{6,}))",
            _I,
        ),
    ),
    (("login ",), re.compile(r"login[ \t]+\S+[ \t]+password[ \t]+(?P<netrc>\S+)", _I)),
    (
        ("requirepass", "masterauth"),
        re.compile(
            r"(?:requirepass|masterauth)(?:[\"'][ \t]+(?P<auth>\\{0,7}[\"'])|[ \t]+(?P<bare>\S+))", _I
        ),
    ),
    (
        ('auth"', "auth'"),
        re.compile(
            r"[\"']auth[\"'][ \t]+(?:[\"'][^\"']{1,100}[\"'][ \t]+(?P<acl>\\{0,7}[\"'])|"
            r"(?P<auth>\\{0,7}[\"']))",
            _I,
        ),
    ),
    (
        ("set", "env ", "_param", "_header"),
        re.compile(
            r"\b(?:set|setx|ENV|fastcgi_param|uwsgi_param|proxy_set_header|add_header)(?:env)?"
            r"(?:[ \t]+-[A-Za-z]{1,3})?"
            r"[ \t]+(?P<name>[\w./:@-]{3,200})[ \t]+(?P<setting>\\{0,7}[\"']|[^\s;,=\"'$]+)",
            _I,
        ),
    ),
    (
        ("auth ", "auth\t"),
        re.compile(
            r"\bAUTH[ \t]+(?:PLAIN|LOGIN)[ \t]+(?P<smtp>[A-Za-z0-9+/=]{4,})"
            r"|(?:^|>)[ \t]*AUTH[ \t]+(?P<redis>[^\s\"']{4,}(?:[ \t]+[^\s\"']{4,})?)[ \t]*$",
            _I,
        ),
    ),
)
"""Statements, each behind words of which a text in small letters has one, or it is not looked for."""

_PASSWORD = SecretName("password")
_GLUED = ("mysql", "mariadb", "mycli")
"""With a space after it, their `-p` asks for a password."""

_FAR = 200


_PROGRAMS = re.compile(
    r"\bvault[ \t]+login[ \t]+(?:-\S+[ \t]+){0,3}(?P<vault>[^\s=-][^\s=]{5,})[ \t]*(?=$|[\"'`;|&)])"
    r"|\brabbitmqctl[ \t]+(?:add_user|change_password)[ \t]+\S+[ \t]+(?P<rabbitmq>[^\s\"'`]+)"
    r"|\bhtpasswd[ \t]+-\w*b\w*[ \t]+(?:\S+[ \t]+)?\S+[ \t]+(?P<htpasswd>[^\s\"'`]+)[ \t]*(?=$|[\"'`;|&)])"
    r"|\becho[ \t]+(?:-\w[ \t]+)?[\"']?[^\s:\"']{1,60}:"
    r"(?P<chpasswd>[^\s|\"']+)[\"']?[ \t]*\|[^\n|]{0,40}\bchpasswd\b"
    r"|\b(?:echo|printf)[ \t]+(?:-\w[ \t]+)?[\"']?(?P<stdin>[^\s|\"'$]+)[\"']?[ \t]*\|[^\n|]{0,200}"
    r"(?:--password-stdin|--with-token)"
    r"|\bgh[ \t]+auth[ \t]+login[^\n]{0,80}--with-token[ \t]+(?P<github>\w{6,})"
    r"|(?:^|>[ \t]?)PASS[ \t]+(?P<ftp>[^\s/.]{4,})[ \t]*\r?$"
    r"|^[ \t]*\w{1,8}[ \t]+LOGIN[ \t]+\S+[ \t]+(?P<imap>\S{4,})[ \t]*\r?$"
    r"|\b7z[ \t][^\n|;]{0,200}?[ \t]-p(?P<archive>[^\s\"'`]+)"
    r"|\bunzip[ \t][^\n|;]{0,200}?-P[ \t]*(?P<unzip>[^\s\"'`]+)"
    r"|\bopenssl[ \t]+enc[^\n|;]{0,200}?[ \t]-k[ \t]+(?P<openssl>[^\s\"'`]+)"
    r"|\bnet[ \t]+use[ \t]+\S+[ \t]+\\{2,4}\S+[ \t]+(?P<share>[^\s/][^\s]*)"
    r"|\bkubectl[ \t]+create[ \t]+secret[^\n]{0,400}?--from-literal[= ][\"']?[\w.-]+=(?P<literal>[^\s\"'`]+)"
    r"|\b(?:user|setuser)[ \t]+\S+[ \t]+(?:[^\s>#]\S*[ \t]+){0,8}(?:>(?P<redis>[^\s\d]\S{3,})|#"
    r"(?P<redis_hash>[0-9a-f]{64}))"
    r"|\bsnmp-server[ \t]+community[ \t]+(?P<community>\S+)"
    r"|\bsnmp\w+[ \t][^\n|;]{0,100}?[ \t]-[AXc][ \t]+(?P<snmp>[^\s\"'`]+)"
    r"|\bipmitool[ \t][^\n|;]{0,100}?-P[ \t]*(?P<ipmi>[^\s\"'`]+)"
    r"|\bbindpw[ \t]+(?P<ldap>[^\s\"'`=:]+)[ \t]*$"
    r"|[\"']PASS[ \t]+(?P<traced>[^\s/.\"'\\]{4,})(?=\\r|\\n|[\"'])"
    r"|\bConvertTo-SecureString[ \t]+(?:-String[ \t]+)?[\"'](?P<powershell>[^\"'$\n]+)[\"']",
    re.MULTILINE | re.IGNORECASE,
)
_LITERALS = re.compile(r"--from-literal[= ][\"']?[\w.-]+=(?P<value>[^\s\"'`]+)")


def find_in_programs(text: str) -> Iterator[Span]:
    """Secrets that programs take by their place among the arguments, such as `vault login x`."""
    for found in _PROGRAMS.finditer(text):
        group = found.lastgroup
        if group and not is_harmless(found[group]):
            yield Span(*found.span(group), "password")
    if "create secret" in text:
        for found in _LITERALS.finditer(text):
            if not is_harmless(found["value"]):
                yield Span(*found.span("value"), "secret-data")


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
            (value == user or value.isdigit())
            and not _HTTP_CLIENT.search(text, max(0, found.start() - _FAR), found.start())
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
    reader, small = ValueReader(text), text.lower()
    places = (
        found
        for needles, pattern in _SQL
        if any(needle in small for needle in needles)
        for found in pattern.finditer(text)
    )
    for found in places:
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
