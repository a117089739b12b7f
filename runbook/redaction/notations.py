"""Names and values that stand on two lines, or apart: what PHP, Node, YAML, TOML and pydantic print."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.names import secret_name
from runbook.redaction.values.harmless import stays

_NOTATIONS: tuple[re.Pattern[str], ...] = (
    # PHP's var_dump
    re.compile(
        r"\[\"(?P<name>[^\"\]\r\n]{1,100})\"(?::[\w\"\\:]{1,100})?\]=>\s{0,40}string\(\d+\)[ ]\""
        r"(?P<value>[^\"\r\n]*)\""
    ),
    # TOML's texts of several lines
    re.compile(
        r"^[ \t]*(?P<name>[\w.\"'-]{1,100})[ \t]*=[ \t]*(?P<quote>\"\"\"|''')\r?\n"
        r"(?P<value>(?:(?!(?P=quote)).){1,4000}?)\s*(?P=quote)",
        re.MULTILINE | re.DOTALL,
    ),
    # YAML's keys with a question mark
    re.compile(
        r"^[ \t]*\?[ ](?P<name>[\w.\"'-]{1,100})[ \t]*\r?\n[ \t]*:[ ][\"']?(?P<value>[^\r\n\"']+)",
        re.MULTILINE,
    ),
    # pydantic's errors
    re.compile(
        r"^(?P<name>[\w.-]{1,200})\r?\n[ \t]+[^\r\n]{1,300}?\[type=\w{1,60}, input_value=[\"']"
        r"(?P<value>[^\r\n]{1,400}?)"
        r"[\"']?, input_type=\w",
        re.MULTILINE,
    ),
    # Node's lists of headers, and arguments in a list
    re.compile(
        r"^[ \t]*[\"'](?P<name>[A-Za-z][\w-]{1,60})[\"'],\r?\n[ \t]*[\"'](?P<value>[^\"'\r\n]{1,2000})[\"']",
        re.MULTILINE,
    ),
    # kubectl describe, of arguments on lines of their own
    re.compile(
        r"^[ \t]+--?(?P<name>[A-Za-z][\w.-]{1,60})\r?\n[ \t]+(?P<value>[^\s-][^\s]*)[ \t]*\r?$", re.MULTILINE
    ),
    # LDIF, in base64
    re.compile(r"^(?P<name>[\w-]{1,60})(?:;[\w;-]{1,60})?::[ ]?(?P<value>[A-Za-z0-9+/=]{4,})", re.MULTILINE),
    # forms of several parts
    re.compile(
        r"form-data; name=\\?\"(?P<name>[\w.\[\]-]{1,100})\\?\"(?:\r?\n|\\r\\n|\\n){2}"
        r"(?P<value>[^\s\\]{1,2000})"
    ),
    # Erlang's pairs
    re.compile(r"\{(?P<name>[a-z]\w{1,60}),[ ]?(?:<<)?\"(?P<value>[^\"\r\n]{1,2000})\"(?:>>)?\}"),
    # INI, where a value has spaces
    re.compile(
        r"^[ \t]*(?P<name>[\w.-]{1,100})[ ]=[ ](?P<value>[^\s=:;#\"'`\[{(<$]++"
        r"(?:[ ][^\s=:;#\"'`\[{(<$]++){1,8})[ \t]*\r?$",
        re.MULTILINE,
    ),
)
_NAME_OF_PATH = re.compile(r"[\w-]+$")
_WORDS = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")


_SECRET_DATA = re.compile(r"[\"'](?:data|stringData)\\{0,7}[\"']\s*:\s*\{(?P<members>[^{}]{1,20000})")
_DATUM = re.compile(r"[\"']\s*:\s*\\{0,7}[\"'](?P<value>[^\"'\\]{1,4000})")
_OF_SECRET = re.compile(r"kind\\{0,7}[\"']\s*:\s*\\{0,7}[\"']Secret\b")


def find_in_secrets(text: str) -> Iterator[Span]:
    """The data of a Kubernetes Secret in JSON that is cut off or broken."""
    if not _OF_SECRET.search(text):
        return
    for data in _SECRET_DATA.finditer(text):
        for found in _DATUM.finditer(text, *data.span("members")):
            yield Span(*found.span("value"), "secret-data")


def find_in_notations(text: str) -> Iterator[Span]:
    """Values that stand under a secret name on the line before, or in quotation marks of several lines."""
    if not any(sign in text for sign in ("\n", " = ", "{", "form-data", "::")):
        return
    for notation in _NOTATIONS:
        for found in notation.finditer(text):
            named = _NAME_OF_PATH.search(found["name"].strip("\"'"))
            secret = secret_name(named.group()) if named else None
            value = found["value"]
            if not secret or not secret.certain or stays(value, secret) or secret_name(value):
                continue
            if notation is _NOTATIONS[4] and _WORDS.fullmatch(value):  # the next name in a list of names
                continue
            yield Span(*found.span("value"), secret.kind)
