"""A message that cannot be shown takes nothing from what became of a change."""

from typing import Any

import pytest

from blocks.store.database.errors import SYSTEM, StoreUnavailable
from blocks.store.lease import LeaseLost
from flows import action as module
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.incidents import events as e
from tasks.channels import shown
from tasks.ended import Ended
from tests.tasks.mitigation_bench import Bench
from tests.tasks.planned_actions import action, bench

__all__ = ["bench"]  # a fixture, found here

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

FALLBACK = action(ENABLE_FALLBACK.name)


async def _fail(_incident: Any) -> list[str]:
    raise StoreUnavailable(SYSTEM, "the database does not answer", "Check [store] url")


async def test_a_change_is_proved_while_its_messages_fail(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends as it would, and no run has to be continued."""
    monkeypatch.setattr(shown, "refresh_messages", _fail)
    await bench.approve(FALLBACK)
    result = await bench.take(FALLBACK)
    assert result.outcome is ActionOutcome.RECOVERED


async def test_the_end_is_heard_of_while_messages_fail(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stops the change is told, and not what failed beside it."""
    monkeypatch.setattr(shown, "refresh_messages", _fail)
    plan = await bench.preview(FALLBACK)
    given = await bench.approve(FALLBACK)
    over = e.IncidentResolved(outcome="recovered", because=("it works",), by="ana")
    at = (await bench.incident.read()).journal[-1].at
    await bench.incident.environment.store.append(bench.incident.id, over, at=at, key=over.journal_key)
    with pytest.raises(Ended, match="recovered"):
        await module.make_and_show(bench.incident, plan, given)
    assert bench.writes() == []


async def test_a_question_is_asked_while_its_message_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails there is no failure of whoever shows messages beside the response."""
    monkeypatch.setattr(shown, "refresh_messages", _fail)
    await shown.show_messages(bench.incident)


async def test_a_process_that_has_lost_its_lease_stops_at_a_message(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process works on the incident: this one must not go on."""

    async def lost(_incident: Any) -> list[str]:
        raise LeaseLost("the response", "another")

    monkeypatch.setattr(shown, "refresh_messages", lost)
    with pytest.raises(LeaseLost):
        await shown.show_messages(bench.incident)
