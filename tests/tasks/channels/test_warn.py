"""The channel is warned once of answers that were refused."""

from deployments.drill.world.faults import SlackFaults
from runbook.incidents import events as e
from tasks.channels.warn import ATTEMPTS, warn_of_answers
from tests.tasks.channels.audience import Audience, audience

__all__ = ["audience"]  # a fixture, found here


async def test_a_refused_answer_is_told_once(audience: Audience) -> None:
    """A channel that is away is not tried at each of a flood of them."""
    audience.slack.faults = SlackFaults(error="fatal_error")
    for _ in range(ATTEMPTS + 2):
        await warn_of_answers(audience.incident)
    tried = [
        item for item in (await audience.incident.read()).journal if isinstance(item.event, e.EffectSettled)
    ]
    assert len(tried) == ATTEMPTS


async def test_a_refused_answer_is_told_in_the_channel(audience: Audience) -> None:
    """Once for an incident, however many there are."""
    for _ in range(3):
        await warn_of_answers(audience.incident)
    [said] = audience.said()
    assert said.startswith("🚫 An answer was rejected")
