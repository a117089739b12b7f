"""Words that say that no answer came: a timeout, or no connection. They stand where a status would."""

import re

_NAMED = re.compile(
    r"\bstatus[\"'\\]{0,2}\s?[=:]\s?[\"'\\]{0,2}(?P<failure>timeout|connection)\b", re.IGNORECASE | re.ASCII
)
_TIMEOUT = re.compile(
    r"(?:(?<![a-z])timed?[\s_-]?out(?![a-z])|[a-z]timeout)(?!\s{0,3}[=:]\s{0,3}[0-9])|deadline[ _]?exceeded"
    r"|timeout(?:error|exception)|E(?:SOCKET)?TIMEDOUT|\[Errno 110\]",
    re.IGNORECASE | re.ASCII,
)
_OWN_TIMEOUT = re.compile(
    r"\bworker timeout\b|\b(?:invalid|unknown|bad|set|setting) timeout\b"
    r"|\btimeout (?:must|value|option|setting)\b",
    re.IGNORECASE,
)
_NO_CONNECTION = re.compile(
    r"connection (?:was )?(?:refused|reset|aborted|closed|error)|closed connection|connectionerror"
    r"|E(?:CONNREFUSED|CONNRESET|CONNABORTED|NOTFOUND|AI_AGAIN|HOSTUNREACH|NETUNREACH|PIPE)\b"
    r"|ERR_(?:NAME_NOT_RESOLVED|CONNECTION_(?:REFUSED|RESET|CLOSED)|INTERNET_DISCONNECTED"
    r"|ADDRESS_UNREACHABLE)|\[Errno (?:-[235]|101|104|111|113)\]|gaierror|getaddrinfo failed"
    r"|name or service not known|no such host|unknown ?host|could not resolve|nodename nor servname"
    r"|name resolution|network is unreachable|network ?error|no ?route ?to ?host"
    r"|socket (?:hang up|disconnected)|server disconnected|broken pipe|cannot connect|failed to connect"
    r"|fetch failed|new connection|connecte(?:xception|rror)|no healthy upstream|before (?:headers|response)"
    r"|prematurely closed|other side closed|UND_ERR_SOCKET"
    r"|dial (?:tcp|udp)|server misbehaving|\bcode = Unavailable\b|StatusCode\.UNAVAILABLE"
    r"|\b14 UNAVAILABLE\b|StatusRuntimeException: UNAVAILABLE",
    re.IGNORECASE,
)


def failure_in(text: str) -> str | None:
    """`timeout` or `connection` where the words say that no answer came."""
    if named := _NAMED.search(text):
        return named["failure"].lower()
    if _TIMEOUT.search(text) and not _OWN_TIMEOUT.search(text):
        return "timeout"
    return "connection" if _NO_CONNECTION.search(text) else None
