"""Each check of Quick Triage judges what was read: ok, bad, or unknown where it cannot tell."""

import pytest

from runbook.checks.findings import Status
from runbook.checks.readings import Impact, ListedIncident, LogReading, ProbeResult
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.logs import LOGS, judge_logs
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE
from tests.runbook.findings_samples import (
    NOW,
    POLICY,
    error_rate,
    health,
    listed,
    logs,
    probe,
    status_page,
)

OK, BAD, UNKNOWN = Status

US = listed("US is slow", Impact.DEGRADED, "US Cloud 🇺🇸")
EU_OUTAGE = listed("EU is down", Impact.FULL_OUTAGE, "EU Cloud 🇪🇺")
EVERYWHERE = listed("Login fails", Impact.PARTIAL_OUTAGE)


@pytest.mark.parametrize(
    ("incidents", "regions", "status", "worst", "elsewhere"),
    [
        ((), (), OK, "none", 0),
        ((US, EU_OUTAGE), (), BAD, "full_outage", 0),
        ((US,), ("US Cloud",), BAD, "degraded_performance", 0),
        ((US,), ("us cloud",), BAD, "degraded_performance", 0),
        ((EU_OUTAGE,), ("US Cloud",), OK, "none", 1),
        ((US, EU_OUTAGE), ("US Cloud",), BAD, "degraded_performance", 1),
        ((EU_OUTAGE,), ("US Cloud", "EU Cloud"), BAD, "full_outage", 0),
        ((EVERYWHERE,), ("US Cloud",), BAD, "partial_outage", 0),
        ((US, EVERYWHERE), ("US Cloud",), BAD, "partial_outage", 0),
        ((listed("Notice", Impact.NONE),), (), BAD, "none", 0),
    ],
)
def test_incident_on_the_status_page_counts_in_our_regions(
    incidents: tuple[ListedIncident, ...],
    regions: tuple[str, ...],
    status: Status,
    worst: str,
    elsewhere: int,
) -> None:
    """An incident counts where it names one of our regions or none at all; others are only counted."""
    found = status_page(*incidents, regions=regions)
    assert (
        found.status,
        found.facts_of(STATUS_PAGE).worst_impact,
        found.facts_of(STATUS_PAGE).elsewhere,
    ) == (status, worst, elsewhere)


def test_incident_elsewhere_is_said_all_the_same() -> None:
    """People learn that something is listed for another region."""
    assert (
        status_page(EU_OUTAGE, regions=("US Cloud",)).summary
        == "nothing listed for our regions (1 elsewhere)"
    )


def test_maintenance_does_not_count_as_an_incident() -> None:
    """A running maintenance is noted, and the status page stays ok."""
    found = status_page(maintenances=(listed("Database upgrade", Impact.MAINTENANCE),))
    assert found.status is OK
    assert found.summary == "no incident listed; maintenance: Database upgrade"
    assert found.facts_of(STATUS_PAGE).maintenances == ("Database upgrade",)


@pytest.mark.parametrize(
    ("word", "http_status", "status"),
    [
        ("healthy", 200, OK),
        ("Healthy", 200, OK),
        ("OK", 200, OK),
        ("operational", 207, OK),
        ("degraded", 200, BAD),
        ("unhealthy", 200, BAD),  # holds "healthy", and is not
        ("healthy", 503, BAD),  # the word and the status contradict each other
        ("down", 404, BAD),
        (None, 500, BAD),
        (None, 503, BAD),
        (None, 200, UNKNOWN),  # an answer without the word proves nothing
        ("", 200, UNKNOWN),
        (None, 301, UNKNOWN),
        (None, 404, UNKNOWN),
        (None, 401, UNKNOWN),
    ],
)
def test_health_is_the_word_of_the_integration(word: str | None, http_status: int, status: Status) -> None:
    """Only a healthy word in a good answer is ok; without a word, only the server's own failure is bad."""
    assert health(word, http_status=http_status).status is status


@pytest.mark.parametrize(
    ("by_status", "requests", "status", "errors", "share"),
    [
        ({"503": 4.0}, 20.0, BAD, True, 0.2),
        ({"503": 0.06, "401": 0.06}, 20.0, BAD, True, 0.006),  # together over the threshold
        ({"503": 0.11}, 20.0, BAD, True, 0.0055),
        ({"503": 0.1}, 20.0, OK, False, 0.005),  # the threshold itself is not over it
        ({"503": 0.0}, 20.0, OK, False, 0.0),
        ({}, 20.0, OK, False, 0.0),
        ({"503": 4.0}, None, BAD, True, None),
        ({"503": 4.0}, 0.0, BAD, True, None),
        ({"503": 4.0}, 3.9, BAD, True, 1.0),  # two scrapes never agree to the last request
        (None, 20.0, UNKNOWN, None, None),
        (None, None, UNKNOWN, None, None),
    ],
)
def test_error_rate_is_bad_over_its_threshold_and_unknown_without_data(
    by_status: dict[str, float] | None,
    requests: float | None,
    status: Status,
    errors: bool | None,
    share: float | None,
) -> None:
    """No data is unknown, never zero; the share is known only where requests were counted."""
    found = error_rate(by_status, requests=requests)
    assert (found.status, found.facts_of(ERROR_RATE).posthog_errors) == (status, errors)
    assert found.facts_of(ERROR_RATE).error_share == (pytest.approx(share) if share is not None else None)


def test_error_rate_names_the_largest_status_first() -> None:
    """The summary says how much of what, without statuses at zero."""
    found = error_rate({"401": 1.0, "503": 3.0, "500": 0.0}, requests=8.0)
    assert found.summary == "4.00 errors/s (50% of requests); 503: 3.00/s, 401: 1.00/s"


UNREAD = {"web-2": "forbidden"}


@pytest.mark.parametrize(
    ("by_status", "others", "unread", "status", "errors"),
    [
        ({}, 0, {}, OK, False),
        ({"503": 2}, 0, {}, OK, False),
        ({"503": 3}, 0, {}, BAD, True),
        ({"503": 1, "401": 2}, 0, {}, BAD, True),
        ({}, 3, {}, BAD, False),  # errors, none of them with PostHog's name on it
        ({"503": 2}, 1, {}, BAD, False),
        ({}, 0, UNREAD, UNKNOWN, None),
        ({"503": 2}, 0, UNREAD, UNKNOWN, None),
        ({"503": 3}, 0, UNREAD, BAD, True),  # what was seen is enough
        ({}, 3, UNREAD, BAD, None),  # the pod that was not read may hold errors of PostHog
    ],
)
def test_logs_are_bad_from_three_errors_and_open_where_a_pod_was_not_read(
    by_status: dict[str, int], others: int, unread: dict[str, str], status: Status, errors: bool | None
) -> None:
    """Errors that were found count; their absence counts only where every pod was read."""
    found = logs(by_status, others=others, unread=unread)
    assert (found.status, found.facts_of(LOGS).posthog_errors) == (status, errors)


@pytest.mark.parametrize(
    ("by_status", "unplaced", "named", "errors", "suspected"),
    [
        ({}, 0, 2, False, False),  # too few to count
        ({}, 3, 0, None, False),
        ({}, 2, 1, None, False),
        ({}, 0, 3, None, True),
        ({"503": 1}, 2, 0, None, False),
        ({"503": 1}, 0, 2, None, True),
        ({"503": 3}, 0, 9, True, False),  # what is certain is enough
    ],
)
def test_errors_that_may_be_posthogs_leave_the_answer_open(
    by_status: dict[str, int], unplaced: int, named: int, errors: bool | None, suspected: bool
) -> None:
    """An error without a readable status is no sign that PostHog is well; its name makes it suspected."""
    found = logs(by_status, unplaced=unplaced, named=named)
    assert (found.facts_of(LOGS).posthog_errors, found.facts_of(LOGS).posthog_suspected) == (
        errors,
        suspected,
    )


def test_logs_say_how_many_errors_may_be_posthogs() -> None:
    """People see why the answer is open."""
    assert logs({"503": 1}, unplaced=2).summary == (
        "3 error lines of 500 in 1 pods (503: 1, perhaps of PostHog: 2)"
    )


def test_logs_without_any_pod_are_unknown() -> None:
    """No pod to read is no sign of health."""
    nothing = LogReading(window_seconds=300, lines_read=0, errors=(), errors_by_status={}, pods_read=())
    found = judge_logs(nothing, policy=POLICY, now=NOW)
    assert (found.status, found.facts_of(LOGS).posthog_errors) == (UNKNOWN, None)


def test_logs_say_which_pods_were_not_read_and_why() -> None:
    """The gap is part of the answer."""
    assert logs({"503": 3}, unread=UNREAD).summary == (
        "3 error lines of 500 in 1 pods (503: 3); not read: web-2 (forbidden)"
    )


@pytest.mark.parametrize(
    ("outcome", "status", "errors"),
    [
        (ProbeResult.ACCEPTED, OK, False),
        (ProbeResult.KEY_REJECTED, BAD, True),
        (ProbeResult.SCOPE_MISSING, BAD, True),
        (ProbeResult.RATE_LIMITED, BAD, True),
        (ProbeResult.SERVER_ERROR, BAD, True),
        (ProbeResult.UNREACHABLE, UNKNOWN, None),  # the fault may be our own network
    ],
)
def test_probe_is_bad_only_where_posthog_answered_so(
    outcome: ProbeResult, status: Status, errors: bool | None
) -> None:
    """An error that PostHog gave is bad; no answer proves nothing."""
    found = probe(outcome)
    assert (found.status, found.facts_of(PROBE).posthog_errors) == (status, errors)


def test_every_probe_outcome_is_judged() -> None:
    """A new outcome cannot slip through unjudged as ok."""
    ok = [outcome for outcome in ProbeResult if probe(outcome).status is OK]
    assert ok == [ProbeResult.ACCEPTED]
