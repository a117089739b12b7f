"""Each word of a health endpoint has one meaning, and a word that nobody knows is neither well nor bad."""

import pytest

from runbook.checks.findings import Status
from runbook.checks.health import Health, health_of
from runbook.policy.policy import Policy
from tests.runbook.findings_samples import health

HEALTHY, DEGRADED, DOWN, UNKNOWN = Health


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("healthy", HEALTHY),
        ("Healthy", HEALTHY),
        ("OK\n", HEALTHY),
        (" ok ", HEALTHY),
        ("OK!", HEALTHY),
        ("UP", HEALTHY),
        ("pass", HEALTHY),
        ("true", HEALTHY),
        ("200", HEALTHY),
        ("204", HEALTHY),
        ("All systems operational.", HEALTHY),
        ("warn", DEGRADED),
        ("Degraded", DEGRADED),
        ("degraded-performance", DEGRADED),
        ("DOWN", DOWN),
        ("fail", DOWN),
        ("Unhealthy", DOWN),
        ("OUT_OF_SERVICE", DOWN),
        ("not ok", DOWN),
        ("NOT_SERVING", DOWN),
        ("false", DOWN),
        ("503", DOWN),
        ("UNKNOWN", UNKNOWN),
        ("starting", UNKNOWN),
        ("sideways", UNKNOWN),
        ("not unhealthy", UNKNOWN),
        ("1", UNKNOWN),
        ("0", UNKNOWN),
        ("100", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_a_word_means_this(word: str | None, meaning: Health) -> None:
    """Case, spaces and punctuation around it do not matter; the whole word does."""
    assert health_of(word) is meaning


@pytest.mark.parametrize("word", ["degraded", "UNKNOWN", "Sideways", "1"])
def test_a_word_of_the_policy_counts_before_the_table(word: str) -> None:
    """What the platform team calls well is well."""
    assert health_of(word, healthy_words=(word.lower(),)) is HEALTHY


def test_every_word_of_the_policy_is_known() -> None:
    """The policy's default adds nothing that the table would say otherwise."""
    assert {health_of(word) for word in Policy().healthy_words} == {HEALTHY}


@pytest.mark.parametrize(
    ("word", "http_status", "status", "summary"),
    [
        ("UP", 200, Status.OK, "says UP"),
        ("warn", 200, Status.BAD, "says warn (HTTP 200)"),
        ("DOWN", 503, Status.BAD, "says DOWN (HTTP 503)"),
        ("UP", 503, Status.BAD, "says UP (HTTP 503)"),  # the word and the status contradict each other
        ("UNKNOWN", 200, Status.UNKNOWN, "says UNKNOWN (HTTP 200), which is not conclusive"),
        ("sideways", 200, Status.UNKNOWN, "says sideways (HTTP 200), which is not conclusive"),
        ("UNKNOWN", 503, Status.BAD, "answers HTTP 503 and says UNKNOWN"),
        ("sideways", 500, Status.BAD, "answers HTTP 500 and says sideways"),
        (None, 503, Status.BAD, "answers HTTP 503"),
        (None, 204, Status.UNKNOWN, "HTTP 204 without a PostHog status"),
    ],
)
def test_the_finding_follows_the_table(
    word: str | None, http_status: int, status: Status, summary: str
) -> None:
    """Degraded and down are bad, unknown is unknown, and a server that fails is bad whatever it says."""
    found = health(word, http_status=http_status)
    assert (found.status, found.summary) == (status, summary)
