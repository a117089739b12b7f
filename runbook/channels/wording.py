"""How the runbook's values are called in text for people."""

from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.gates import Choice, Instead
from runbook.checks.findings import Status
from runbook.decision.verdict import Decision, Verdict
from runbook.incidents.state import IncidentOutcome
from runbook.policy.permissions import PermissionChange

REHEARSAL = "REHEARSAL: nothing will be changed"
"""How everything begins that people read of an incident that was opened with `dry_run`."""

VERDICT_TITLES = {
    Verdict.POSTHOG_OUTAGE: "PostHog outage",
    Verdict.INTEGRATION_ISSUE: "Our integration",
    Verdict.RESOLVED_OR_INTERMITTENT: "Resolved or intermittent",
    Verdict.INFRASTRUCTURE_ISSUE: "Our infrastructure",
    Verdict.UNKNOWN: "Unknown",
}


NOT_YET = "not yet"
"""The answer that has the question come back later, as a terminal offers it."""


def verdict_words(decision: Decision) -> str:
    """The verdict and the type of error, or the verdict alone where that says the same."""
    verdict, error_type = VERDICT_TITLES[decision.verdict], decision.error_type.heading
    return verdict if error_type.lower() in verdict.lower() else f"{verdict}, {error_type}"


STATUS_MARKS = {Status.OK: "✔", Status.BAD: "✘", Status.UNKNOWN: "?"}
"""Told apart by shape, so that colour only adds to them."""

ACTION_OUTCOMES = {
    ActionOutcome.DONE: "done",
    ActionOutcome.RECOVERED: "done, and it helped",
    ActionOutcome.NOT_RECOVERED: "done, and it did not help",
    ActionOutcome.UNKNOWN: "unknown: the runbook could not find out whether it was done or whether it helped",
    ActionOutcome.REVERTED: "done, and reverted by somebody else",
    ActionOutcome.ALREADY_IN_PLACE: "already in place",
    ActionOutcome.BLOCKED: "not possible",
    ActionOutcome.REJECTED: "rejected",
    ActionOutcome.DRY_RUN: "approved but not applied: dry run only",
    ActionOutcome.FAILED: "failed",
    ActionOutcome.HANDED_OFF: "handed over to a person",
    ActionOutcome.BY_HAND: "done by hand",
}

ANSWERED = {
    Choice.APPROVE: "approved",
    Choice.REJECT: "rejected",
    Choice.EDIT: "edited",
    Choice.SNOOZE: "snoozed",
}
"""What someone did at a gate."""

INSTEAD = {
    Instead.BY_HAND: "it is done by hand",
    Instead.NOTHING: "nothing is done for now",
    Instead.WRONG_VERDICT: "the verdict is wrong",
}
"""What happens instead of a change that was rejected."""

OUTCOMES = {
    IncidentOutcome.RECOVERED: "recovered",
    IncidentOutcome.NOT_RECOVERED: "not recovered",
    IncidentOutcome.UNKNOWN: "unknown: the runbook could not find out whether it is over",
    IncidentOutcome.FALSE_POSITIVE: "false positive",
    IncidentOutcome.NOT_OURS: "not ours",
    IncidentOutcome.MERGED: "merged into another incident",
}

_SPELLINGS = {"posthog": "PostHog", "api": "API"}


def service_title(service: str) -> str:
    """The service's name as a heading: `posthog-integration` gives `PostHog Integration`."""
    words = service.replace("_", " ").replace("-", " ").split()
    return " ".join(_SPELLINGS.get(word.lower(), sentence_case(word)) for word in words)


def sentence_case(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 check`, `2 checks`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def numbered_choices(editable: bool) -> str:
    """The answers to a question as a terminal offers them, numbered without a gap."""
    words = ["approve", "reject", *(["edit"] if editable else []), NOT_YET]
    return ", ".join(f"{number} {word}" for number, word in enumerate(words, start=1))


def edit_words(change: PermissionChange) -> str:
    """An edit of the policy, and whether it holds for the incident that it is told of."""
    held = "" if change.applied else " (not for this incident: it keeps the value from its opening)"
    return f"{change.name}: {change.before} → {change.after}{held}"
