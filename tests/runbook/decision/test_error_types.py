"""The errors are sorted into the runbook's error types, from all that saw them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.checks.findings import Finding
from runbook.checks.readings import ProbeResult
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.decision.error_types import NOISE, error_mix, error_type_of, is_success
from runbook.decision.verdict import ErrorType
from tests.runbook.findings_samples import error_rate, gone, logs, probe, triage

AUTH, LIMIT, POSTHOG = ErrorType.AUTHENTICATION, ErrorType.RATE_LIMITED, ErrorType.POSTHOG_ERRORS
OTHER = ErrorType.UNKNOWN


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("401", AUTH),
        ("403", AUTH),
        ("402", LIMIT),  # PostHog's answer to a project over its quota
        ("429", LIMIT),
        ("500", POSTHOG),
        ("502", POSTHOG),
        ("503", POSTHOG),
        ("504", POSTHOG),
        ("599", POSTHOG),
        ("5xx", POSTHOG),
        ("timeout", POSTHOG),
        ("connection_error", POSTHOG),
        ("400", OTHER),
        ("404", OTHER),
        ("413", OTHER),
        ("4xx", OTHER),
        ("302", OTHER),
        ("unknown", OTHER),  # what Prometheus' block says where the metric has no status label
        ("", OTHER),
        ("401 Unauthorized", AUTH),
        ("HTTP 429", LIMIT),
        ("HTTP_503", POSTHOG),
        ("Unauthorized", AUTH),
        ("PERMISSION_DENIED", AUTH),
        ("TooManyRequests", LIMIT),
        ("rate-limited", LIMIT),
        ("404 Not Found", OTHER),
    ],
)
def test_status_or_word_has_an_error_type(status: str, kind: ErrorType) -> None:
    """HTTP statuses are sorted by the runbook's headings; a word such as `timeout` is PostHog's silence."""
    assert error_type_of(status) is kind


@pytest.mark.parametrize(
    ("status", "success"),
    [
        *(
            (status, True)
            for status in ("200", "204", "302", "2xx", "200 OK", "HTTP 201", "ok", "OK", "success")
        ),
        *(
            (status, False)
            for status in ("", "unknown", "none", "0", "2", "20", "2000", "404", "5xx", "timeout")
        ),
    ],
)
def test_a_status_of_success_is_no_error(status: str, success: bool) -> None:
    """A metric that counts all requests has them beside its errors."""
    assert is_success(status) is success


@pytest.mark.parametrize(
    ("found", "mix"),
    [
        ((), {}),
        ((error_rate({"401": 4.0}),), {AUTH: 1.0}),
        ((error_rate({"401": 2.0, "403": 2.0}),), {AUTH: 1.0}),
        ((error_rate({"401": 1.0, "503": 3.0}),), {POSTHOG: 0.75, AUTH: 0.25}),
        ((logs({"429": 9}),), {LIMIT: 1.0}),
        ((logs({"429": 9}), gone(ERROR_RATE.name)), {LIMIT: 1.0}),
        # the mean of both, however many more lines than requests per second there are
        ((error_rate({"401": 4.0}), logs({"503": 90})), {AUTH: 0.5, POSTHOG: 0.5}),
        ((error_rate({"401": 3.0, "503": 1.0}), logs({"401": 9})), {AUTH: 0.875, POSTHOG: 0.125}),
        # a source under its threshold saw no errors worth a share
        ((error_rate({"401": 0.05}), logs({"503": 9})), {POSTHOG: 1.0}),
        ((error_rate({"401": 4.0}), logs({"503": 1})), {AUTH: 1.0}),
        # noise goes, and the rest adds up to one again
        ((error_rate({"503": 96.0, "404": 4.0}),), {POSTHOG: 1.0}),
        ((error_rate({"503": 94.0, "404": 6.0}),), {POSTHOG: 0.94, OTHER: 0.06}),
        ((error_rate({"503": 92.0, "404": 6.0, "429": 2.0}),), {POSTHOG: 0.939, OTHER: 0.061}),
        # statuses at zero are not errors
        ((error_rate({"503": 4.0, "401": 0.0}),), {POSTHOG: 1.0}),
        # the probe speaks only where nothing else saw errors
        ((probe(ProbeResult.KEY_REJECTED),), {AUTH: 1.0}),
        ((probe(ProbeResult.SCOPE_MISSING),), {AUTH: 1.0}),
        ((probe(ProbeResult.RATE_LIMITED),), {LIMIT: 1.0}),
        ((probe(ProbeResult.SERVER_ERROR),), {POSTHOG: 1.0}),
        ((probe(ProbeResult.UNREACHABLE),), {}),
        ((probe(ProbeResult.KEY_REJECTED), error_rate({"503": 4.0})), {POSTHOG: 1.0}),
        ((probe(ProbeResult.KEY_REJECTED), error_rate({"503": 0.05})), {AUTH: 1.0}),
    ],
)
def test_mix_is_what_metrics_and_logs_say(found: tuple[Finding, ...], mix: dict[ErrorType, float]) -> None:
    """Shares are the mean of metrics and logs; a single probe is asked only where they saw nothing."""
    assert list(error_mix(triage(*found)).items()) == list(mix.items())


STATUSES = st.sampled_from(["401", "403", "429", "402", "500", "503", "timeout", "404", "400"])


@given(
    rates=st.dictionaries(STATUSES, st.floats(0.2, 1e6), min_size=1),
    counts=st.dictionaries(STATUSES, st.integers(0, 200)),
)
def test_shares_add_up_to_one_largest_first(rates: dict[str, float], counts: dict[str, int]) -> None:
    """Whatever was counted, the shares are sorted, none is noise, and together they are everything."""
    shares = list(error_mix(triage(error_rate(rates), logs(counts))).values())
    assert sum(shares) == pytest.approx(1.0, abs=0.003)
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= NOISE - 0.001
