"""Which of the runbook's error types the errors are, from metrics, logs and probe together."""

import re
from collections.abc import Mapping

from runbook.checks.findings import Findings
from runbook.checks.readings import ProbeResult
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.probe import PROBE
from runbook.decision.verdict import ErrorType
from runbook.outside_text import OutsideName

NOISE = 0.05
"""A type with a smaller share of the errors is not reported."""

PROBE_TYPES: dict[ProbeResult, ErrorType] = {
    ProbeResult.KEY_REJECTED: ErrorType.AUTHENTICATION,
    ProbeResult.SCOPE_MISSING: ErrorType.AUTHENTICATION,
    ProbeResult.RATE_LIMITED: ErrorType.RATE_LIMITED,
    ProbeResult.SERVER_ERROR: ErrorType.POSTHOG_ERRORS,
}


UNKNOWN_STATUS = "unknown"
"""The status of errors whose metric has no label for it."""

_SUCCESSES = ("ok", "success", "successful", "succeeded")
_UNAUTHENTICATED = ("401", "unauthorized", "unauthenticated")
_FORBIDDEN = ("403", "forbidden", "permission_denied", "permissiondenied")
_RATE_LIMITED = (
    *("too_many_requests", "toomanyrequests", "rate_limited", "ratelimited", "throttled"),
    *("resource_exhausted", "resourceexhausted"),
)
_CODE = re.compile(
    r"(?:http[ _-]?)?(?P<code>[1-5](?:\d\d|xx))(?:[ _-].*)?", re.IGNORECASE | re.ASCII | re.DOTALL
)


def is_success(status: str) -> bool:
    """Whether the status says that a request succeeded: 1xx to 3xx, as number or class, or a word for it."""
    plain = _code_in(status)
    return plain in _SUCCESSES or (_CODE.fullmatch(plain) is not None and plain[0] in "123")


def is_unauthenticated(status: str) -> bool:
    """Whether the status says that PostHog does not know the key: 401, as number, label or word."""
    return _code_in(status) in _UNAUTHENTICATED


def is_forbidden(status: str) -> bool:
    """Whether the status says that the key may not do what it asks: 403, as number, label or word."""
    return _code_in(status) in _FORBIDDEN


def _code_in(status: str) -> str:
    """The code in "401 Unauthorized", `HTTP_401` or `4xx`, else the word in lower case."""
    plain = status.strip().lower()
    found = _CODE.fullmatch(plain)
    return found["code"] if found else plain.replace(" ", "_").replace("-", "_")


def error_type_of(status: str) -> ErrorType:
    """The error type of an HTTP status, or of the word that stands where no answer came.

    402 is PostHog's quota limit. A word such as `timeout` means that PostHog did not answer; `unknown` is
    what a metric without the status label says.
    """
    status = _code_in(status)
    if status in _UNAUTHENTICATED or status in _FORBIDDEN:
        return ErrorType.AUTHENTICATION
    if status in ("402", "429") or status in _RATE_LIMITED:
        return ErrorType.RATE_LIMITED
    if status in ("", UNKNOWN_STATUS) or status[0] in "1234":  # `4xx` too: some exporters count by class
        return ErrorType.UNKNOWN
    return ErrorType.POSTHOG_ERRORS


def error_mix(findings: Findings) -> dict[ErrorType, float]:
    """Each error type's share of the errors, 0 to 1, largest first.

    The mean of what metrics and logs say; the probe speaks where neither saw an error, since a single
    request says nothing about shares.
    """
    told = (findings.facts(ERROR_RATE), findings.facts(LOGS))
    sources = [
        shares for facts in told if facts.posthog_errors and (shares := _shares(facts.errors_by_status))
    ]
    if not sources:
        outcome = findings.facts(PROBE).outcome
        seen = PROBE_TYPES.get(outcome) if outcome else None
        return {seen: 1.0} if seen else {}
    mean = {
        kind: sum(source.get(kind, 0.0) for source in sources) / len(sources)
        for kind in ErrorType
        if any(kind in source for source in sources)
    }
    loud = {kind: share for kind, share in mean.items() if share >= NOISE}
    total = sum(loud.values())
    return {kind: round(share / total, 3) for kind, share in sorted(loud.items(), key=lambda item: -item[1])}


def _shares(by_status: Mapping[OutsideName, float] | None) -> dict[ErrorType, float]:
    counts: dict[ErrorType, float] = {}
    for status, count in (by_status or {}).items():
        if count > 0:
            kind = error_type_of(status)
            counts[kind] = counts.get(kind, 0.0) + count
    total = sum(counts.values())
    return {kind: count / total for kind, count in counts.items()}
