"""The configuration is checked as a whole, and what it does not say stays as strict as the default."""

from typing import Any

import pytest
from pydantic import ValidationError

from runbook.actions.spec import Risk
from runbook.approvals.rules import ApprovalRule
from runbook.policy.policy import Policy


@pytest.mark.parametrize(
    ("approvals", "accepts"),
    [
        ({}, False),
        ({"medium": {"count": 2}}, False),
        ({"high": {"approvers": ["ana"], "count": 2}}, False),
        ({"high": {"accept_unverified": False}}, False),
        ({"high": {"accept_unverified": True}}, True),
    ],
)
def test_high_risk_takes_a_proven_identity_unless_the_configuration_says_otherwise(
    approvals: dict[str, Any], accepts: bool
) -> None:
    """A team that names its approvers, or a rule for another risk, does not thereby trust any typed name."""
    policy = Policy.model_validate({"approvals": approvals})
    assert policy.rule_for(Risk.HIGH).accept_unverified is accepts
    assert Policy.model_validate_json(policy.model_dump_json()) == policy


def test_risk_without_a_rule_lets_anybody_approve() -> None:
    """One person, of any name, in any channel."""
    policy = Policy(approvals={Risk.HIGH: ApprovalRule(count=2)})
    assert policy.rule_for(Risk.MEDIUM) == ApprovalRule(approvers=(), count=1, accept_unverified=True)
    assert policy.rule_for(Risk.HIGH).count == 2


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"approvals": {"huge": {}}}, "approvals.huge"),
        ({"approvals": {"high": {"count": 0}}}, "approvals.high.count"),
        ({"approvals": {"high": {"count": 3}}}, "approvals.high.count"),
        ({"approvals": {"high": {"aprovers": ["ana"]}}}, "approvals.high.aprovers"),
        ({"preapproved": {"scale": ["P4"]}}, "preapproved"),
        ({"preapproved": {"restart_deployment": ["P9"]}}, "preapproved.restart_deployment"),
        ({"memory_ceiling": "2GB"}, "memory_ceiling"),
        ({"replicas_ceiling": 0}, "replicas_ceiling"),
        ({"changes_per_incident": -1}, "changes_per_incident"),
        *(
            ({key: {"P1": minutes}}, f"{key}.P1")
            for key in ("response_minutes", "update_interval_minutes")
            for minutes in (0, -1.5, float("nan"), float("inf"), 1e9)
        ),
    ],
)
def test_configuration_that_makes_no_sense_is_refused(values: dict[str, Any], key: str) -> None:
    """A limit that limits nothing or a rule for a risk that does not exist is told by its key."""
    with pytest.raises(ValidationError) as refused:
        Policy.model_validate(values)
    [error] = refused.value.errors()
    assert ".".join(str(part) for part in error["loc"]).startswith(key)
