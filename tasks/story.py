"""What a run does, told in its log: a line for each thing that happened, in the journal's words.

Whoever opens a run in Prefect reads there what was found, decided, asked, answered and changed. How the
runbook works, such as the intent before each request, stays in the journal.
"""

import logging

from prefect.exceptions import MissingContextError
from prefect.logging import get_logger, get_run_logger

from runbook.checks.catalogue import check_title
from runbook.checks.findings import Findings, Status
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import (
    ApprovalRequested,
    DecisionMade,
    EffectSettled,
    Event,
    IncidentEscalated,
    TriageCompleted,
)
from runbook.incidents.sentences import sentence
from runbook.incidents.timeline import MACHINERY
from runbook.outside_text import let_in_line

LONGEST_LINE = 1000
"""Characters of a line; the journal has the whole."""

_TOLD_ELSEWHERE = (*MACHINERY, ApprovalRequested)
"""The gate tells of its question, with who may answer it; also when it asks again."""

_ANNOUNCING = ("announce", "publish_from", "remind")
"""Policies whose messages are journalled as an announcement or a reminder besides."""

_ASLEEP = "Finished in state Suspended("


def tell_event(event: Event) -> None:
    """A line about an event that was recorded just now; a page to a person is a warning."""
    if not isinstance(event, _TOLD_ELSEWHERE) and not _is_announcement(event):
        tell(_line(event), logging.WARNING if isinstance(event, IncidentEscalated) else logging.INFO)


def tell(text: str, level: int = logging.INFO) -> None:
    """A line in the log of the run that this is part of; without a run, nobody reads it."""
    try:
        log = get_run_logger()
    except MissingContextError:
        return
    log.log(level, "%s", let_in_line(text, LONGEST_LINE))


def fall_asleep_quietly() -> None:
    """Have Prefect log the suspension of a run, which is no failure, as what it is.

    It logs every end of a process but a completed run as an error.
    """
    get_logger("prefect.flow_runs").addFilter(_suspension_is_no_error)  # the same filter is added once


def _suspension_is_no_error(record: logging.LogRecord) -> bool:
    if record.levelno == logging.ERROR and record.getMessage().startswith(_ASLEEP):
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
    return True


def _is_announcement(event: Event) -> bool:
    if not isinstance(event, EffectSettled):
        return False
    effect = event.effect
    sent = not effect.is_change and effect.outcome is EffectOutcome.APPLIED
    return sent and effect.authority.reference in _ANNOUNCING


def _line(event: Event) -> str:
    match event:
        case TriageCompleted():
            return f"{sentence(event)}{_which(event.findings)}"
        case DecisionMade():
            because = "; ".join(event.decision.because)
            return f"{sentence(event)}{f'; because {because}' if because else ''}"
        case _:
            return sentence(event)


def _which(findings: Findings) -> str:
    """The checks that are bad or unknown, with what they saw."""
    words = ""
    for status in (Status.BAD, Status.UNKNOWN):
        named = [
            f"{check_title(item.check)} ({item.summary})" for item in findings.items if item.status is status
        ]
        words += f"; {status.value}: {', '.join(named)}" if named else ""
    return words
