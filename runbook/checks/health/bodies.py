"""The body of an answer: JSON, a word as plain text, lines of "name: word", nothing, or a web page."""

import json
import re
from typing import Any

from runbook.checks.health.answers import Answer, find_answer
from runbook.checks.health.paths import DEFAULT_PATH

_CHALLENGE = re.compile(
    r"<title>\s*(?:Just a moment|Attention Required)|challenge-platform|cf[-_]chl|_cf_challenge",
    re.IGNORECASE,
)
_LOOKED_AT = 20_000  # characters of a web page
_PLAIN_WORD = re.compile(r"(?:[1-5]\d\d )?[A-Za-z][\w .,!'-]{0,59}", re.ASCII)
_KUBERNETES = re.compile(r"\[(?P<mark>[+-])\](?P<name>[\w./-]{1,100}) (?P<word>[\w ]{1,40})", re.ASCII)
_NAMED_WORD = re.compile(r"[\w ./-]{1,100}:\s?[A-Za-z][\w -]{0,40}", re.ASCII)
_MOST_LINES = 200
_MOST_DIGITS = 400


class UnreadableBody(ValueError):
    """The body is no answer of a health endpoint; the text says what it is instead.

    `challenge` says that something before the service wants to see a browser: not the service answers.
    """

    def __init__(self, what: str, *, challenge: bool = False) -> None:
        super().__init__(what)
        self.challenge = challenge


def read_body(content: bytes, path: str = DEFAULT_PATH) -> Answer:
    """What the body says about PostHog. An empty one says nothing, whatever the HTTP status.

    Raises:
        UnreadableBody: it is a web page, neither JSON nor a word, or JSON that contradicts itself.
        InvalidPath: the path cannot be read.
    """
    encoding = json.detect_encoding(content)
    text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace").strip()
    if not text:
        return Answer(None, "the answer is empty")
    if text.startswith("<"):
        if _CHALLENGE.search(text[:_LOOKED_AT]):
            raise UnreadableBody("a page that checks for a browser", challenge=True)
        raise UnreadableBody("not JSON but a web page")
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_int=_number)
    except UnreadableBody:
        raise
    except (ValueError, RecursionError):
        return find_answer(_plain_text(text))  # where a word stands alone, no path leads to it
    if not isinstance(document, dict | list):
        return find_answer({"status": document})
    return find_answer(document, path)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, where each name says one thing. If two differ, it is not known which one applies."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise UnreadableBody(f"JSON that says {name[:60]!r} twice")
        found[name] = value
    return found


def _number(digits: str) -> int | None:
    """A number; one of more digits than any honest answer has says nothing."""
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def _plain_text(text: str) -> Any:
    """A word, or the list of words that the lines are."""
    if _PLAIN_WORD.fullmatch(text):
        return {"status": text}
    lines = [line.strip() for line in text.splitlines()[:_MOST_LINES] if line.strip()]
    if checks := [found for line in lines if (found := _KUBERNETES.match(line))]:
        return [f"{found['name']}: {'ok' if found['mark'] == '+' else 'failed'}" for found in checks]
    if lines and all(_NAMED_WORD.fullmatch(line) for line in lines):
        return lines
    raise UnreadableBody("neither JSON nor a word")
