"""A gate accepts an answer only with a name, and a rejection only with a reason."""

import pytest

from runbook.gates import Answer, Choice, InvalidAnswer, accept


@pytest.mark.parametrize(
    ("choice", "approver", "reason"),
    [
        (Choice.APPROVE, "ana", ""),
        (Choice.APPROVE, "ana", "we know this outage"),
        (Choice.REJECT, "ana", "the key was just replaced"),
        (Choice.NOT_YET, "ana", ""),
    ],
)
def test_answer_is_accepted_with_its_white_space_trimmed(choice: Choice, approver: str, reason: str) -> None:
    """What people type around a word is no part of it; all else stays as it was given."""
    given = Answer(choice=choice, approver=f" {approver}\n", reason=f"\t{reason} ", channel="cli")
    assert accept(given) == Answer(choice=choice, approver=approver, reason=reason, channel="cli")


@pytest.mark.parametrize(
    ("choice", "approver", "reason", "missing"),
    [
        (Choice.APPROVE, "", "", "the approver is empty"),
        (Choice.APPROVE, "  \n", "go", "the approver is empty"),
        (Choice.NOT_YET, " ", "", "the approver is empty"),
        (Choice.REJECT, "", "no", "the approver is empty"),
        (Choice.REJECT, "ana", "", "a rejection needs a reason"),
        (Choice.REJECT, "ana", "  ", "a rejection needs a reason"),
    ],
)
def test_incomplete_answer_is_refused_and_says_what_is_missing(
    choice: Choice, approver: str, reason: str, missing: str
) -> None:
    """Nobody approves anonymously, and nobody rejects without telling the next person why."""
    with pytest.raises(InvalidAnswer, match=missing):
        accept(Answer(choice=choice, approver=approver, reason=reason))


def test_identity_counts_as_unproven_unless_it_was_proven() -> None:
    """A name that was typed into a form is a claim."""
    assert accept(Answer(choice=Choice.APPROVE, approver="ana")).identity_proven is False
