"""What became of something that a person did in Slack, and how they are told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from blocks.transport.errors import OutsideError
from deployments.services.refusals import ActRefused, Refusal
from deployments.services.speaker import Speaker
from runbook.approvals.identity import Proof
from runbook.channels.answered import Block
from runbook.channels.wording import sentence_case
from runbook.interactions.questions import Standing
from runbook.interactions.submissions import Errors
from tasks.acts import Acted


@dataclass(frozen=True)
class Outcome:
    """What became of it.

    `said` is for its person alone, and shown as `blocks` where there are any. `standing` is the answer to the
    question of the button, which everybody is shown; it is `taken` where this click gave it, or has given it
    before. `errors` are what is wrong with a dialog, by its fields. `refused` says that nothing was done.
    """

    said: str = ""
    standing: Standing | None = None
    taken: bool = False
    errors: Errors = field(default_factory=dict)
    refused: bool = False
    blocks: Sequence[Block] = ()


def told(done: Acted) -> str:
    """What was done, and whether it was so already."""
    said = done.said if done.recorded else f"it was so already: {done.said}"
    return f"{said} (its run goes on later: {done.waits_for})" if done.waits_for else said


def why(error: ActRefused | OutsideError, speaker: Speaker) -> str:
    """Why it was not done, and what to do, for the person who did it."""
    if isinstance(error, OutsideError):
        return f"it was not done: {error.system}: {error.detail}. {error.next_step or 'Try again'}"
    unlisted = error.kind is Refusal.UNPROVEN and speaker.identity.how is Proof.CLAIM
    if not unlisted:
        return f"{error.problem}. {sentence_case(error.next_step)}"
    account = speaker.identity.name
    return (
        f"{error.problem}. Your account {account} is not among the logins of [policy.people]: have it added"
    )
