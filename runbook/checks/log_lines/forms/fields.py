"""Named fields of structured lines, whichever form they stood in: what each name means."""

from collections.abc import Iterable
from typing import Any

from runbook.checks.log_lines.forms.parsed_line import ParsedLine
from runbook.checks.log_lines.levels import LEVEL_NAMES, LEVEL_WORDS, Level, level_of
from runbook.checks.log_lines.statuses import is_status_name, status_in_value
from runbook.checks.log_lines.vocabulary import words

Field = tuple[str, Any]
"""A name, dotted where fields are nested, and its value."""

_MESSAGES = words(
    "msg message log text event body textpayload shortmessage fullmessage @m @mt renderedmessage desc"
    " description detail details reason title"
)
_ERRORS = words(
    "err error errors exception exceptions excinfo exctext exc stack stacktrace @x errmsg errormessage"
    " lasterror cause failure"
)
_KINDS = words("code errno type name kind exceptiontype errorkind syscall")
_ERROR_COUNTS = words("errorcount errorscount errorcode errcode errored failed failures failurecount")
_OF_A_REQUEST_TO_US = words(
    "remoteaddr remoteaddress remoteip remotehost clientip httpreferer referer useragent httpuseragent"
    " requesturi"
)
_OF_THE_PROCESS = words(
    "service app application pod container deployment component job namespace hostname environment release"
)
_SEPARATORS = str.maketrans("", "", "_- ")
_NOTHING = words("0 0.0 none null nil <nil> false no n/a - ok [] {}") | {""}
_LONGEST_CONTEXT = 500  # characters of one value


def read_fields(fields: Iterable[Field], *, rest: str = "") -> ParsedLine:
    """The parts of a line with these fields; `rest` is the text of the line that stood under no name."""
    named = [(name, name.rpartition(".")[2].lower().translate(_SEPARATORS), value) for name, value in fields]
    gelf = any(last == "shortmessage" for _, last, _ in named)
    levels: dict[str, Level] = {}
    texts, kinds, statuses, context = [rest] if rest.strip() else [], [], [], []
    names_error = inbound = False
    for name, last, value in named:
        scale = "syslogseverity" if gelf else last
        if _names_level(name, last, value) and (level := level_of(scale, value)) is not None:
            levels.setdefault(last, level)
        elif is_status_name(name) and (code := status_in_value(value)):
            statuses.append(code)
        elif is_status_name(name) and value in ("timeout", "connection"):  # where no answer came
            texts.append(f"status={value}")
        elif _is_error_field(name, last):
            names_error = names_error or is_something(value)
            texts += [value] if isinstance(value, str) else []
        elif last in _ERROR_COUNTS:
            names_error = names_error or is_something(value)
        elif last in _MESSAGES and isinstance(value, str):
            texts.append(value)
        elif last in _OF_A_REQUEST_TO_US:
            inbound = True
        elif last in _KINDS and isinstance(value, str):
            kinds.append(value)
        elif isinstance(value, str) and last not in _OF_THE_PROCESS:
            context.append(f"{last}: {value[:_LONGEST_CONTEXT]}")
    return ParsedLine(
        level=next((levels[name] for name in LEVEL_NAMES if name in levels), None),
        default_level=Level.LOWER if _is_compact({name for name, _, _ in named}) else None,
        texts=(*(texts or context), *kinds),
        statuses=tuple(statuses),
        names_error=names_error,
        context="; ".join(context),
        inbound=inbound,
    )


def is_something(value: Any) -> bool:
    """Whether a field such as `error` says that there is one: not empty, zero, false or `none`."""
    if isinstance(value, str):
        return value.strip().lower() not in _NOTHING
    return bool(value)


def _names_level(name: str, last: str, value: Any) -> bool:
    if last not in LEVEL_NAMES:
        return False
    if last == "priority" and not (name.isupper() or _is_level_word(value)):
        return False  # journald's is written in capitals; another may be a job's
    return "." not in name or name.lower() in ("log.level", "fields.level", "syslog.severity")


def _is_level_word(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in LEVEL_WORDS


def _is_compact(names: set[str]) -> bool:
    """Whether these are the fields of Serilog's compact format, which leaves the level out of information."""
    return "@t" in names and bool(names & {"@m", "@mt"})


def _is_error_field(name: str, last: str) -> bool:
    parents = name.lower().split(".")[:-1]
    return last in _ERRORS or bool({"err", "error", "exception"} & set(parents))
