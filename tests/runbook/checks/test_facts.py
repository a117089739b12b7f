"""Facts are a model in the code and a JSON object in the journal, whichever release wrote it."""

from typing import Any

import pytest
from pydantic import ValidationError

from runbook.checks.catalogue import CHECKS
from runbook.checks.facts import RecordedFacts
from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.readings import ProbeResult
from runbook.checks.spec import AnyCheck, CheckName
from runbook.checks.specs.error_rate import ERROR_RATE, ErrorRateFacts
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE, StatusPageFacts
from tests.runbook.findings_samples import EVERYWHERE, NOW, TYPICAL, error_rate, listed, status_page

NAMES = {
    "status_page": "incidents worst_impact elsewhere maintenances unclear route format",
    "health": "http_status status health",
    "error_rate": "errors_by_status errors_per_second requests_per_second error_share window_seconds "
    "threshold warnings complete posthog_errors",
    "logs": "error_lines errors_by_status unplaced_errors lines_read pods_read pods_unread window_seconds "
    "sample posthog_errors posthog_suspected",
    "probe": "outcome http_status retry_after_seconds key_source latency_seconds posthog_errors",
    "workload": "desired ready crashing killed_for_memory killed_container elsewhere stuck_pod stuck_pod_uid "
    "memory_limit recent_rollout rollout_waits_for waits_for_the_same crashing_revisions switches "
    "paused events not_counted",
}
"""The names of the facts in the journals of releases that are out."""


def found(check: AnyCheck, **facts: Any) -> Finding:
    """A finding with these facts, as a journal has it."""
    written = {"check": check.name, "status": "ok", "summary": "", "facts": facts, "observed_at": NOW}
    return Finding.model_validate(written)


@pytest.mark.parametrize("status", [Status.OK, Status.BAD])
@pytest.mark.parametrize("name", EVERYWHERE)
def test_every_fact_is_recorded_under_its_name(name: CheckName, status: Status) -> None:
    """A judgement tells all facts, and journals keep calling them what they did."""
    recorded = TYPICAL[name, status].model_dump(mode="json")["facts"]
    assert set(recorded) == set(NAMES[name].split()) == set(CHECKS[name].facts.model_fields)


def test_facts_are_the_same_after_the_journal() -> None:
    """What is judged at once and what is judged after a crash is one."""
    for finding in (error_rate({"503": 4.0}), error_rate(None)):
        read = Finding.model_validate_json(finding.model_dump_json())
        assert read == finding
        assert read.facts_of(ERROR_RATE) == finding.facts_of(ERROR_RATE)


def test_facts_of_another_release_are_read() -> None:
    """A fact that there is no more is kept and not asked for; one that there was not yet was not seen."""
    finding = found(ERROR_RATE, threshold=0.1, burn_rate={"1h": 2})
    assert finding.facts_of(ERROR_RATE) == ErrorRateFacts(threshold=0.1)
    assert finding.model_dump(mode="json")["facts"] == {"threshold": 0.1, "burn_rate": {"1h": 2}}


@pytest.mark.parametrize("outcome", ["a word of another release", 7, ["accepted"]])
def test_a_fact_that_cannot_be_read_was_not_seen(outcome: object) -> None:
    """It is neither good nor bad, and the others count."""
    facts = found(PROBE, outcome=outcome, http_status=200, posthog_errors=False).facts_of(PROBE)
    assert (facts.outcome, facts.http_status, facts.posthog_errors) == (None, 200, False)
    assert found(PROBE, outcome="accepted").facts_of(PROBE).outcome is ProbeResult.ACCEPTED


def test_a_check_that_was_not_made_saw_nothing() -> None:
    """Its facts are there, and each says so."""
    assert Findings(items=()).facts(ERROR_RATE) == ErrorRateFacts()
    gone = Finding.unknown(ERROR_RATE.name, "no answer", observed_at=NOW)
    assert Findings(items=(gone,)).facts(ERROR_RATE) == ErrorRateFacts()
    assert gone.model_dump(mode="json")["facts"] == {}


def test_facts_of_another_check_are_not_given() -> None:
    """They would all seem not to have been seen."""
    with pytest.raises(LookupError, match="the finding of error_rate has no facts of health"):
        error_rate({}).facts_of(HEALTH)


def test_a_fact_that_the_model_does_not_know_is_refused() -> None:
    """A typing mistake in a judgement cannot hide, where mypy did not look."""
    mistake: dict[str, Any] = {"treshold": 0.1}
    with pytest.raises(ValidationError, match="treshold"):
        ErrorRateFacts(**mistake)


def test_secrets_in_facts_are_masked() -> None:
    """What a status page says may hold anything."""
    key = "phx_" + "k3Y" * 12
    finding = status_page(listed(f"key {key} leaked"), maintenances=(listed(key),))
    facts = finding.facts_of(STATUS_PAGE)
    assert facts.incidents[0].name == "key [redacted:phx] leaked"
    assert facts.maintenances == ("[redacted:phx]",)
    assert key not in finding.model_dump_json()
    assert RecordedFacts.of(StatusPageFacts(route=key)).root["route"] == "[redacted:phx]"


def test_checks_are_in_the_order_of_quick_triage() -> None:
    """The runbook's four steps first, then the probe and the workload."""
    assert [name for name in CHECKS if name in EVERYWHERE] == list(NAMES)
