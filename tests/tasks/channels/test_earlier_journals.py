"""An incident that the release before has told people about is continued: nobody hears the same again."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook.channels.reminders import Notice
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import EVENT, ActionPreviewed, IncidentEscalated
from runbook.incidents.state import State
from tasks.channels.communicate import announce
from tasks.channels.page import escalate, page_on_opening
from tasks.channels.refresh import refresh
from tasks.channels.remind import remind_of_gate
from tasks.channels.warn import warn_of_answers
from tests.tasks.channels.audience import Audience, audience

__all__ = ["audience"]

RECORDED = Path(__file__).parents[2] / "data" / "journals" / "told-0004.jsonl"
"""What the release 0004 wrote: two announcements, a page, a reminder, three escalations, a warning."""


FIRST = "1795867117.573973"
"""The message that opened the thread, by its timestamp."""


@pytest.fixture
async def told(audience: Audience) -> Audience:
    """The incident with that journal; the imitations have heard of nothing but its first message."""
    store = audience.incident.environment.store
    for line in RECORDED.read_text().splitlines()[1:]:
        row = json.loads(line)
        at, event = datetime.fromisoformat(row["at"]).replace(tzinfo=UTC), EVENT.validate_python(row["event"])
        await store.append(audience.incident.id, event, at=at, key=row["key"])
    audience.slack.messages.append({"ts": FIRST, "text": "🔴 P1 INCIDENT", "bot_id": "B0RUNBOOKBT"})
    return audience


async def test_nobody_is_told_again(told: Audience) -> None:
    """Each step finds what the release before has sent; an escalation of it is known by its words."""
    incident = told.incident
    before = await incident.read()
    plan, gate = before.events(ActionPreviewed)[-1].plan, before.pending_gate
    assert gate is not None

    await announce(incident, State.INVESTIGATING)
    await page_on_opening(incident)
    await announce(incident, State.IDENTIFIED)
    for escalated in (False, True):
        await remind_of_gate(incident, Notice(gate=gate, escalated=escalated))
    undecided = Escalation(kind=EscalationKind.NO_DECISION)
    assert await escalate(
        incident, undecided, "there are not enough facts for a decision; nothing was changed"
    )
    failed = Escalation(kind=EscalationKind.ACTION, subject=plan.action.id)
    because = "Enable fallback: failed. the cluster refuses it"
    assert await escalate(incident, failed, because, ("kubectl get pods",), about=plan.action.id)
    await warn_of_answers(incident)

    assert (len(told.slack.messages), told.page.incidents, told.pager.pages) == (1, [], [])
    after = (await incident.read()).journal[len(before.journal) :]
    assert {event.effect.message for event in (item.event for item in after)} == {  # type: ignore[union-attr]
        "edit-1-of-investigating-1"
    }


async def test_its_first_message_is_kept_true_from_now_on(told: Audience) -> None:
    """It says what is asked, in place; the question, of which people were reminded, is not repeated."""
    await refresh(told.incident)

    (first,) = told.slack.messages
    assert "Asked: " in first["text"]
    assert first["blocks"]
    assert await refresh(told.incident) == []


async def test_what_it_has_not_told_is_told(told: Audience) -> None:
    """Another escalation gets the next number, and a call and a message of its own."""
    reverted = Escalation(kind=EscalationKind.CHANGE_REVERTED, subject="1-enable-fallback")
    await escalate(told.incident, reverted, "somebody has put it back")

    journal = await told.incident.read()
    assert [event.what for event in journal.events(IncidentEscalated)] == [None, None, None, reverted]
    assert {f"{journal.id}/slack/escalated-4", f"{journal.id}/pager/escalated-4"} <= journal.effects.keys()
    assert [page.dedup_key for page in told.pager.pages] == [f"{journal.id}/pager/escalated-4"]
