"""Where nothing is markup: PagerDuty, the status page, plain text files."""

from runbook.outside_text.door import let_in, let_in_json, let_in_line

__all__ = ["plain", "plain_json", "plain_line"]

plain = let_in
"""Several lines, masked, without control characters, cut."""

plain_line = let_in_line
"""One line."""

plain_json = let_in_json
"""The texts in a JSON value."""
