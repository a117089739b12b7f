"""What an answered question shows in a chat."""

from datetime import UTC, datetime
from typing import Any

import pytest

from runbook.approvals.gates import Answer, Choice, Instead
from runbook.approvals.identity import Identity, Proof
from runbook.channels.answered import answered_blocks, answered_line, answered_words

AT = datetime(2026, 3, 1, 14, 5, 30, tzinfo=UTC)
BY_SLACK = Identity(name="U0ANA", how=Proof.SLACK)


def answer(choice: Choice, **fields: Any) -> Answer:
    """Ana's answer in Slack."""
    given: dict[str, Any] = {"approver": "ana", "channel": "slack", "identity": BY_SLACK}
    return Answer(choice=choice, **(given | fields))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (answer(Choice.APPROVE), "ana approved at 14:05 UTC (proven by Slack)"),
        (answer(Choice.APPROVE, reason="go"), "ana approved at 14:05 UTC (proven by Slack): go"),
        (
            answer(Choice.REJECT, reason="too\nrisky", instead=Instead.BY_HAND),
            "ana rejected at 14:05 UTC (proven by Slack): too risky; it is done by hand",
        ),
        (
            answer(Choice.EDIT, parameters={"memory": "1Gi"}),
            "ana edited at 14:05 UTC (proven by Slack): memory = 1Gi",
        ),
        (
            answer(Choice.SNOOZE),
            "ana snoozed at 14:05 UTC (proven by Slack): not before 14:20 UTC",
        ),
        (
            answer(Choice.APPROVE, approver="U0X", identity=Identity(name="U0X", detail="mallory")),
            "U0X approved at 14:05 UTC (unproven claim (mallory))",
        ),
        (answer(Choice.APPROVE, identity=None), "ana approved at 14:05 UTC (unproven claim)"),
        (
            answer(Choice.APPROVE, approver="policy:preapproved", channel="policy", identity=None),
            "policy:preapproved approved at 14:05 UTC",
        ),
    ],
)
def test_it_says_who_answered_what_and_when(given: Answer, words: str) -> None:
    """With how that is known, and what else was said."""
    assert answered_words(given, AT) == words


def test_what_a_person_wrote_mentions_nobody_and_shows_no_secret() -> None:
    """It is text from outside."""
    line = answered_line(answer(Choice.REJECT, reason="<!channel> phc_" + "a" * 43 + " *now*"), AT)
    assert "<!channel>" not in line
    assert "a" * 43 not in line
    assert "*now*" not in line


def test_the_buttons_go_and_the_rest_stays() -> None:
    """Where a message has as many blocks as Slack takes, it has no more afterwards."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "Shall it?"}}
    buttons = {"type": "actions", "elements": []}
    line = answered_line(answer(Choice.APPROVE), AT)
    shown = answered_blocks([section, buttons], line)
    text = {"type": "mrkdwn", "text": str(line), "verbatim": True}
    assert shown == [section, {"type": "context", "block_id": "runbook.answered", "elements": [text]}]
    assert answered_blocks(shown, line) == shown
    assert len(answered_blocks([section] * 50, line)) == 50
