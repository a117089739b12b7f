"""What container runtimes put around a line of a program in their files: CRI's prefix, docker's JSON.

Sources: the CRI logging format (`TIME stdout F TEXT`), docker's `json-file` driver.
"""

import json
import re

from runbook.checks.log_lines.forms.parsed_line import ParsedLine

_CRI = re.compile(r"\d{4}-\d\d-\d\dT\S{8,40} std(?:out|err) [FP] ", re.ASCII)
_DOCKER = re.compile(r"\{\"log\":\"")
_OF_DOCKER = frozenset({"log", "stream", "time", "attrs"})


def without_record(text: str) -> str:
    """The program's own line, without what a runtime put around it; any other text stays as it is."""
    if found := _CRI.match(text):
        return text[found.end() :]
    if not _DOCKER.match(text):
        return text
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(record, dict) or not isinstance(record.get("log"), str) or record.keys() - _OF_DOCKER:
        return text
    line: str = record["log"]
    return line.rstrip("\r\n")


def read_record(text: str) -> ParsedLine | None:
    """The line within a runtime's record; else `None`."""
    line = without_record(text)
    return None if line == text else ParsedLine(None, (line,))
