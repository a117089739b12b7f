"""Lines that belong together become one event, so that a traceback of thirty lines is one error."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runbook.checks.log_lines.continuations import Continuation, exception_among, telling_lines
from runbook.checks.log_lines.forms.records import without_record
from runbook.checks.log_lines.lines import LogLine
from runbook.checks.log_lines.reading import Evidence, LineReading, evidence_in, judge
from runbook.outside_text.terminal_codes import without_terminal_codes

_MOST_TELLING_LINES = 50


class LogEvent(NamedTuple):
    """A line of a pod's log with the lines that go on with it."""

    pod: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its first line, and the exception that it comes to; of JSON over several lines, all of it."""
        first = self.lines[0].strip()
        if first == "{":
            return " ".join(line.strip() for line in self.lines)
        exception = exception_among(telling_lines(self.lines[1:]))
        return f"{first} … {exception}" if exception else first


def events_of(lines: Sequence[LogLine]) -> list[LogEvent]:
    """The events in the order in which they began. Each container's lines are followed by themselves."""
    sources: dict[tuple[str, str], list[int]] = {}
    for number, line in enumerate(lines):
        sources.setdefault((line.pod, line.container), []).append(number)
    begun: list[tuple[int, LogEvent]] = []
    for (pod, _), numbers in sources.items():
        texts = [without_record(lines[number].text) for number in numbers]
        for group in _grouped([without_terminal_codes(text) for text in texts]):
            event = LogEvent(pod, tuple(texts[index] for index in group))
            begun.append((numbers[group[0]], event))
    return [event for _, event in sorted(begun, key=lambda item: item[0])]


def _grouped(texts: Sequence[str]) -> Iterator[range]:
    continuation, start = Continuation(), 0
    for number, text in enumerate(texts):
        if not continuation.goes_on(text, texts[number + 1 : number + 2]) and number:
            yield range(start, number)
            start = number
    if texts:
        yield range(start, len(texts))


def read_event(event: LogEvent) -> LineReading:
    """What an event says: its first line decides the level, and the others tell what that one leaves open."""
    if len(event.lines) == 1:
        return judge(evidence_in(event.lines[0]))
    texts = [without_terminal_codes(line) for line in event.lines]
    if texts[0].strip() == "{":
        return judge(evidence_in("\n".join(texts)))  # JSON over several lines
    evidence = evidence_in(texts[0])
    for text in telling_lines(texts)[:_MOST_TELLING_LINES]:
        if text != texts[0]:
            evidence |= evidence_in(text)._replace(level=None)
    named = next((text for text in texts if "posthog" in text.lower()), "")
    return judge(evidence | Evidence(context=named))
