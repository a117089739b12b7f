r"""JSON for programs and log files: equal in value, without a character that a terminal obeys.

Whoever reads a log with `cat` or `tail` has a terminal, and a line break of its own would be a line of its
own. JSON may write any character as `\u202e`, so nothing is lost.
"""

import json
from typing import Any

from runbook.outside_text.normal import escaped_for_json


def json_document(value: Any, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """The value as JSON; what is no JSON value is written as its text."""
    return escaped_for_json(
        json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=sort_keys, default=str)
    )
