"""Secrets that a sentence tells: `password is x`, `password for user bob: x`, `password x1y2z3`."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.names import secret_name
from runbook.redaction.words import is_harmless, looks_secret

_LABELS = (
    r"pass(?:word|wd|phrase|code)|secret(?:[ ]key)?|token|api[ _-]?key|access[ _-]?key|pin(?:[ ]code)?|otp"
    r"|credentials?|pwd"
)
_SENTENCE = re.compile(
    rf"\b(?P<name>{_LABELS})s?"
    r"(?P<owner>[ ](?:for|of|to|on|from|at)[ ](?:'[^'\n]{1,120}'|\"[^\"\n]{1,120}\"|[^:=\n'\"]{1,80}?))?"
    r"(?:[ ]*[:=][ ]*|[ ](?:is|was|are|were|now|set to|changed to)\b(?:[ ](?:now|set to))?[ ]*[:=]?[ ]*)"
    r"(?P<value>[\"'`]?[^\s\"'`]+)",
    re.IGNORECASE,
)
_NEXT_WORD = re.compile(
    r"\b(?P<name>pass(?:word|wd|phrase|code)|token|api[ _-]?key)[ \t]++(?P<quote>[\"'`]?)"
    r"(?P<value>[^\s\"'`,;:=()<>\[\]{}]+)",
    re.IGNORECASE,
)
_LONG_WORD = 16


def find_in_sentences(text: str) -> Iterator[Span]:
    """Secrets that a sentence tells: `password is x`, `password for user bob: x`, `password x1y2z3`."""
    for found in _SENTENCE.finditer(text):
        if not found["owner"] and found.group()[len(found["name"]) :].lstrip("s \t")[:1] in (":", "="):
            continue
        value, start = found["value"], found.start("value")
        if value[0] in "\"'`":
            value, start = value[1:], start + 1
        value = value.rstrip(".,;:)")
        if is_harmless(value) or not _tells(value, quoted=start != found.start("value")):
            continue
        yield Span(start, start + len(value), _kind(found["name"]))
    for found in _NEXT_WORD.finditer(text):
        value = found["value"].rstrip(".")
        if not looks_secret(value) or not (
            found["quote"] or found["name"].lower().startswith("pass") or _is_long(value)
        ):
            continue
        yield Span(found.start("value"), found.start("value") + len(value), _kind(found["name"]))


def _tells(value: str, *, quoted: bool) -> bool:
    if quoted:
        return True
    if value.isdigit():
        return len(value) >= 4
    return (
        looks_secret(value)
        or (any(letter.isdigit() for letter in value) and value.isalnum() and not value[0].isdigit())
        or (len(value) == 1 and value.isalpha() and value not in "aAI")
    )


def _is_long(value: str) -> bool:
    return len(value) >= _LONG_WORD and value.isalnum()


def _kind(name: str) -> str:
    secret = secret_name(name.replace(" ", "_"))
    return secret.kind if secret else "secret"
