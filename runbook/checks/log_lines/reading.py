"""How a line is read: its form first, its level before its words, named fields before free text."""

from typing import NamedTuple

from runbook.checks.log_lines.error_words import reports_error
from runbook.checks.log_lines.forms import parse
from runbook.checks.log_lines.forms.parsed_line import ParsedLine
from runbook.checks.log_lines.levels import Level
from runbook.checks.log_lines.no_answers import failure_in
from runbook.checks.log_lines.statuses import Statuses, is_failing, statuses_in
from runbook.checks.log_lines.subjects import Subject, subject_of
from runbook.decision.error_types import error_type_of
from runbook.decision.verdict import ErrorType
from runbook.outside_text.terminal_codes import without_terminal_codes, without_written_out_codes

_MOST_FORMS = 6  # a line within a line within a line: JSON in a container runtime's envelope in syslog


_LONGEST_SAID = 100_000  # characters that are searched for words; no container runtime writes a longer line


class Evidence(NamedTuple):
    """All that a text says, before it is judged. That of several texts can be put together.

    `said` is the free text, `context` what named fields add about whom it concerns.
    """

    level: Level | None = None
    statuses: Statuses = Statuses()
    names_error: bool = False
    inbound: bool = False
    said: str = ""
    context: str = ""

    def __or__(self, other: "Evidence") -> "Evidence":
        """Both together; where they disagree, the first one counts."""
        return Evidence(
            level=other.level if self.level is None else self.level,
            statuses=self.statuses | other.statuses,
            names_error=self.names_error or other.names_error,
            inbound=self.inbound or other.inbound,
            said=f"{self.said}\n{other.said}" if self.said else other.said,
            context=f"{self.context}\n{other.context}" if self.context else other.context,
        )


class LineReading(NamedTuple):
    """What a line, or an event of several, says.

    `status` is an HTTP status of 4xx or 5xx, or `timeout` or `connection` where an error says that no answer
    came; `None` is not known, which is not the same as none.
    """

    level: Level | None
    error: bool
    status: str | None
    subject: Subject


def read_line(text: str) -> LineReading:
    """Read one line."""
    return judge(evidence_in(text))


def is_error(text: str) -> bool:
    """Whether the line reports an error: by its level, and by its words where it says no level.

    A line of a lower level is an error too where it tells a failure in figures: an answer of 5xx, a refusal
    by PostHog, or an error with its status. HTTP clients log those as information.
    """
    return read_line(text).error


def http_status(text: str) -> str | None:
    """The HTTP status that a line tells; of an error also `timeout` or `connection`, where no answer came."""
    return read_line(text).status


def evidence_in(text: str) -> Evidence:
    """All that a line says, whatever forms lie within each other."""
    return _within(text, _MOST_FORMS)


def judge(evidence: Evidence) -> LineReading:
    """What the evidence comes to."""
    level, statuses, said = evidence.level, evidence.statuses, evidence.said[:_LONGEST_SAID]
    lone = None if statuses.fine else statuses.lone
    certain = statuses.named or (lone if statuses.told else None)
    subject = Subject.UNSAID
    error = level is Level.ERROR
    if not error and (level is None or certain):
        error = evidence.names_error or reports_error(said)
    if error or certain:
        subject = subject_of(f"{said}\n{evidence.context}", inbound=evidence.inbound)
        error = error or _is_failed_answer(certain, statuses.named, subject)
    status = statuses.named
    if error and status is None:
        status = lone or failure_in(said)
    return LineReading(level, error, status, subject)


def _is_failed_answer(certain: str | None, named: str | None, subject: Subject) -> bool:
    """Whether a status is an error at any level: a named 5xx, or one of PostHog's that the plan acts on."""
    if named is not None and named >= "500":
        return True
    about_posthog = certain is not None and subject is Subject.POSTHOG
    return about_posthog and error_type_of(certain or "") is not ErrorType.UNKNOWN


def _within(given: str, forms: int) -> Evidence:
    text = without_terminal_codes(given).strip()
    parsed = parse(text) if forms else None
    if parsed is None:
        text = without_written_out_codes(text)
        return Evidence(statuses=statuses_in(text), said=text)
    evidence = _of_fields(parsed)
    for inner in parsed.texts:
        # a text that is the whole line again would be taken apart for ever
        evidence |= _within(inner, forms - 1 if len(inner) < len(text) else 0)
    if evidence.level is None and parsed.default_level is not None:
        evidence = evidence._replace(level=parsed.default_level)
    return evidence


def _of_fields(parsed: ParsedLine) -> Evidence:
    failing = next((code for code in parsed.statuses if is_failing(code)), None)
    return Evidence(
        level=parsed.level,
        statuses=Statuses(named=failing, fine=bool(parsed.statuses) and failing is None),
        names_error=parsed.names_error,
        inbound=parsed.inbound,
        context=parsed.context,
    )
