"""Lines of text that say their level: as a mark at the beginning, or among the times and names there."""

import re

from runbook.checks.log_lines.forms.parsed_line import ParsedLine
from runbook.checks.log_lines.forms.prefixes import read_prefix
from runbook.checks.log_lines.levels import LEVEL_LETTERS, LEVEL_WORDS, Level, level_of_number

_KLOG = re.compile(
    r"(?P<level>[IWEFD])(?:\d{4}|\d{8}) \d\d:\d\d:\d\d\.\d{1,9}\s{1,10}\d{1,9} [^\s\]]{1,200}\] ?", re.ASCII
)
_PRIORITY = re.compile(r"<(?P<number>\d{1,3})>(?:\d{1,2} (?=\d{4}-))?", re.ASCII)
_RUBY = re.compile(r"(?P<level>[FEWIDA]), \[[^\]]{10,60}\]\s{1,3}[A-Z]{3,7} -- [^:]{0,100}: ?", re.ASCII)
_NGINX = re.compile(
    r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?P<word>[a-z]{4,6})\] \d{1,9}#\d{1,9}: (?:\*\d{1,20} )?", re.ASCII
)
_PHP = re.compile(
    r"(?:\[[^\]]{10,60}\] )?PHP"
    r" (?P<word>(?:[A-Z][a-z]{2,12} )?[Ff]atal error|Parse error|Warning|Notice|Deprecated):\s{0,3}"
)
_PHP_FPM = re.compile(
    r"(?:\[[^\]]{10,60}\] )?(?:WARNING: \[pool [^\]]{1,60}\] child \d{1,9} said"
    r" into std(?:err|out): \"(?:NOTICE: )?"
    r"|NOTICE: )(?:PHP message: )?",
)
_METRIC_COMMENT = re.compile(r"# (?:HELP|TYPE|UNIT) [a-zA-Z_:][\w:]{1,200}(?:\s|$)", re.ASCII)
_NPM = re.compile(r"npm (?P<word>ERR!|error|WARN|warn|notice|verb|http|sill)(?:\s|$)")
_METRIC = re.compile(
    r"(?P<name>[a-zA-Z_:][\w:]{1,200})\{[^{}]{0,2000}\} (?P<value>[-+.\deE]{1,30})(?: \d{1,20})?$", re.ASCII
)
_POSTGRES = re.compile(
    r"\S{10} \S{8,12} [A-Z]{2,5} (?:\[[^\]]{1,60}\] )?(?:\S{1,80} )?"
    r"(?:LOG|STATEMENT|DETAIL|HINT|CONTEXT|QUERY):\s\s",
    re.ASCII,
)
_SYSLOG = re.compile(
    r"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S{0,16})\s"
    r"[\w.-]{1,100} [\w./@-]{1,80}(?:\[\d{1,9}\])?: ",
    re.ASCII,
)
_SYSLOG_5424 = re.compile(
    r"\d{4}-\d\d-\d\dT\S{8,30} \S{1,255} \S{1,48} \S{1,128} \S{1,32} (?:-|\[[^\]]{0,500}\]) ?", re.ASCII
)
_COMPOSE = re.compile(r"[\w.-]{1,100}\s{0,60}\| ", re.ASCII)
_KEYED = re.compile(
    r"(?<![\w.-])(?:level|lvl|severity|levelname|loglevel|level_name|severity_text)[\"'\\]{0,3}\s{0,3}[=:]\s{0,3}"
    r"[\"'\\]{0,3}(?P<word>[A-Za-z]{3,13})(?![\w.-])",
    re.IGNORECASE | re.ASCII,
)
_NOTHING = frozenset({"0", "0.0", "none", "null", "nil", "<nil>", "false", "no"})
_LARGEST_PRIORITY = 191
_LARGEST_SEVERITY = 7  # larger priorities name a facility too
_PHP_LEVELS = {"Warning": Level.WARNING, "Notice": Level.LOWER, "Deprecated": Level.LOWER}
_NPM_LEVELS = {"ERR!": Level.ERROR, "error": Level.ERROR, "WARN": Level.WARNING, "warn": Level.WARNING}


def read_marked(text: str) -> ParsedLine | None:
    """The parts of a line whose level is a mark at its very beginning; else `None`."""
    if found := _KLOG.match(text) or _RUBY.match(text):
        return ParsedLine(LEVEL_LETTERS[found["level"]], (text[found.end() :],))
    if (found := _NGINX.match(text)) and found["word"] in LEVEL_WORDS:
        return ParsedLine(
            LEVEL_WORDS[found["word"]],
            (text[found.end() :],),
            inbound=", client: " in text and ", server: " in text,
        )
    if found := _PHP.match(text):
        return ParsedLine(_PHP_LEVELS.get(found["word"], Level.ERROR), (text[found.end() :],))
    if (found := _PHP_FPM.match(text)) and found.group().endswith(("PHP message: ", '"')):
        return ParsedLine(None, (text[found.end() :],))
    if _METRIC_COMMENT.match(text):
        return ParsedLine(Level.LOWER, ())
    if found := _NPM.match(text):
        return ParsedLine(_NPM_LEVELS.get(found["word"], Level.LOWER), (text[found.end() :],))
    if (found := _PRIORITY.match(text)) and int(found["number"]) <= _LARGEST_PRIORITY:
        number = int(found["number"])
        level = level_of_number("priority", number % 8)
        if (
            number > _LARGEST_SEVERITY and level is Level.LOWER
        ):  # what a daemon gives to any output by default
            return ParsedLine(None, (text[found.end() :],), default_level=level)
        return ParsedLine(level, (text[found.end() :],))
    if found := _METRIC.match(text):  # labels are no statuses of this line
        return ParsedLine(None, (f"{found['name']} {found['value']}",))
    if found := _POSTGRES.match(text):
        return ParsedLine(Level.LOWER, (text[found.end() :],))
    return None


def read_enveloped(text: str) -> ParsedLine | None:
    """The line within what a log daemon or docker compose put before it; else `None`."""
    for envelope in (_SYSLOG_5424, _SYSLOG, _COMPOSE):
        if found := envelope.match(text):
            return ParsedLine(None, (text[found.end() :],))
    return None


def read_prefixed(text: str) -> ParsedLine | None:
    """The parts of a line whose level stands among the times and names before its message; else `None`."""
    found = read_prefix(text)
    if found is None:
        return None
    message = text[found.end :]
    if found.level is Level.ERROR and message.strip().lower() in _NOTHING:
        return None  # "error: none"
    return ParsedLine(found.level, (message,))


def read_keyed(text: str) -> ParsedLine | None:
    """The level of a line that names it somewhere, such as JSON that was cut off; else `None`."""
    for found in _KEYED.finditer(text):
        level = LEVEL_WORDS.get(found["word"].lower())
        if level is not None:
            return ParsedLine(level, (text,))
    return None
