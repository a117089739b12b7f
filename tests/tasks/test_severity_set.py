"""What whoever sets a severity reads of what became of it."""

import pytest

from runbook.approvals.identity import Identity
from runbook.decision.severity import Severity
from tasks.acts import SeveritySet


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (Severity.P2, "P2 -> P1 by ana (unproven claim)"),
        (None, "not assessed -> P1 by ana (unproven claim)"),
        (Severity.P1, "it stays P1, now by ana (unproven claim)"),
    ],
)
def test_a_severity_that_stays_is_said_to_stay(before: Severity | None, said: str) -> None:
    """`P1 -> P1` would look as if nothing had been taken."""
    ana = Identity(name="ana")
    done = SeveritySet(
        incident="inc-1", before=before, severity=Severity.P1, by="ana", reason="checkout", identity=ana
    )
    assert done.change == said
