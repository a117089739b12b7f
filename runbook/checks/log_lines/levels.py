"""Levels of log lines: one table for the words, and the scales of numbers.

Sources: syslog (RFC 5424), Python logging, log4j, java.util.logging, .NET's LogLevel and Serilog, pino and
bunyan, logrus, zap and zerolog, OpenTelemetry's severity numbers, Monolog.
"""

import re
from enum import IntEnum


class Level(IntEnum):
    """What a level means here: `ERROR` with everything worse, and `LOWER` for all below a warning."""

    LOWER = 0
    WARNING = 1
    ERROR = 2


_WORDS = {
    Level.ERROR: (
        "error err eror erro severe fail fatal fata ftl critical crit alert emerg emergency panic pani pnc "
        "dpanic"
    ),
    Level.WARNING: "warning warn wrn",
    Level.LOWER: (
        "information informational info inf notice note success log http config verbose vrb debug debu dbug "
        "dbg trace trac trce trc fine finer finest silly"
    ),
}
LEVEL_WORDS: dict[str, Level] = {word: level for level, words in _WORDS.items() for word in words.split()}
"""Every word that loggers write for a level, in lower case."""

LEVEL_LETTERS: dict[str, Level] = {
    **dict.fromkeys("EFCA", Level.ERROR),
    "W": Level.WARNING,
    **dict.fromkeys("INDTV", Level.LOWER),
}
"""Levels of one letter, as klog, glog, Ruby's Logger, MongoDB and Tornado write them."""

LEVEL_NAMES = (
    "level",
    "severity",
    "loglevel",
    "lvl",
    "levelname",
    "severitytext",
    "@l",
    "priority",
    "levelno",
    "levelvalue",
    "severitynumber",
    "syslogseverity",
    "s",
    "at",
)
"""Names of fields that hold a level, lower case without separators, the plainest first."""


_UPWARDS = ((50, 40, 60), (400, 300, 600), (40_000, 30_000, 50_000))
_SCALES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "level": _UPWARDS,
    "severity": _UPWARDS,
    "levelno": ((40, 30, 99),),
    "levelvalue": ((40_000, 30_000, 50_000),),
    "severitynumber": ((17, 13, 24),),
}
"""From which number on it is an error and a warning, and the end of the scale: pino, Monolog and Logback;
Python; Logback; OpenTelemetry. One digit is on no scale: syslog and .NET count in opposite directions."""

_DOWNWARDS = frozenset({"priority", "syslogseverity"})
_SYSLOG_ERROR, _SYSLOG_WARNING, _SYSLOG_DEBUG = 3, 4, 7
_OFFSET = re.compile(r"(?<=[A-Za-z])[+-]\d{1,3}$", re.ASCII)  # slog writes levels between two as `ERROR+2`
_LETTER_FIELDS = frozenset({"s", "level", "severity", "lvl"})


def level_of(name: str, value: object) -> Level | None:
    """The level that a field says; `None` for a value that is none on any scale.

    `name` is one of `LEVEL_NAMES`: Python's `levelno` and pino's `level` use the same numbers differently.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return level_of_number(name, value)
    if not isinstance(value, str):
        return None
    text = _OFFSET.sub("", value.strip())
    if text.isascii() and text.isdigit() and len(text) < 6:
        return level_of_number(name, int(text))
    if name in _LETTER_FIELDS and 0 < len(text) <= 2 and text[0] in LEVEL_LETTERS:
        return LEVEL_LETTERS[text[0]]  # MongoDB writes D1 to D5
    return LEVEL_WORDS.get(text.lower())


def level_of_number(name: str, number: int) -> Level | None:
    """The level of a number on the scale of the field of that name."""
    if name in _DOWNWARDS:
        if not 0 <= number <= _SYSLOG_DEBUG:
            return None
        return _graded(-number, -_SYSLOG_ERROR, -_SYSLOG_WARNING)
    for error, warning, end in _SCALES.get(name, ()):
        if 8 <= number <= end or (0 < number <= end and name not in ("level", "severity")):
            return _graded(number, error, warning)
    return None


def _graded(number: int, error: int, warning: int) -> Level:
    if number >= error:
        return Level.ERROR
    return Level.WARNING if number >= warning else Level.LOWER
