"""Log lines as JSON, one object a line, for machines and for `grep` alike.

Texts in it may be from outside: each is masked and cut, and what a terminal obeys is escaped as JSON may.
"""

import logging
from datetime import UTC, datetime
from typing import TextIO

from runbook.outside_text import let_in_json
from runbook.outside_text.machine import json_document

_FIELDS = "runbook_fields"
_LONGEST_TEXT = 20_000


def log_json_to(stream: TextIO, *, level: int = logging.INFO) -> None:
    """Send every logger's lines to `stream` as JSON."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would name every request


def log_event(log: logging.Logger, event: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Write one event with its fields; those without a value are left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    log.log(level, event, extra={_FIELDS: given})


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "log": record.name,
            "event": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        elif record.exc_text:
            line["trace"] = record.exc_text
        return json_document(let_in_json(line, _LONGEST_TEXT))
