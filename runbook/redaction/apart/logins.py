"""Secrets of a login that follow its words: an answer to a mail server, `authenticated with key x1y2`."""

import re
from collections.abc import Iterator

from runbook.redaction.marks import MARK, Span
from runbook.redaction.words import is_harmless

ASKED = "UGFzc3dvcmQ6"
"""`Password:` in base64, as a mail server asks for it after `AUTH LOGIN`."""

_NEXT_LINES = re.compile(r"(?:\\r\\n|\\n|\r\n|\r|\n)(?P<line>[^\r\n]*)")
_ANSWER = re.compile(r"(?:^|[\s'\"b>:])(?P<value>[A-Za-z0-9+/]{2,}={0,2})(?:\\r|\\n)*['\"]?[ \t]*$")
_OF_SERVER = re.compile(r"(?:^|[\s'\"(])(?:[245]\d\d|334)(?=[ \-'\")])|\breply\b|\bMsg\b")
_LINES = 4

_WITH = re.compile(
    r"\b(?:auth\w*|log(?:ged|ging)?[ -]?(?:in|on)|sign(?:ed|ing)?[ -]?in|connect\w*|access\w*|bind|bound)\b"
    r"[^\n:=;]{0,40}?\b(?:with|using|by|via)[ ](?:the[ ]|an?[ ]|its[ ])?"
    r"(?:(?:api|access|secret|private|shared|signing)[ ])?"
    r"(?P<name>key|token|secret|password|passphrase|passwd|credentials?)[ ]"
    r"(?P<quote>[\"'`]?)(?P<value>[^\s\"'`]{2,})",
    re.IGNORECASE,
)
_ALGORITHM = re.compile(
    r"(?:rsa|dsa|ecdsa|ed|sk|ssh|sha|aes|md|hmac|rs|hs|es|ps|v|id|no|kid|nist)[-_#]?\d[\w-]*|sha\d+:.*|v?\d[\d.]*"
    r"|x509|x25519|#\d+",
    re.IGNORECASE,
)


def find_in_logins(text: str) -> Iterator[Span]:
    """Keys and passwords that were used for a login, as a sentence says."""
    small = text.lower()
    if "with " in small or "using " in small or "by " in small or "via " in small:
        for found in _WITH.finditer(text):
            start = found.start("value")
            value = found["value"].rstrip(".,;:)")
            if value and not MARK.match(text, start) and _tells(value, found["quote"]):
                yield Span(start, start + len(value), _kind(found["name"]))


def find_answers(text: str) -> Iterator[Span]:
    """What a client answers in base64, in the next line that is not the server's."""
    at = 0
    while (at := text.find(ASKED, at)) >= 0:
        at += len(ASKED)
        end = at
        for _ in range(_LINES):
            line = _NEXT_LINES.search(text, end, end + 2000)
            if not line:
                break
            end = line.end()
            if (
                len(line["line"].strip("'\" ")) < 2
                or ASKED in line["line"]
                or _OF_SERVER.search(line["line"])
            ):
                continue
            if answer := _ANSWER.search(line["line"]):
                start = line.start("line")
                yield Span(start + answer.start("value"), start + answer.end("value"), "password")
            break


def _tells(value: str, quote: str) -> bool:
    """Whether the word is a key: it is quoted or has a digit. Any other word may be part of the sentence."""
    if is_harmless(value) or _ALGORITHM.fullmatch(value):
        return False
    return bool(quote) or any(letter.isdigit() for letter in value)


def _kind(name: str) -> str:
    small = name.lower()
    return "password" if small.startswith("pass") else small.rstrip("s")
