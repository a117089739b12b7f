"""What of an address (a URL) is a secret. Addresses are shown to people, so none may stand in one."""

import re
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote

from runbook.redaction import redact_secrets
from runbook.transport.credential_names import names_credential

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*://"
_WHOLE = re.compile(rf"\s*{_SCHEME}(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_WITHIN = re.compile(rf"{_SCHEME}(?P<authority>[^/?#\s\"']*)(?P<rest>[^\s\"']*)")
_BARE = re.compile(r"(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_PORT = re.compile(r".*:(?P<port>[^\]:]*)")


class SecretPart(StrEnum):
    """The part of an address that holds a secret."""

    USER = "user"
    PASSWORD = "password"  # noqa: S105  a word for people
    PARAMETER = "parameter"
    PATH = "path"


def secret_part(text: str, *, is_address: bool = False) -> SecretPart | None:
    """The part of an address in a text that holds a secret; None where there is no such.

    `is_address` says that the text is one even without a scheme: `user:password@host:9090`. A user alone
    counts too: many services take a token in its place.
    """
    if whole := _WHOLE.match(text):
        return _part_of(whole)
    found = list(_WITHIN.finditer(text))
    if not found and is_address and (bare := _BARE.match(text)):
        found = [bare]
    return next((part for each in found if (part := _part_of(each))), None)


def _part_of(address: re.Match[str]) -> SecretPart | None:
    if user := _user_of(address):
        return SecretPart.PASSWORD if user.partition(":")[2] else SecretPart.USER
    path, parameters = _split(address["rest"])
    if any(_is_secret(name, value) for name, value in parameters):
        return SecretPart.PARAMETER
    whole = unquote(address["authority"] + path)
    return SecretPart.PATH if redact_secrets(whole) != whole else None


def _user_of(address: re.Match[str]) -> str:
    """What stands before the host. A password with a `/`, `?` or `#` in it goes beyond the authority."""
    authority, rest = address["authority"], address["rest"]
    if "@" in authority:
        return authority.rpartition("@")[0]
    port = _PORT.fullmatch(authority)
    beyond = port is not None and port["port"] != "" and not port["port"].isdigit()
    return (authority + rest).rpartition("@")[0] if beyond else ""


def _split(rest: str) -> tuple[str, list[tuple[str, str]]]:
    """The path, and the parameters of query and fragment."""
    path, *more = re.split(r"[?#]", rest)
    return path, [pair for part in more for pair in parse_qsl(part.replace(";", "&"), errors="replace")]


def _is_secret(name: str, value: str) -> bool:
    return names_credential(name) or redact_secrets(value) != value


def password_in(text: str) -> str:
    """The password in an address, decoded; empty where it has none, or the text is no address."""
    whole = _WHOLE.match(text)
    return unquote(_user_of(whole).partition(":")[2]) if whole else ""


def is_loopback(host: str) -> bool:
    """Whether a host, by its name or its address, is the machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
