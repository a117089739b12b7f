"""A rollout is waited for until it ends, and what nobody could see is unknown."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook.actions.catalogue import ActionOutcome
from runbook.actions.proving import Proof
from runbook.actions.rollout_watch import RolloutWatch
from runbook.kubernetes.rollouts import RolloutStatus

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOUBT = timedelta(seconds=60)

PROGRESSING = RolloutStatus(state="progressing", reason="", detail="1 of 3 updated")
REFUSED = RolloutStatus(state="failed", reason="FailedCreate", detail="exceeded quota")
CRASHES = RolloutStatus(state="failed", reason="CrashLoopBackOff", detail="back-off 10s")
HELD = RolloutStatus(state="failed", reason="CrashLoopBackOff", detail="of an old pod", waits_for="app-0")
HELD_PROOF = Proof(
    ActionOutcome.DONE,
    "it is in place, and its rollout waits until pod app-0 is deleted: CrashLoopBackOff of an old pod",
    "app-0",
)


@pytest.fixture
def watch() -> RolloutWatch:
    """A watch of five minutes."""
    return RolloutWatch(deadline=AT + timedelta(minutes=5), doubt=DOUBT)


@pytest.mark.parametrize(
    ("seen", "ended"),
    [
        ([PROGRESSING, PROGRESSING], None),
        ([CRASHES], Proof(ActionOutcome.NOT_RECOVERED, "the rollout failed: CrashLoopBackOff back-off 10s")),
        ([REFUSED], None),
        ([REFUSED, PROGRESSING, REFUSED], None),
        (
            [REFUSED, REFUSED],
            Proof(ActionOutcome.NOT_RECOVERED, "the rollout failed: FailedCreate exceeded quota"),
        ),
        ([HELD], HELD_PROOF),
    ],
)
def test_a_rollout_ends_at_what_no_waiting_cures(
    watch: RolloutWatch, seen: list[RolloutStatus], ended: Proof | None
) -> None:
    """Refused pods are looked at twice; a change that waits for an old pod is in place."""
    assert [watch.saw(status) for status in seen][-1] == ended


def test_a_rollout_that_nobody_saw_is_unknown_at_the_deadline(watch: RolloutWatch) -> None:
    """What was read before an outage says nothing of how it ended."""
    watch.saw(PROGRESSING)
    assert watch.out_of_time().outcome is ActionOutcome.NOT_RECOVERED
    watch.unanswered("no route to host")
    assert watch.out_of_time() == Proof(
        ActionOutcome.UNKNOWN, "the rollout did not finish in time: no route to host"
    )


def test_a_refusal_is_believed_once_it_has_lasted(watch: RolloutWatch) -> None:
    """An answer in between begins the time anew; what cannot pass is believed at once."""
    assert watch.refused("forbidden", may_pass=True, at=AT) is None
    assert watch.refused("forbidden", may_pass=True, at=AT + DOUBT / 2) is None
    watch.saw(PROGRESSING)
    assert watch.refused("forbidden", may_pass=True, at=AT + DOUBT) is None
    believed = Proof(ActionOutcome.UNKNOWN, "forbidden")
    assert watch.refused("forbidden", may_pass=True, at=AT + 2 * DOUBT) == believed
    assert watch.refused("gone", may_pass=False, at=AT).outcome is ActionOutcome.UNKNOWN  # type: ignore[union-attr]
