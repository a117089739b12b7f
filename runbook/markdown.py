"""Outside text inside of markdown: it stays text, whatever is in it, and carries no secret."""

import re

from runbook.redaction import redact
from runbook.wording import one_line

_BACKTICKS = re.compile(r"`+")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")


def inline(text: str) -> str:
    """Text within a line: one line, no markup, no HTML, no links.

    Only what would make markup is escaped: `[redacted:phx]`, `posthog_errors_total` and `< 15 min` must stay
    readable in the raw file too.
    """
    line = one_line(redact(text))
    escaped = re.sub(r"([\\`*|])", r"\\\1", line)
    escaped = escaped.replace("](", "]\\(").replace("]:", "]\\:").replace("~~", "\\~~")
    return _TAG.sub("&lt;", escaped)


def code(text: str) -> str:
    """A name or an address as inline code."""
    line = one_line(redact(text)).replace("|", "\\|")
    fence = "`" * (_longest_run(line) + 1)
    space = " " if "`" in line else ""
    return f"{fence}{space}{line}{space}{fence}" if line else ""


def code_block(text: str, language: str = "") -> str:
    """A fenced block. The fence is longer than any run of backticks in the text, so nothing ends it early."""
    masked = redact(text)
    fence = "`" * max(3, _longest_run(masked) + 1)
    return f"{fence}{language}\n{masked}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(found.group()) for found in _BACKTICKS.finditer(text)), default=0)
