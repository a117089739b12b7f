"""How values are called in text for people."""

import pytest

from runbook.channels.wording import verdict_words
from runbook.decision.verdict import ErrorType, Verdict
from tests.runbook.journals import decision


@pytest.mark.parametrize(
    ("verdict", "error_type", "words"),
    [
        (Verdict.INTEGRATION_ISSUE, ErrorType.AUTHENTICATION, "Our integration, 401/403 - Authentication"),
        (Verdict.POSTHOG_OUTAGE, ErrorType.UNKNOWN, "PostHog outage, Unknown"),
        (Verdict.UNKNOWN, ErrorType.UNKNOWN, "Unknown"),
        (Verdict.INFRASTRUCTURE_ISSUE, ErrorType.INFRASTRUCTURE, "Our infrastructure"),
        (Verdict.INFRASTRUCTURE_ISSUE, ErrorType.UNKNOWN, "Our infrastructure, Unknown"),
    ],
)
def test_what_two_words_say_is_said_once(verdict: Verdict, error_type: ErrorType, words: str) -> None:
    """The verdict, and the type of error where that says more."""
    made = decision(verdict).model_copy(update={"error_type": error_type})
    assert verdict_words(made) == words
