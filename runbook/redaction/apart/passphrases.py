"""Passwords of several words without quotation marks: `password=correct horse`."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.names import secret_name
from runbook.redaction.words import is_harmless, looks_secret

_WORD = r"[^\W\d_][\w'-]*+"
_SEVERAL = re.compile(
    rf"(?<![\w.-])(?P<name>[\w.-]*(?:pass|pwd|PASS|PWD|Pass|Pwd)[\w.-]*+)[ ]?=[ ]?"
    rf"(?P<value>{_WORD}(?:[ ]{_WORD}){{1,7}})(?=[ \t]*(?:\r?$|[;,&|)\]}}\"']|[ \t][\w.-]+=))",
    re.MULTILINE,
)
_KINDS = ("password", "passphrase", "pwd", "passwd")
_OF_SENTENCES = re.compile(r"\w+(?:ing|ed|ly)|in|on|at|to|by|of|as")


def find_passphrases(text: str) -> Iterator[Span]:
    """All words of a password that stands between its name and the end of the line, or the next name.

    It counts as one if every word is a plain word and none belongs to a sentence about the password:
    `password=tulip rejected` has a password of one word. A value that looks made by a machine ends at its
    first blank.
    """
    if "=" not in text:
        return
    for found in _SEVERAL.finditer(text):
        secret = secret_name(found["name"])
        words = found["value"].split(" ")
        if (
            secret
            and secret.certain
            and secret.kind in _KINDS
            and not looks_secret(words[0])
            and not any(is_harmless(word) for word in words)
            and not any(_OF_SENTENCES.fullmatch(word.lower()) for word in words[1:])
        ):
            yield Span(*found.span("value"), secret.kind)
