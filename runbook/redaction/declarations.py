"""Values that source code gives a name: `password: str = "x"`, `const Key string = "x"`, `API_KEY || "x"`."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.names import secret_name
from runbook.redaction.values.harmless import stays

_QUOTED = r"[bBrRuUfF]?(?P<quote>[\"'`])(?P<value>(?:(?!(?P=quote))[^\r\n\\]|\\.){1,2000})(?P=quote)"
_NAME = r"(?<!\w)(?P<name>\w{3,100}+)"
_BARE = r"(?P<value>[^\s\"'`,;(){}\[\]<>]{4,})"

_DECLARATIONS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (  # an annotation: Python, TypeScript, Rust, Kotlin, Swift
        (":",),
        re.compile(
            rf"{_NAME}[?!]?[ ]{{0,2}}:[ ]{{0,2}}(?P<type>[&'\w][\w .\[\]|<>?&']{{0,60}}?)"
            rf"[ ]{{0,4}}=[ ]{{0,4}}{_QUOTED}"
        ),
    ),
    (  # Go, Java, C: the type beside the name
        ("const", "var", "let"),
        re.compile(
            rf"\b(?:const|var|let)[ ]+{_NAME}[ ]+[*\[\]\w.]{{1,40}}"
            rf"[ ]{{0,4}}=[ ]{{0,4}}{_QUOTED}"
        ),
    ),
    (("||", "??"), re.compile(rf"{_NAME}[\"')\]]*[ ]{{0,4}}(?:\|\||\?\?)[ ]{{0,4}}{_QUOTED}")),
    (  # a wrapped value beside its name, as Rust prints pairs
        (",",),
        re.compile(rf"[(\[][\"'](?P<name>[\w-]{{3,100}})[\"'],[ ]?[A-Z]\w{{0,40}}\({_QUOTED}\)"),
    ),
    (  # a cookie that a program sets
        ("ookie(",),
        re.compile(rf"[cC]ookie\([ ]?[\"'](?P<name>[\w.-]{{3,100}})[\"'],[ ]?{_QUOTED}"),
    ),
    (("::",), re.compile(rf"\bname=(?P<name>[\w-]{{3,100}})::{_BARE}")),  # commands of GitHub's runners
    (("[",), re.compile(rf"{_NAME}\[\d{{1,4}}\][ ]?[:=][ ]?[\"']?{_BARE}")),
    (
        (" to ",),
        re.compile(rf"\b[sS]et(?:ting)?[ ](?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+)[ ]to[ ][\"'`]?{_BARE}"),
    ),
)
"""Each behind signs of which a text has one, or it is not looked for."""


def find_in_declarations(text: str) -> Iterator[Span]:
    """Values that a program's source, or what it prints in that form, gives a secret name."""
    for signs, pattern in _DECLARATIONS:
        if not any(sign in text for sign in signs):
            continue
        for found in pattern.finditer(text):
            secret = secret_name(found["name"])
            value = found["value"]
            if secret and secret.certain and not stays(value, secret) and not secret_name(value):
                yield Span(*found.span("value"), secret.kind)
