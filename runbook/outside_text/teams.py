"""Markdown in a card of Microsoft Teams: text from outside formats nothing and links nowhere.

A text block knows bold, italic, lists and links, no code and no HTML. One line break is none to Teams, so
each line is a paragraph. Apprise makes a mention of `<at>…</at>`: no `<` of a value is left.
Source: Microsoft's "Text features in Adaptive Cards" and "Format cards in Microsoft Teams".
"""

import json
import re

from markupsafe import Markup

from runbook.outside_text.door import CUT
from runbook.outside_text.markdown import inline
from runbook.outside_text.normal import normal
from runbook.redaction import redact_secrets

MOST_BYTES = 24_000
"""Of a message as JSON: an incoming webhook takes 28 KB, and the card around it has its own part of that."""

_LAST_LINE = 4_000

_LINK = re.compile(r"https?://[\w.~:/?#@!$&'*+,;=%-]+", re.ASCII | re.IGNORECASE)
_OPENS = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"


class TeamsText(Markup):
    """A text in which nothing is left to escape. Made by this module and by the templates alone."""


def teams(text: str) -> TeamsText:
    """Text on one line."""
    return TeamsText(str(inline(text.replace("<", _OPENS))))


def teams_lines(text: str) -> TeamsText:
    """Text of several lines, and commands to copy: a card has no code."""
    return TeamsText("\n".join(str(teams(line)) for line in redact_secrets(normal(text)).split("\n")))


def teams_link(url: str, label: str = "") -> TeamsText:
    """An address of ours as a link, under a label of ours; what cannot be one is shown as text."""
    if not _LINK.fullmatch(url):
        return teams(url)
    return TeamsText(f"[{teams(label or 'open')}]({url.replace('*', '%2A')})")


def teams_beginning(text: str) -> str:
    """The message, cut so that a last line of ours has room."""
    return teams_message(TeamsText(text), most=MOST_BYTES - _LAST_LINE)


def teams_message(text: TeamsText, *, most: int = MOST_BYTES) -> str:
    """The message as a card's text: a paragraph for each line, and cut, by whole lines where it can be."""
    lines = [line for line in str(text).split("\n") if line.strip()]
    kept = "\n\n".join(lines)
    while len(lines) > 1 and _size(kept) > most:
        lines.pop()
        kept = "\n\n".join([*lines, CUT])
    while _size(kept) > most:
        kept = f"{kept[: len(kept) // 2].rstrip(chr(92))}{CUT}"
    return kept


def _size(text: str) -> int:
    return len(json.dumps(text))  # every sign beyond ASCII is six bytes there, or twelve
