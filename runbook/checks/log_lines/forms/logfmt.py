"""Lines of logfmt: logrus, go-kit, slog's text handler, Heroku's router: `level=error msg="no answer"`."""

import re
from collections.abc import Iterator

from runbook.checks.log_lines.forms.fields import Field, read_fields
from runbook.checks.log_lines.forms.parsed_line import ParsedLine
from runbook.checks.log_lines.levels import LEVEL_NAMES, LEVEL_WORDS

_PAIR = re.compile(
    r"(?<![^\s,;{(])(?P<name>[A-Za-z@][\w.@-]{0,60})="
    r"(?:\"(?P<quoted>[^\"\\]*(?:\\.[^\"\\]*)*)\"|(?P<bare>[^\s,]*))",
    re.DOTALL,
)
_LEVEL = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z@][\w.@-]{0,30})=[\"']?(?P<value>\w{1,13})", re.ASCII)
_NAMES_IN_TEXT = frozenset(LEVEL_NAMES) - {"s"}


def read_logfmt(text: str) -> ParsedLine | None:
    """The parts of a line that says its level as `level=…`; else `None`."""
    if not any(
        found["name"].lower().replace("_", "") in _NAMES_IN_TEXT and found["value"].lower() in LEVEL_WORDS
        for found in _LEVEL.finditer(text)
    ):
        return None
    return read_fields(_pairs(text), rest=_PAIR.sub(" ", text))


def _pairs(text: str) -> Iterator[Field]:
    for found in _PAIR.finditer(text):
        quoted = found["quoted"]
        value = found["bare"] if quoted is None else quoted.replace('\\"', '"').replace("\\n", "\n")
        yield found["name"], value.strip("'")
