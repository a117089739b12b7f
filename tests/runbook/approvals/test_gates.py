"""A gate takes an answer only if it says all that its choice needs."""

from typing import Any

import pytest

from runbook.approvals.gates import Answer, Choice, InvalidAnswer, complete


@pytest.mark.parametrize(
    ("choice", "reason", "more"),
    [
        (Choice.APPROVE, "", {}),
        (Choice.APPROVE, "we know this outage", {}),
        (Choice.REJECT, "the key was just replaced", {}),
        (Choice.EDIT, "", {"parameters": {"memory": "1Gi"}}),
        (Choice.SNOOZE, "", {}),
        (Choice.SNOOZE, "lunch", {"snooze_minutes": 1}),
    ],
)
def test_complete_answer_is_taken_with_its_white_space_trimmed(
    choice: Choice, reason: str, more: dict[str, Any]
) -> None:
    """What people type around a word is no part of it; all else stays as it was given."""
    given = Answer(choice=choice, approver=" ana\n", reason=f"\t{reason} ", channel="cli", **more)
    assert complete(given) == Answer(choice=choice, approver="ana", reason=reason, channel="cli", **more)


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        (Answer(choice=Choice.APPROVE, approver=""), "the approver is empty"),
        (Answer(choice=Choice.APPROVE, approver="  \n", reason="go"), "the approver is empty"),
        (Answer(choice=Choice.SNOOZE, approver=" "), "the approver is empty"),
        (Answer(choice=Choice.EDIT, approver="", parameters={"memory": "1Gi"}), "the approver is empty"),
        (Answer(choice=Choice.REJECT, approver="", reason="no"), "the approver is empty"),
        (Answer(choice=Choice.REJECT, approver="ana"), "a rejection needs a reason"),
        (Answer(choice=Choice.REJECT, approver="ana", reason="  "), "a rejection needs a reason"),
        (Answer(choice=Choice.EDIT, approver="ana"), "an edit needs a parameter"),
        (Answer(choice=Choice.SNOOZE, approver="ana", snooze_minutes=0), "at least a minute"),
        (Answer(choice=Choice.SNOOZE, approver="ana", snooze_minutes=-5), "at least a minute"),
    ],
)
def test_incomplete_answer_is_refused_and_says_what_is_missing(answer: Answer, missing: str) -> None:
    """Nobody approves anonymously, and nobody rejects without telling the next person why."""
    with pytest.raises(InvalidAnswer, match=missing):
        complete(answer)


def test_identity_counts_as_unproven_unless_it_was_proven() -> None:
    """A name that was typed into a form is a claim."""
    assert complete(Answer(choice=Choice.APPROVE, approver="ana")).identity_proven is False
