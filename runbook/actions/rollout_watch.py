"""How long the rollout of a change is waited for, and how it ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from runbook.actions.catalogue import ActionOutcome
from runbook.actions.proving import Proof
from runbook.kubernetes.rollouts import REFUSED_PODS, RolloutStatus


@dataclass
class RolloutWatch:
    """What was read of a rollout until now. It is waited for until the `deadline` (aware UTC).

    `doubt` is for how long a refusal of the API server is not believed: the right was there a minute ago.
    """

    deadline: datetime
    doubt: timedelta
    _said: str = "no answer yet"
    _known: bool = False
    _waits_for: str = ""
    _believed_from: datetime | None = None
    _pods_refused: bool = False

    def unanswered(self, why: str) -> None:
        """The cluster did not answer: an outage that passes is waited out."""
        self._said, self._known, self._waits_for, self._believed_from = why, False, "", None

    def refused(self, why: str, *, may_pass: bool, at: datetime) -> Proof | None:
        """The API server refused to tell; unknown where that cannot pass, or has lasted too long."""
        self._said, self._known, self._waits_for = why, False, ""
        self._believed_from = self._believed_from or at + self.doubt
        if not may_pass or at >= self._believed_from:
            return Proof(ActionOutcome.UNKNOWN, why)
        return None

    def saw(self, status: RolloutStatus) -> Proof | None:
        """How a rollout ended that is not complete; `None` while it goes on.

        One whose pods are refused is looked at twice: a pod that has just ended may have made room, and the
        controller has not tried again yet. One that waits for a broken pod of an older revision is no failure
        of the change, which stays.
        """
        self._believed_from = None
        self._said, self._known = f"{status.reason} {status.detail}".strip(), True
        self._waits_for = status.waits_for
        again, self._pods_refused = self._pods_refused, status.reason == REFUSED_PODS
        if status.state != "failed":
            return None
        if self._waits_for:
            return self.out_of_time()
        if self._pods_refused and not again:
            return None
        return Proof(ActionOutcome.NOT_RECOVERED, f"the rollout failed: {self._said}")

    def out_of_time(self) -> Proof:
        """How a rollout ended that is not waited for any longer."""
        if self._waits_for:
            held = (
                f"it is in place, and its rollout waits until pod {self._waits_for} is deleted: {self._said}"
            )
            return Proof(ActionOutcome.DONE, held, self._waits_for)
        outcome = ActionOutcome.NOT_RECOVERED if self._known else ActionOutcome.UNKNOWN
        return Proof(outcome, f"the rollout did not finish in time: {self._said}")
