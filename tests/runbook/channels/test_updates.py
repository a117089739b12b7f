"""The team is told where things stand as soon as somebody asks for it."""

from datetime import timedelta

import pytest

from runbook.channels.updates import due_update
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.policy.policy import Policy
from tests.runbook.journals import effect
from tests.runbook.timed_journals import ASKED_AT, POLICY, Timed, journal

ASKED = e.UpdateRequested(by="ana")
TOLD = e.StatusAnnounced(channel="slack", state="INVESTIGATING")
PUBLIC = e.StatusAnnounced(channel="status-page", state="INVESTIGATING")


def failed() -> e.EffectSettled:
    """An announcement that did not get through."""
    known = effect(EffectOutcome.FAILED, kind="slack")
    return e.EffectSettled(effect=known.model_copy(update={"id": "inc-1/slack/INVESTIGATING-2"}))


@pytest.mark.parametrize(
    ("events", "seconds", "due"),
    [
        (((0, TOLD),), 9, False),
        (((0, ASKED),), 0, True),
        (((0, TOLD), (1, ASKED)), 2, True),
        (((0, TOLD), (1, ASKED), (2, TOLD)), 9, False),
        (((0, TOLD), (1, ASKED), (2, PUBLIC)), 9, True),  # the team was not told
        (((0, ASKED), (1, TOLD), (2, ASKED)), 9, True),
        (((0, ASKED), (1, e.UpdateRequested(by="an\u0430"))), 9, True),  # who may not takes nothing back
        (((0, e.UpdateRequested(by="an\u0430")),), 9, False),
        (((0, ASKED), (10, failed())), 15, False),
        (((0, ASKED), (10, failed())), 20, True),  # after as long as it took to fail
        (((0, ASKED), (1, e.IncidentResolved(outcome="recovered", because=("fine",), by="ana"))), 9, False),
    ],
)
def test_an_update_is_due_until_each_channel_was_told(
    events: tuple[Timed, ...], seconds: float, due: bool
) -> None:
    """By whoever may ask; what does not get through is tried again."""
    now = ASKED_AT + timedelta(seconds=seconds)
    assert (due_update(journal(*events), channels=["slack"], policy=POLICY, now=now) is not None) is due


def test_an_update_is_due_where_it_may_be_told() -> None:
    """Only in the channels that were not told, and not where nothing is announced."""
    told = journal((0, ASKED), (1, TOLD))
    found = due_update(told, channels=["slack", "chat"], policy=POLICY, now=ASKED_AT + timedelta(seconds=2))
    assert found is not None
    assert found.channels == ("chat",)
    silent = Policy.model_validate(POLICY.model_dump() | {"announce": False})
    assert due_update(told, channels=["chat"], policy=silent, now=ASKED_AT + timedelta(seconds=2)) is None
