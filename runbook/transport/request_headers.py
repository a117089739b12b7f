"""Headers that people add to the runbook's own requests: what they may be called and hold."""

import base64
import binascii
import re

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\t]*")
_NOT_OURS = frozenset(
    {"connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""They belong to the connection, and another value would break the request."""

SHORTEST_WORD = 8
"""Words of a secret value that are masked by themselves; shorter ones are ordinary words, as `Bearer` is."""


def header_mistake(name: str, value: str) -> str:
    """Why this cannot be sent as a header, empty where it can. RFC 9110; the text never holds the value."""
    if not _NAME.fullmatch(name):
        return "not the name of a header"
    if name.lower() in _NOT_OURS:
        return "belongs to the connection and cannot be set"
    if value != value.strip() or not value:
        return "is empty or has white space around it"
    if not _VALUE.fullmatch(value):
        return "has characters that a header must not have"
    return ""


def secrets_in_header(value: str) -> list[str]:
    """What of a secret header's value is to be masked, for it may come back in parts.

    The value itself, its words, and the password in it where it is basic authentication.
    """
    scheme, _, rest = value.partition(" ")
    found = [value, *(word for word in re.split(r"[\s;,=]+", value) if len(word) >= SHORTEST_WORD)]
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(rest.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return found
        found += [pair, pair.partition(":")[2]]
    return found
