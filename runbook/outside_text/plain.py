"""Where nothing is markup: PagerDuty, the status page, plain text files."""

from typing import Any

from runbook.outside_text.door import let_in, let_in_json, let_in_line
from runbook.outside_text.machine import json_document
from runbook.outside_text.normal import normal, spelled_out
from runbook.redaction import Redactor

__all__ = ["json_file", "plain", "plain_file", "plain_json", "plain_line"]

plain = let_in
"""Several lines, masked, without control characters, cut."""

plain_line = let_in_line
"""One line."""

plain_json = let_in_json
"""The texts in a JSON value."""


def plain_file(text: str, mask: Redactor) -> str:
    """A text that is kept as evidence: masked and whole, with what hides or steers spelled out.

    Where that hides a secret from masking, the line is made normal instead.
    """
    masked = mask.text(_with_secrets_shown(text, mask))
    return "\n".join(spelled_out(mask.text(_revealed(line, mask))) for line in masked.split("\n"))


def json_file(value: Any, mask: Redactor) -> str:
    """A JSON value that is kept as evidence, likewise."""
    masked = mask.value(_revealed_json(value, mask))
    return f"{json_document(masked, indent=2, sort_keys=True)}\n"


def _with_secrets_shown(text: str, mask: Redactor) -> str:
    """The text with the lines made normal that hide a secret; all, where it has several lines."""
    lines = text.split("\n")
    if (shown := [_shown(line) for line in lines]) == lines:
        return text
    revealed = "\n".join(_revealed(line, mask) for line in lines)
    whole = "\n".join(shown)
    hides_none = normal(mask.text(revealed)) == normal(mask.text(whole))
    return revealed if hides_none else whole


def _shown(line: str) -> str:
    return normal(line).replace("\n", " ")


def _revealed(text: str, mask: Redactor) -> str:
    shown = normal(text).replace("\n", " ") if "\n" not in text else normal(text)
    return text if shown == text or mask.text(shown) == shown else shown


def _revealed_json(value: Any, mask: Redactor) -> Any:
    if isinstance(value, str):
        return _revealed(value, mask)
    if isinstance(value, dict):
        return {_revealed(key, mask): _revealed_json(item, mask) for key, item in value.items()}
    if isinstance(value, list):
        return [_revealed_json(item, mask) for item in value]
    return value
