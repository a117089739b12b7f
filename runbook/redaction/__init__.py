"""Masking of secrets and personal data in anything that leaves the runbook: messages, logs, evidence, drafts.

A mark such as `[redacted:phx]` says what kind of value was there. Masking twice gives the same as masking
once, JSON stays JSON, and words that explain an incident stay readable.

In this room: `redactor` chooses the rules; `labels`, `values`, `names` and `words` read names and their
values; `commands`, `sentences` and `markup` read other notations; `structure`, `json_text` and `yaml_text`
keep data valid; `views` and `encoded` undo encodings; `literals` finds secrets whose value is known;
`shapes` has what is a secret by itself.
"""

from collections.abc import Iterable

from pydantic import JsonValue

from runbook.redaction.marks import MARK, mark
from runbook.redaction.names import kind_of, secret_name
from runbook.redaction.redactor import Redactor
from runbook.redaction.structured.structure import LAST_APPLIED

__all__ = [
    "LAST_APPLIED",
    "MARK",
    "Redactor",
    "kind_of",
    "mark",
    "redact",
    "redact_secret_values",
    "redact_secrets",
    "redact_value",
    "secret_name",
    "words",
]


def redact(text: str, secrets: Iterable[str] = (), *, hosts: Iterable[str] = ()) -> str:
    """Mask a single text; for many, keep one `Redactor`."""
    return Redactor(secrets, hosts=hosts).text(text)


_SECRETS_ALONE = Redactor(personal=False)


def redact_secrets(text: str) -> str:
    """Mask secrets but not people's addresses: for text that was fully masked when it came in.

    An approver may be known by an e-mail address, which the timeline has to show.
    """
    return _SECRETS_ALONE.text(text)


def redact_secret_values(value: JsonValue) -> JsonValue:
    """The same for a JSON value."""
    return _SECRETS_ALONE.value(value)


def redact_value(value: JsonValue, secrets: Iterable[str] = ()) -> JsonValue:
    """Mask a single JSON value; for many, keep one `Redactor`."""
    return Redactor(secrets).value(value)
