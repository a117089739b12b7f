"""The message about a public text: a click says yes to what is shown, and to nothing else."""

import pytest

from runbook.channels.buttons import ButtonKind
from runbook.channels.cards.public_texts import public_text_card, public_texts
from runbook.channels.cards.slack_blocks import blocks_of
from runbook.incidents import events as e
from runbook.outside_text.slack import SlackText
from runbook.policy.policy import Policy
from runbook.templates.environments import render_slack
from tests.runbook.journals import decided, incident
from tests.runbook.public_texts import PROPOSED

POLICY = Policy()


@pytest.mark.parametrize(
    ("letters", "number", "whole"),
    [
        ("x", 100, True),
        ("x", 2_900, True),
        ("x", 2_990, False),
        ("&", 500, True),
        ("&", 2_000, False),
        ('"\n\\', 900, True),
        ("\U0001f525", 2_900, True),
        ("x", 15_000, False),
    ],
)
def test_a_text_that_is_cut_cannot_be_published_by_a_click(letters: str, number: int, whole: bool) -> None:
    """It says where all of it is; withholding it stays."""
    body = f"Some users see {letters * number} until it ends"
    journal = incident(decided(), PROPOSED.model_copy(update={"body": body}))
    [(text, waits)] = public_texts(journal, POLICY)
    card = public_text_card(journal, text, policy=POLICY, link="https://p.example/run", waits=waits)
    said = SlackText(render_slack(f"{card.template}.slack.j2", **card.values))
    shown = "".join(str(block.get("text")) for block in blocks_of(said, card.buttons))
    assert ("until it ends" in shown) is whole
    assert ("runbook incident" in shown) is not whole
    kinds = [button.kind for button in card.buttons]
    assert (ButtonKind.PUBLISH in kinds) is whole
    assert ButtonKind.WITHHOLD in kinds
    assert "runbook withhold" in shown


def test_a_text_on_a_persons_word_is_shown_whole_whatever_their_reason() -> None:
    """It stands above the text, which a click says yes to."""
    said = e.StateForced(state="MONITORING", by="ana", because='&"\\' * 1_300)
    text = PROPOSED.model_copy(update={"state": "MONITORING", "body": f"Some {'x' * 2_800} until it ends"})
    journal = incident(decided(), said, text)
    [(asked, waits)] = public_texts(journal, POLICY)
    card = public_text_card(journal, asked, policy=POLICY, link="", waits=waits)
    blocks = blocks_of(SlackText(render_slack(f"{card.template}.slack.j2", **card.values)), card.buttons)
    shown = "".join(str(block.get("text")) for block in blocks)
    assert ButtonKind.PUBLISH in [button.kind for button in card.buttons]
    assert "until it ends" in shown
    assert "not proved by the runbook" in shown
