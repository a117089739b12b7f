"""Which lines go on with the event that began before them: stack traces, and messages of several lines.

Forms: Python's tracebacks with their causes, Java and .NET stack traces, Go and Rust panics, Node and Ruby
stacks, Elixir's processes, PHP's numbered frames, objects that are printed over several lines.
"""

import re
from collections.abc import Sequence

from runbook.checks.log_lines.forms.access_logs import read_access
from runbook.checks.log_lines.forms.prefixes import begins_with_time, read_prefix
from runbook.checks.log_lines.levels import Level
from runbook.checks.log_lines.reading import read_line

_TRACEBACK = re.compile(r"(?:\s*\+ )?(?:Exception Group )?Traceback \(most recent call last\):")
_CHAIN = re.compile(
    r"During handling of the above exception|The above exception was the direct cause|Caused by\b|Suppressed:"
)
_GOES_ON = re.compile(
    r"Caused by\b|Suppressed:|\.\.\. \d{1,6} (?:more|common)|at [\w$.<>/`\[\]|]{1,300}\s?\(|#\d{1,5}\s"
    r"|(?:Stack ?trace|stack backtrace|Backtrace):?\s*$|\[(?:previous )?(?:exception|stacktrace)\]|note: "
    r"|goroutine \d|\[signal |exit status \d|created by |[}\])]{1,4}[,;\"]?\s*$|\"}\s*$|--- End of|---> "
    r"|Node\.js v\d|[\w./-]{1,300}\.rb:\d{1,6}:in |thrown in |> File \"|Original Stack Trace:"
    r"|Error has been observed at the following site|For more information check: https?://"
    r"|\*\* \([\w.]{1,100}\)|Last message(?: \([^)]{1,100}\))?: "
    r"|State: [%\[{]|[\u256d\u2502\u2570]",
    re.IGNORECASE | re.ASCII,
)
_FRAME = re.compile(
    r"\s*(?:--- |[}\])]{1,4}[,;\"]?\s*$|\"}\s*$|note: |exit status \d|\[signal |Node\.js v\d|thrown in "
    r"|\[stacktrace\]|#\d{1,5}\s|at [\w$.<>/]{1,300}\()|(?:Stack ?trace|stack backtrace):?\s*$"
    r"|\s+(?:at |\.\.\. \d|File \"|from |in |\d{1,5}: \S{0,500}(?: as \S{0,500})?\s*$|\^|~)"
    r"|> File \"|[\u256d\u2502\u2570]|goroutine \d|created by "
    r"|[\w./-]{1,300}\.rb:\d{1,6}:in ",
    re.ASCII,
)
_HEADER = re.compile(
    r"(?:Exception in thread \"[^\"]{1,200}\" )?(?:Uncaught )?[\w$.]{0,200}(?:Exception|Error|Throwable)\b",
    re.ASCII,
)
_NAMES_EXCEPTION = re.compile(
    r"\s*(?:Caused by: |---> )?[\w$.:]{0,200}(?:Exception|Error|Throwable)\w{0,40}\b", re.ASCII
)
_PANIC = re.compile(r"panic: |fatal error: |thread '.{1,80}'(?: \(\d{1,9}\))? panicked at ")
_GO_FUNCTION = re.compile(r"[\w./*()\[\]{}·$-]{1,300}\(.{0,2000}\)\s*$", re.ASCII)
_RUST_PANIC = re.compile(
    r"thread '.{1,80}'(?: \(\d{1,9}\))? panicked at \S{1,300}:\s*$"
)  # its message is on the next line
_GO_PLACE = re.compile(r"\t\S{1,400}\.go:\d{1,7}\b", re.ASCII)  # below each function of a Go stack
_NEXTJS = re.compile(r" [\u2a2f\u26a0\u2713\u25cb\u25b2] \S")
_BOX = "\u256d\u2502\u2570"  # what rich draws around a traceback
_EXCEPTION_GROUP = re.compile(r"\s*\+ Exception Group Traceback")
_BAR = re.compile(r"\s*[|+](?:-\+)?(?:-{3,} \S{1,12} -{3,}|-{3,})? ?")
_NODE_PLACE = re.compile(r"(?:node:|file://|/)[^\s:]{1,300}(?::[^\s:]{1,300})?:\d{1,7}\s*$")


class Continuation:
    """Follows the lines of one container, and says of each whether it goes on with the event before it."""

    def __init__(self) -> None:
        self._head = ""
        self._is_open = False
        self._traceback = False  # frames are listed, and its exception is still to come
        self._trace_shown = False
        self._chained = False
        self._go = False

    def goes_on(self, text: str, following: Sequence[str]) -> bool:
        """Whether a line, without its colours, goes on; `following` are the next lines of the container."""
        goes_on = self._is_open and self._continues(text, following)
        if not goes_on:
            self._begin(text)
        return goes_on

    def _begin(self, text: str) -> None:
        self._head, self._is_open = text, True
        group = _EXCEPTION_GROUP.match(text) is not None  # all its lines have a bar before them
        self._trace_shown = _TRACEBACK.match(text) is not None
        self._trace_shown = self._trace_shown or _is_boxed_traceback(text)
        self._traceback = (self._trace_shown and not group) or _RUST_PANIC.match(text) is not None
        # where the window cuts a stack in two, its exception is still to come
        self._chained = _NODE_PLACE.match(text) is not None or text[:1] in (" ", "\t")
        self._go = _PANIC.match(text) is not None

    def _continues(self, text: str, following: Sequence[str]) -> bool:
        if not text.strip():
            return True
        if _TRACEBACK.match(text):
            return self._takes_traceback(text)
        if text[0] in " \t":
            return not begins_with_time(text) and not _is_nextjs(text)
        if text[0] in _BOX or text.startswith("> File "):
            self._traceback = self._traceback or _is_boxed_traceback(text)
            return True
        if self._traceback:  # the first line at the margin is the exception itself
            self._traceback = False
            return not _is_logged(text)
        if _CHAIN.match(text):
            self._chained = True
            return True
        if _GOES_ON.match(text) or (self._go and _GO_FUNCTION.match(text)):
            return True
        if following and _GO_PLACE.match(following[0]) and not begins_with_time(text):
            return True
        return self._takes_exception(text, following)

    def _takes_traceback(self, text: str) -> bool:
        """A traceback belongs to the line that logged it, or to the exception that it is chained to."""
        takes = self._chained or (not self._trace_shown and self._is_trouble())
        if takes:
            self._trace_shown, self._chained = True, False
            self._traceback = _EXCEPTION_GROUP.match(text) is None
        return takes

    def _takes_exception(self, text: str, following: Sequence[str]) -> bool:
        """An exception at the margin, with frames below it, belongs to the line that logged it."""
        if not _HEADER.match(text):
            return False
        if self._chained:
            self._chained = False
            return True
        has_frames = bool(following) and _FRAME.match(following[0]) is not None
        takes = has_frames and not self._trace_shown and self._is_trouble()
        self._trace_shown = self._trace_shown or takes
        return takes

    def _is_trouble(self) -> bool:
        reading = read_line(self._head)
        return reading.error or reading.level is Level.WARNING


def _is_nextjs(text: str) -> bool:
    """Whether a line is one of Next.js' own, which all begin with a space: ` POST /orders 500 in 12ms`."""
    return _NEXTJS.match(text) is not None or (text[1:2].isalpha() and read_access(text[1:]) is not None)


def _is_boxed_traceback(text: str) -> bool:
    """Whether a line begins a traceback that rich draws in a box."""
    return text[:1] in _BOX and "Traceback (most recent call last)" in text[:400]


def _is_logged(text: str) -> bool:
    """Whether a logger wrote the line as one of its own."""
    prefix = read_prefix(text)
    return begins_with_time(text) or (prefix is not None and prefix.level is not Level.ERROR)


def telling_lines(lines: Sequence[str]) -> list[str]:
    """The lines of an event that say something: not the frames, and not the source code between them."""
    told, in_traceback, in_group = [], False, False
    for given in lines:
        in_group = in_group or _EXCEPTION_GROUP.match(given) is not None
        line = _BAR.sub("", given, count=1) if in_group else given
        if _TRACEBACK.match(line):
            in_traceback = True
            told.append(line)
        elif not line.strip() or _FRAME.match(line) or (in_traceback and line[0] in " \t"):
            in_traceback = in_traceback or 'File "' in line
        else:
            in_traceback = False
            told.append(line)
    return told


def exception_among(lines: Sequence[str]) -> str | None:
    """The last line that names an exception: what a stack trace comes to."""
    return next((line.strip() for line in reversed(lines) if _NAMES_EXCEPTION.match(line)), None)
