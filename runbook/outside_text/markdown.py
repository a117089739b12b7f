"""Markdown and the HTML that it becomes: text from outside stays text, whatever is in it.

Artifacts are shown by `marked` (GitHub's flavour) in Prefect's UI, tables cell by cell; drafts by whatever
people have. Only what would make markup is escaped: `[redacted:phx]`, `posthog_errors_total` and `< 15 min`
have to stay readable in the raw file too.
"""

import re

from markupsafe import Markup

from runbook.outside_text.door import masked_line
from runbook.outside_text.normal import normal, one_line
from runbook.redaction import redact_secrets

_BACKTICKS = re.compile(r"`+")
_ESCAPED = re.compile(
    r"[\\`*|]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word an underscore is one
    r"|(?<=\])[(:\[]"  # what makes a link of the brackets before it
    r"|~(?=~)|(?<=~)~"
    r"|(?<=\s)#(?=#*$)"  # what ends a heading
    r"|&(?=#?\w+;)"  # an entity
    r"|:(?=//)|(?<=\bwww)\.|(?<=\w)@(?=\w)",  # what makes a link by itself
    re.IGNORECASE,
)
_TAG = re.compile(r"<(?=[A-Za-z/!?]|$)")
_BEGINS_BLOCK = re.compile(r"(?:#{1,6}(?=\s|$)|[-+](?=\s|$)|>|=|-(?=-)|~(?=~)|\[)")
_PICTURE = re.compile(r"data:image/(?:png|svg\+xml);base64,[A-Za-z0-9+/=]*")
_NUMBERED = re.compile(r"(\d{1,9})([.)])(?=\s|$)")


class MarkdownText(Markup):
    """A text in which nothing is left to escape. Made by this module and by the templates alone."""


def inline(text: str) -> MarkdownText:
    """Text within a line or at its beginning: one line, no markup, no HTML, no links."""
    line = one_line(masked_line(text, redact_secrets))
    escaped = _ESCAPED.sub(r"\\\g<0>", line)
    escaped = _NUMBERED.sub(r"\1\\\2", escaped, count=1) if _NUMBERED.match(escaped) else escaped
    escaped = f"\\{escaped}" if _BEGINS_BLOCK.match(escaped) else escaped
    return MarkdownText(_TAG.sub("&lt;", escaped))


def code(text: str) -> MarkdownText:
    """A name or an address as inline code."""
    line = one_line(masked_line(text, redact_secrets)).replace("|", "\\|")
    fence = "`" * (_longest_run(line) + 1)
    space = " " if "`" in line else ""
    return MarkdownText(f"{fence}{space}{line}{space}{fence}" if line else "")


def code_block(text: str, language: str = "") -> MarkdownText:
    """A fenced block. The fence is longer than any run of backticks in the text, so nothing ends it early."""
    masked = redact_secrets(normal(text))
    fence = "`" * max(3, _longest_run(masked) + 1)
    return MarkdownText(f"{fence}{language}\n{masked}\n{fence}")


def picture(uri: str) -> MarkdownText:
    """The address of a picture that carries it, as it stands between an image's brackets."""
    return MarkdownText(uri) if _PICTURE.fullmatch(uri) else inline(uri)


def _longest_run(text: str) -> int:
    return max((len(found.group()) for found in _BACKTICKS.finditer(text)), default=0)
