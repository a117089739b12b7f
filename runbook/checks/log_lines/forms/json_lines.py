"""Lines of JSON: pino, bunyan, zap, zerolog, slog, Serilog, structlog, Logback, tracing and others."""

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

from runbook.checks.log_lines.forms.fields import Field, read_fields
from runbook.checks.log_lines.forms.parsed_line import ParsedLine
from runbook.checks.log_lines.vocabulary import words

_MOST_FIELDS = 500
_LISTS_OF_ERRORS = words("errors error exceptions causes failures")  # GraphQL, JSON:API, Google's APIs
_DECODER = json.JSONDecoder()


def read_json(text: str) -> ParsedLine | None:
    """The parts of a line that is a JSON object, or ends with one after a few words; else `None`."""
    start = text.find("{")
    if start < 0 or '"' not in text:
        return None
    try:
        document, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not document or text[end:].strip():
        return None
    return read_fields(_flat(document), rest=text[:start])


def _flat(document: dict[str, Any]) -> Iterator[Field]:
    """The fields in the order of their depth; the name of a nested one is its path, joined by dots."""
    waiting: deque[tuple[str, Any]] = deque(document.items())
    for _ in range(_MOST_FIELDS):
        if not waiting:
            return
        name, value = waiting.popleft()
        if isinstance(value, dict):
            if not value:
                yield name, ""
            waiting.extend((f"{name}.{inner}", item) for inner, item in value.items())
        elif isinstance(value, list) and name.rpartition(".")[2].lower() in _LISTS_OF_ERRORS:
            yield name, value
            waiting.extend((name, item) for item in value if isinstance(item, dict) and item)
        else:
            yield name, value
