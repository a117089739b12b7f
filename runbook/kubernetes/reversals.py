"""Changes that somebody else has taken back, or replaced, while the runbook took them for the cure."""

from runbook.kubernetes.ownership import Writing
from runbook.outside_text import OutsideText
from runbook.value import Value


class Reversal(Value):
    """What somebody has made of a change since. `put_back`: it is what it was before the change."""

    writing: Writing
    detail: OutsideText
    put_back: bool

    def __str__(self) -> str:
        """For people: `reverted by Flux (kustomize-controller) at 12:03:04 UTC: replicas is 2 again`."""
        return f"{'reverted' if self.put_back else 'changed since'} by {self.writing}: {self.detail}"


ADVICE = "The runbook does not apply it again: change it where it is managed, or leave it as it is"
