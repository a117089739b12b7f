"""Passwords in addresses and connection strings: `scheme://user:password@host`, `user:password@tcp(host)`."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span

LONGEST = 2000
"""Characters of an address that are looked at."""

_START = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,40}):\\{0,7}/\\{0,7}/")
_RUN = re.compile(rf"[^\s\"`\x1b]{{1,{LONGEST}}}")
_RUN_WITH_QUOTES = re.compile(rf"[^\s,\x1b]{{1,{LONGEST}}}")
_OPEN_PASSWORD = re.compile(r"[\w.%+-]*:(?!\d{1,5}$)[^/?#]+$")
_HOST = re.compile(r"\[[0-9A-Fa-f:.%]+\]|[\w.${}-]+|\[redacted:|\(|%5[bB]|/")
_PORT = re.compile(r"\d{1,5}|\$?\{\{?[\w. ]*\}?\}")
_WEB = frozenset(
    ("http", "https", "ws", "wss", "git", "ssh", "svn", "ftp", "ftps", "sftp", "oci", "docker", "file")
)
_ENCODED = re.compile(
    r"%(?:25)*3[aA]%(?:25)*2[fF]%(?:25)*2[fF](?P<value>(?:[^\s\"'&%]|%(?!(?:25)*(?:40|2[fF]|26|20|22)))+)%(?:25)*40"
)
_QUERY = re.compile(r"\?|%(?:25)*3[fF]")
_NETWORK_PATH = re.compile(r"(?<![:/\\\w])//(?P<value>[\w.-]{1,100}:[^\s@/\"']{1,200})@(?=[\w\[])")
_DRIVERS = ("@tcp(", "@tcp4(", "@tcp6(", "@udp(", "@unix(", "@cloudsql(", "@memory(", "@pipe(", "@(", "@/")
_DRIVER = re.compile(
    r"(?<![\w.+-])[\w.+-]*+:(?P<value>[^\s\"'`]{1,200}?)@"
    r"(?:(?:tcp|tcp4|tcp6|udp|unix|cloudsql|memory|pipe)?\(|/\w)"
)
_ORACLE = re.compile(
    r"oracle:(?:thin|oci8?):[\w$#.-]+/(?P<value>[^\s\"'@]+)@"
    r"|\bsqlplus(?: -\w+)* [\w$#.-]+/(?P<other>[^\s\"'@]+)@"
)
_BAD_PORT = re.compile(
    r"invalid port \\{0,3}\":(?P<value>[^\"\s\\]+)\\{0,3}\" after host"
    r"|Port could not be cast to integer value as '(?P<python>[^'\r\n]+)'"
)
_NO_HOST = re.compile(
    r"\b[a-z][a-z0-9+.-]{2,20}://(?P<value>[\w.%+-]{0,100}:[^\s@/:\"'`]{1,200})@(?=[\"'`]|\s|$)"
)
_NO_SCHEME = re.compile(
    r"(?<![\w.+:/@-])(?P<user>[A-Za-z][\w.+-]*+):(?P<value>[^\s\"'`:/@,;()<>]{1,200})@(?!sha\d+:)[\w.-]+(?::\d{2,5}\b|/\w|:(?=\s))"
)


def find_userinfo(text: str) -> Iterator[Span]:
    """All users and passwords in addresses of the text."""
    if "@" in text:
        at = 0
        while (colon := text.find("://", at)) >= 0:
            yield from _in_address(text, colon + 3)
            at = colon + 3
        if ":\\" in text or ":/\\" in text:
            for found in _START.finditer(text):
                if "\\" in found.group():
                    yield from _in_address(text, found.end())
        yield from _without_scheme(text)
    if "%40" in text or "%2540" in text:
        for found in _ENCODED.finditer(text):
            if not _QUERY.search(found["value"]):
                yield Span(*found.span("value"), "userinfo")


def find_in_errors(text: str) -> Iterator[Span]:
    """Passwords with a slash, which Go and Python take for a port and quote in errors."""
    for found in _BAD_PORT.finditer(text):
        group = "value" if found["value"] else "python"
        if not found[group].isdigit():
            yield Span(*found.span(group), "userinfo")
    for found in _NO_HOST.finditer(text):
        yield Span(*found.span("value"), "userinfo")


def _without_scheme(text: str) -> Iterator[Span]:
    if "//" in text:
        for found in _NETWORK_PATH.finditer(text):
            yield Span(*found.span("value"), "userinfo")
    if any(driver in text for driver in _DRIVERS):
        for found in _DRIVER.finditer(text):
            yield Span(*found.span("value"), "userinfo")
    for found in _NO_SCHEME.finditer(text):
        if found["user"][0].isupper() and found["value"].isalpha():
            continue  # a thread or a class, and who it works for
        yield Span(*found.span("value"), "userinfo")
    if "oracle:" in text or "sqlplus" in text:
        for found in _ORACLE.finditer(text):
            group = "value" if found["value"] else "other"
            yield Span(*found.span(group), "userinfo")


def _in_address(text: str, start: int) -> Iterator[Span]:
    following = text.find("://", start, start + LONGEST)
    end = following if following >= 0 else len(text)
    run = _RUN.match(text, start, end)
    if run and "@" not in run.group() and _OPEN_PASSWORD.match(run.group()):
        run = _RUN_WITH_QUOTES.match(text, start, end)  # a quote may be part of the password
    if not run or "@" not in run.group():
        return
    body = run.group()
    authority = re.match(r"[^/?#\\]*", body)
    first = authority.group() if authority else ""
    web = _scheme_before(text, start) in _WEB
    end = _last_at(first)
    if end >= 0 and web:
        yield Span(start, start + end, "userinfo")
        return
    if end < 0 and (":" not in first or first.startswith("[") or _PORT.fullmatch(first.partition(":")[2])):
        return
    last = _last_at(body)
    if last >= 0:
        yield Span(start, start + max(last, end), "userinfo")


def _last_at(body: str) -> int:
    """Where the last `@` before something like a host is, or -1."""
    at = body.rfind("@")
    while at >= 0 and not _HOST.match(body, at + 1):
        at = body.rfind("@", 0, at)
    return at


def _scheme_before(text: str, start: int) -> str:
    found = re.search(r"[A-Za-z][A-Za-z0-9.+-]*(?=:[\\/]*$)", text[max(0, start - 30) : start])
    return found.group().lower().partition("+")[2] or found.group().lower() if found else ""
