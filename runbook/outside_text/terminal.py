"""The terminal: text from outside moves no cursor, sets no title, makes no link and hides nothing.

What it would obey or hide becomes a visible sign, one column wide, so that tables keep their columns.
"""

from runbook.outside_text.door import masked_line
from runbook.outside_text.normal import replaced
from runbook.redaction import redact_secrets

SIGN = "\N{REPLACEMENT CHARACTER}"


def on_terminal(text: str) -> str:
    """Text of several lines; line feeds and tabs stay."""
    return replaced(text, SIGN)


def masked_on_terminal(text: str) -> str:
    """Text of several lines, masked: errors of settings, for those who start a process by hand."""
    return on_terminal(redact_secrets(text))


def line_on_terminal(text: str) -> str:
    """A line by itself, masked: an error may quote what was typed."""
    return on_terminal(masked_line(text, redact_secrets))
