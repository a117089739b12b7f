"""An action has worked, and an incident is over, only where the facts say so."""

from itertools import combinations

import pytest

from runbook.actions.catalogue import CATALOGUE
from runbook.actions.spec import ActionKind, ActionName, Proof
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.request_queue import ENABLE_REQUEST_QUEUE
from runbook.actions.specs.undo import UNDO
from runbook.checks.findings import Finding, Findings, Status
from runbook.checks.recovery import LASTING, NO_REQUESTS, Recovery, action_succeeded, incident_over
from runbook.checks.spec import CheckName
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.probe import PROBE
from runbook.decision.decide import decide
from runbook.decision.verdict import Decision, Verdict
from tests.runbook.findings_samples import (
    POLICY,
    error_rate,
    every_combination,
    gone,
    health,
    told,
    triage,
)
from tests.runbook.journals import decision

CHANGES = [name for name, spec in CATALOGUE.items() if spec.kind is ActionKind.CHANGE and name != UNDO.name]
"""All but the undo, which is proved by its rollout: it brings nothing back but the state before."""


def proof_of(name: ActionName) -> Proof:
    """What proves the change."""
    proof = CATALOGUE[name].proof
    assert proof is not None
    return proof


QUEUE = proof_of(ENABLE_REQUEST_QUEUE.name)


def test_every_change_has_a_proof_and_every_verdict_an_end() -> None:
    """No change can be made whose success nobody checks, and no incident can be watched for nothing."""
    assert all(proof_of(name).checks for name in CHANGES)
    assert [spec.name for spec in CATALOGUE.values() if spec.name not in CHANGES and spec.proof] == []
    assert set(LASTING) == set(Verdict)
    assert all(LASTING.values())


@pytest.mark.parametrize("name", [name for name in CHANGES if not proof_of(name).errors_like])
def test_action_has_worked_if_all_of_its_checks_are_ok(name: ActionName) -> None:
    """One bad check is a no; without one, an unknown check leaves it open: in all 729 combinations."""
    for findings in every_combination():
        recovery = action_succeeded(proof_of(name), findings, policy=POLICY)
        assert recovery.recovered is weakest(findings, proof_of(name).names), told(findings)


@pytest.mark.parametrize("verdict", Verdict)
def test_incident_is_over_if_all_checks_of_its_verdict_are_ok(verdict: Verdict) -> None:
    """The same for the end of an incident; and for an unknown one, all checks must be ok."""
    for findings in every_combination():
        over = incident_over(decision(verdict), findings)
        assert over.recovered is weakest(findings, LASTING[verdict]), told(findings)


def weakest(findings: Findings, checks: tuple[CheckName, ...]) -> bool | None:
    """What several checks say together: bad before unknown before ok."""
    statuses = {findings.status(check) for check in checks}
    if Status.BAD in statuses:
        return False
    return None if Status.UNKNOWN in statuses else True


@pytest.mark.parametrize("name", CHANGES)
def test_checks_that_were_not_made_never_prove_an_action(name: ActionName) -> None:
    """Any check left out, or none made at all, and the answer is open."""
    for some in incomplete(proof_of(name).names):
        recovery = action_succeeded(proof_of(name), some, policy=POLICY)
        assert (recovery.recovered, bool(recovery.because)) == (None, True)


@pytest.mark.parametrize("rates", [{}, {"429": 0.0}, {"500": 7.0}])
def test_rates_that_are_no_numbers_never_prove_an_action(rates: dict[str, float]) -> None:
    """The rate that a queue was to bring down may be the one that nobody could read."""
    recovery = action_succeeded(QUEUE, triage(error_rate(rates, complete=False)), policy=POLICY)
    assert recovery.recovered is None


@pytest.mark.parametrize("verdict", Verdict)
def test_checks_that_were_not_made_never_end_an_incident(verdict: Verdict) -> None:
    """Any check left out, and nobody may say that it is over."""
    for some in incomplete(LASTING[verdict]):
        recovery = incident_over(decision(verdict), some)
        assert (recovery.recovered, bool(recovery.because)) == (None, True)


def incomplete(checks: tuple[CheckName, ...]) -> list[Findings]:
    """Every selection of these checks, all ok, that leaves at least one out."""
    well = triage()
    return [
        Findings(items=tuple(well[check] for check in some))
        for size in range(len(checks))
        for some in combinations(checks, size)
    ]


@pytest.mark.parametrize(
    ("found", "recovered", "because"),
    [
        (error_rate({"429": 0.1}), True, "429 - rate limited: 0.10 errors/s, threshold 0.1"),
        (error_rate({"429": 0.11}), False, "429 - rate limited: 0.11 errors/s, threshold 0.1"),
        (error_rate({"429": 0.06, "402": 0.06}), False, "429 - rate limited: 0.12 errors/s, threshold 0.1"),
        (error_rate({"503": 4.0}), True, "429 - rate limited: 0.00 errors/s, threshold 0.1"),
        (error_rate({}), True, "429 - rate limited: 0.00 errors/s, threshold 0.1"),
        (error_rate(None), None, "error rate: no data: the metric has no samples in the window"),
        (gone(ERROR_RATE.name, "timed out"), None, "error rate: timed out"),
    ],
)
def test_queue_has_worked_once_posthog_limits_no_more(
    found: Finding, recovered: bool | None, because: str
) -> None:
    """Only the errors that the queue is for count; others have an action of their own."""
    only = Findings(items=(found,))
    assert action_succeeded(QUEUE, only, policy=POLICY) == Recovery(recovered=recovered, because=(because,))


@pytest.mark.parametrize("name", [name for name in CHANGES if ERROR_RATE in proof_of(name).checks])
@pytest.mark.parametrize(("requests", "made"), [(0.0, False), (None, True), (0.01, True)])
def test_no_errors_prove_nothing_where_nothing_was_requested(
    name: ActionName, requests: float | None, made: bool
) -> None:
    """Nothing could fail; a switch that holds requests back is proved all the same, as is an unknown rate."""
    recovery = action_succeeded(proof_of(name), triage(error_rate({}, requests=requests)), policy=POLICY)
    shown = made or name in (ENABLE_FALLBACK.name, ENABLE_REQUEST_QUEUE.name)
    assert recovery.recovered is (True if shown else None)
    assert shown or recovery.because == (NO_REQUESTS,)


@pytest.mark.parametrize("name", [name for name in CHANGES if ERROR_RATE in proof_of(name).checks])
def test_errors_count_also_where_nothing_was_requested(name: ActionName) -> None:
    """Two figures that contradict each other are no excuse for an error that was counted."""
    recovery = action_succeeded(proof_of(name), triage(error_rate({"429": 3.0}, requests=0.0)), policy=POLICY)
    assert recovery.recovered is False


def test_recovery_names_the_facts_that_decided() -> None:
    """Bad facts before unknown ones, and only those; where all is well, everything that was looked at."""
    outage = made(triage())
    assert incident_over(outage, triage(health("down"), gone(PROBE.name))).because == (
        "health: says down (HTTP 200)",
    )
    assert incident_over(outage, triage(gone(PROBE.name, "timed out"))).because == ("probe: timed out",)
    assert len(incident_over(outage, triage()).because) == len(LASTING[outage.verdict])


def made(findings: Findings) -> Decision:
    """The decision about these findings."""
    return decide(findings, claimed=None, policy=POLICY)
