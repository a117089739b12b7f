"""Secrets that a sentence tells: `password is x`, `password for user bob: x`, `password x1y2z3`."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import Span
from runbook.redaction.names import secret_name
from runbook.redaction.words import is_harmless, looks_secret

_LABELS = (
    r"pass(?:word|wd|phrase|code)|secret(?:[ ]key)?|token|api[ _-]?key|access[ _-]?key|pin(?:[ ]code)?|otp"
    r"|credentials?|pwd|passwort|kennwort|mot[ ]de[ ]passe|contrase.a|senha|wachtwoord"
)
_SENTENCE = re.compile(
    rf"(?<![^\W_])(?P<name>{_LABELS})s?(?:[ ](?:provided|supplied|given|received|used))?"
    r"(?P<owner>[ ](?:for|of|to|on|from|at)[ ](?:'[^'\n]{1,120}'|\"[^\"\n]{1,120}\"|[^:=\n'\"]{1,80}?))?"
    r"(?:[ ]*[:=][ ]*|[ ](?:is|was|are|were|now|set to|changed to|lautet|ist|est|es|er)\b(?:[ ]"
    r"(?:now|set to))?[ ]*[:=]?[ ]*)"
    r"(?P<value>[\"'`]?[^\s\"'`]+)",
    re.IGNORECASE,
)
_NEXT_WORD = re.compile(
    r"(?<![^\W_])(?P<name>pass(?:word|wd|phrase|code)|token|(?:api|access|secret|license|auth)[ _-]?key"
    r"|credentials?)(?:(?:[ \t]|\\t)++(?:(?:-|/|\||->|\.{3})[ \t]++)?|[;|])(?P<quote>[\"'`]?)"
    r"(?P<value>[^\s\"'`,;:=()<>\[\]{}]+)",
    re.IGNORECASE,
)
_LABEL = re.compile(rf"(?<![^\W_])(?:{_LABELS}|(?:license|auth)[ _-]?key)", re.IGNORECASE)
_CHANGED = re.compile(
    rf"\b(?P<name>{_LABELS})s?\b(?P<owner>[^\n:=]{{0,60}}?)[ ](?:changed|rotated|updated|set"
    rf"|switched|migrated|went|moved|reset)?[ ]?from[ ]"
    r"(?P<old>'[^'\n]+'|\"[^\"\n]+\"|`[^`\n]+`|[^\s\"'`]+)[ ]to[ ](?P<new>'[^'\n]+'|\"[^\"\n]+\""
    r"|`[^`\n]+`|[^\s\"'`,;]+)",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    rf"\b(?P<name>{_LABELS})s?\b[ ](?:changed|rotated|updated|set):?[ ]"
    r"(?P<old>'[^'\n]+'|\"[^\"\n]+\"|[^\s\"'`]+)[ ](?:->|=>|to)[ ](?P<new>'[^'\n]+'|\"[^\"\n]+\""
    r"|[^\s\"'`,;]+)",
    re.IGNORECASE,
)
_PAIR = re.compile(
    rf"\b(?P<name>{_LABELS})s?\b(?:[ ]mismatch)?[:,]?[ ](?:got|expected|want(?:ed)?|was)[ ]+"
    rf"(?P<old>[^\s,;]+)"
    r"(?:,?[ ](?:but[ ])?(?:got|expected|want(?:ed)?|was)[ ]+(?P<new>[^\s,;]+))?",
    re.IGNORECASE,
)
_EXPECTED = re.compile(
    rf"\b(?:got|expected|want(?:ed)?)[ ](?P<name>{_LABELS})[ ](?P<old>[^\s,;]+)"
    r"(?:,?[ ](?:but[ ])?(?:got|expected|want(?:ed)?|was)[ ]+(?P<new>[^\s,;]+))?",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?:one[ -]?time|verification|security|login|sign-?in|confirmation|auth(?:entication)?|2fa"
    r"|mfa|sms)[ -]"
    r"(?:pass)?code[ ](?:is|was|:)[ ]*(?P<after>[0-9]{4,8})\b"
    r"|\b(?P<before>[0-9]{4,8})[ ](?:is|as)[ ]your[ ](?:[\w-]+[ ]){0,2}(?:pass)?code\b",
    re.IGNORECASE,
)
_ALONE = re.compile(
    rf"\b(?P<name>{_LABELS})s?\b[^\n=]{{0,60}}(?:[:=][ \t]*)?\r?\n(?:[ \t]*\r?\n)?[ \t]*"
    rf"(?P<value>[A-Za-z0-9_+/=.-]{{12,}})[ \t]*(?=\r?$)",
    re.IGNORECASE | re.MULTILINE,
)
_INITIAL = re.compile(r"(?P<name>password) is generated for [^\s:]{1,100}: (?P<value>\S+)", re.IGNORECASE)
_OF_TWO = (
    ("from", _CHANGED),
    ("changed", _CHANGE),
    ("rotated", _CHANGE),
    ("updated", _CHANGE),
    *((word, _PAIR) for word in ("got", "expected", "want", "was")),
)
_OF_ONE = (("\n", _ALONE), ("generated", _INITIAL))
"""Sentences, each with a word that a text in small letters has, or it is not looked for."""

_QUOTED_KEY = re.compile(
    r"\bkey\b[^\n\"'`“”:=]{0,40}[\"'`“](?P<value>[A-Za-z0-9_+/=-]{16,})[\"'`”]", re.IGNORECASE
)
"""A key that is called one only by the sentence: names of things have words in them, and no such mixture."""

_AFTER_KEY = re.compile(
    r"[ ]?(?:is|was|has|not|does|expired|revoked|rejected|denied|invalid|unknown|not found|for|failed)\b",
    re.IGNORECASE,
)
_BEFORE_KEY = re.compile(
    r"\b(?:invalid|bad|wrong|unknown|expired|revoked|incorrect|rejected|using|with|license|licence)[ ]$",
    re.IGNORECASE,
)
_LONG_WORD = 16
_SHORT_WORD = 7


def find_in_sentences(text: str) -> Iterator[Span]:
    """Secrets that a sentence tells: `password is x`, `password for user bob: x`, `password x1y2z3`."""
    at, small = 0, text.lower()
    of_two = [pattern for word, pattern in _OF_TWO if word in small]
    of_one = [pattern for word, pattern in _OF_ONE if word in small]
    for label in _LABEL.finditer(text):
        start = label.start()
        if start >= at and (found := _SENTENCE.match(text, start)):
            at = found.end()
            yield from _of_sentence(found)
        for pattern in of_two:
            if found := pattern.match(text, start):
                for group in ("old", "new"):
                    yield from _of_change(found, group)
        for pattern in of_one:
            found = pattern.match(text, start)
            if found and looks_secret(found["value"]) and not is_harmless(found["value"]):
                yield Span(*found.span("value"), _kind(found["name"]))
        if found := _NEXT_WORD.match(text, start):
            yield from _of_next_word(text, found)
    if "got " in small or "expected " in small or "want" in small:
        for found in _EXPECTED.finditer(text):
            for group in ("old", "new"):
                yield from _of_change(found, group)
    if "key" in small:
        for found in _QUOTED_KEY.finditer(text):
            if looks_secret(found["value"]) and not is_harmless(found["value"]):
                yield Span(*found.span("value"), "key")
    if "code" in small:
        for found in _CODE.finditer(text):
            yield Span(*found.span("after" if found["after"] else "before"), "one-time-code")


def _of_sentence(found: re.Match[str]) -> Iterator[Span]:
    if not found["owner"] and found.group()[len(found["name"]) :].lstrip("s \t")[:1] in (":", "="):
        return
    value, start = found["value"], found.start("value")
    if value[0] in "\"'`":
        value, start = value[1:], start + 1
    value = value.rstrip(".,;:)")
    if not is_harmless(value) and _tells(value, quoted=start != found.start("value")):
        yield Span(start, start + len(value), _kind(found["name"]))


def _of_next_word(text: str, found: re.Match[str]) -> Iterator[Span]:
    value = found["value"].rstrip(".")
    if looks_secret(value) and (
        found["quote"]
        or found["name"].lower().startswith("pass")
        or _is_long(value)
        or _is_judged(text, found, value)
    ):
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


def _of_change(found: re.Match[str], group: str) -> Iterator[Span]:
    value = found[group]
    if not value:
        return
    start = found.start(group)
    is_quoted = value[0] in "\"'`"
    value = value.strip("\"'`").rstrip(".):")
    if (
        value
        and not is_harmless(value)
        and ((is_quoted and any(map(str.isalnum, value))) or looks_secret(value))
    ):
        yield Span(start + is_quoted, start + is_quoted + len(value), _kind(found["name"]))


def _is_judged(text: str, found: re.Match[str], value: str) -> bool:
    """Whether the sentence says what became of it: `API key x1y2z3a is invalid`, `invalid token x1y2z3a`."""
    if value.count("-") > 1 or "/" in value or len(value) < _SHORT_WORD:
        return False
    at = found.start()
    return (
        _AFTER_KEY.match(text, found.start("value") + len(value)) is not None
        or _BEFORE_KEY.search(text, max(0, at - 20), at) is not None
    )


def _is_long(value: str) -> bool:
    return len(value) >= _LONG_WORD and value.isalnum()


def _kind(name: str) -> str:
    secret = secret_name(name.replace(" ", "_"))
    return secret.kind if secret else "secret"
