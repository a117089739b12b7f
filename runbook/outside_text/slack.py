"""Slack's markup (`mrkdwn`): text from outside mentions nobody, links nowhere, formats nothing.

Slack escapes `&`, `<` and `>` as entities and knows no escape for what formats. So a sign that would format
becomes one that looks like it. A message is sent with `parse: none`, so that only `<…>` makes a link.
Source: Slack's "Formatting text for app surfaces" and `chat.postMessage`.
"""

import html
import re

from markupsafe import Markup

from runbook.outside_text.door import let_in_line, masked_line
from runbook.outside_text.normal import normal, one_line
from runbook.redaction import MARK, redact_secrets

MAX_MESSAGE = 12_000
"""Characters; Slack takes about 13,000 in all."""

_LOOKS_LIKE = {
    "*": "\N{ASTERISK OPERATOR}",
    "_": "\N{MODIFIER LETTER LOW MACRON}",
    "~": "\N{TILDE OPERATOR}",
    "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
    ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
    ":": "\N{RATIO}",
}
_FORMATTING = re.compile(r"[*_~`]+")
_QUOTE = re.compile(r"^\s*>+", re.MULTILINE)
_EMOJI = re.compile(r":(?=(?![\d]+:)[\w+'-]+:|(?:100|1234):)")
_LINK = re.compile(r"https?://[^\s<>|\"`\x00-\x1f]+", re.IGNORECASE)
_WHOLE = re.compile(rf"&(?:amp|lt|gt);|<[^<>]*>|{MARK.pattern}")
"""What is one thing to Slack or to people, however many characters it has."""
_FENCE = "```"
_CUT = " … (cut)"


class SlackText(Markup):
    """A text as Slack's API takes it. Made by this module and by the templates alone."""


def slack(text: str) -> SlackText:
    """Text on one line: a line break of its own could begin a line that looks like ours."""
    return SlackText(_entities(_unformatted(one_line(masked_line(text, redact_secrets)))))


def slack_lines(text: str) -> SlackText:
    """Text of several lines."""
    return SlackText(_entities(_unformatted(redact_secrets(normal(text)))))


def slack_code(text: str) -> SlackText:
    """A name or a command as inline code."""
    line = one_line(masked_line(text, redact_secrets)).replace("`", _LOOKS_LIKE["`"])
    return SlackText(f"`{_entities(line)}`" if line else "")


def slack_code_block(text: str) -> SlackText:
    """Commands to copy. Only a run of backticks that would end the block is changed."""
    lines = re.sub(r"`{3,}", lambda run: _LOOKS_LIKE["`"] * len(run.group()), redact_secrets(normal(text)))
    return SlackText(f"{_FENCE}\n{_entities(lines)}\n{_FENCE}")


def slack_link(url: str, label: str = "") -> SlackText:
    """An address of ours as a link, under a label of ours; what cannot be one is shown as text."""
    if not _LINK.fullmatch(url):
        return slack(url)
    shown = f"|{_entities(one_line(label).replace('|', ' '))}" if label else ""
    return SlackText(f"<{_entities(url)}{shown}>")


def cut_message(text: SlackText, limit: int = MAX_MESSAGE) -> SlackText:
    """The message, cut where it is too long: never within a link, an entity or a mark, a code block ended."""
    if len(text) <= limit:
        return text
    end = limit - len(f"\n{_FENCE}{_CUT}")
    for found in _WHOLE.finditer(str(text)):
        if found.start() < end < found.end():
            end = found.start()
            break
    kept = str(text)[:end]
    ending = f"\n{_FENCE}{_CUT}" if kept.count(_FENCE) % 2 else _CUT
    return SlackText(f"{kept}{ending}")


def said(text: SlackText) -> str:
    """What a message says in its first line, for the journal."""
    first = str(text).partition("\n")[0]
    return let_in_line(html.unescape(re.sub(r"<([^<>]*)>", r"\1", first)), 200)


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unformatted(text: str) -> str:
    text = _FORMATTING.sub(_unless_within_a_word, text)
    text = _QUOTE.sub(lambda found: found.group().replace(">", _LOOKS_LIKE[">"]), text)
    return _EMOJI.sub(_LOOKS_LIKE[":"], text)


def _unless_within_a_word(found: re.Match[str]) -> str:
    """Slack formats between the edges of words; `posthog_errors_total` and `2*3` stay as they are."""
    run, before, after = found.group(), found.string[: found.start()][-1:], found.string[found.end() :][:1]
    if len(run) == 1 and run != "`" and before.isalnum() and after.isalnum():
        return run
    return "".join(_LOOKS_LIKE[sign] for sign in run)
