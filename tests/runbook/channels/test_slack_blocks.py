"""Block Kit messages keep Slack's limits whatever stands in them, and nothing in them is markup of others."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.drill.world.channels.slack_limits import refusal
from runbook.channels.buttons import MAX_VALUE, Button, ButtonKind
from runbook.channels.cards.slack_blocks import LABELS, MOST_BUTTON_TEXT, SlackBlock, blocks_of
from runbook.outside_text.slack import SlackText, slack, slack_code_block, slack_lines

APPROVE = Button(kind=ButtonKind.APPROVE, incident="inc-1", gate="gate-1", plan="f" * 64)
REJECT = APPROVE.model_copy(update={"kind": ButtonKind.REJECT})
OUTSIDE = st.text(
    alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from('`*_~<>&|\n"\\!@#:🔴')), max_size=4_000
)


def elements(blocks: list[SlackBlock]) -> list[Any]:
    """The buttons."""
    (row,) = (block for block in blocks if block["type"] == "actions")
    found = row["elements"]
    assert isinstance(found, list)
    return found


def texts(blocks: list[SlackBlock]) -> list[str]:
    """What the sections say."""
    return [str(block["text"]["text"]) for block in blocks if block["type"] == "section"]  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        pytest.param("one", ["one"], id="a line"),
        pytest.param("one\ntwo\n\nthree", ["one\ntwo", "three"], id="an empty line begins another section"),
        pytest.param("one\n\n\n\ntwo\n", ["one", "two"], id="several are one"),
        pytest.param("```\na\n\nb\n```\n\nc", ["```\na\n\nb\n```", "c"], id="but not in code"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_an_empty_line_begins_another_section(text: str, sections: list[str]) -> None:
    """A template says by that where its parts end."""
    assert texts(blocks_of(SlackText(text))) == sections


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * 5_000, id="a long text"),
        pytest.param("\n\n".join(["x" * 2_900] * 10), id="much in sum"),
        pytest.param("\n\n".join(["x"] * 200), id="many sections"),
        pytest.param("\n\n".join(['"' * 2_900] * 6), id="what JSON writes longer"),
        pytest.param("```\n" + "y" * 20_000 + "\n```", id="long code"),
        pytest.param("&amp;" * 3_000, id="entities"),
    ],
)
def test_what_is_too_long_is_cut_with_a_mark(text: str) -> None:
    """Slack takes it, the buttons are there, and people see that there is more."""
    blocks = blocks_of(SlackText(text), [APPROVE, REJECT])

    assert refusal("text", blocks, None) is None
    assert blocks[-1]["type"] == "actions"
    assert "(cut" in "".join(texts(blocks))
    assert all(said.count("```") % 2 == 0 for said in texts(blocks))
    assert not any(re.search(r"&(?!amp;|lt;|gt;)", said) for said in texts(blocks))


def test_a_button_says_what_it_does_and_carries_what_it_answers() -> None:
    """Approve and Reject stand out, by Slack's two styles."""
    approve, reject = elements(blocks_of(SlackText("?"), [APPROVE, REJECT]))

    assert (approve["text"]["text"], approve["style"]) == ("Approve", "primary")
    assert (reject["text"]["text"], reject["style"]) == ("Reject", "danger")
    assert (approve["action_id"], approve["value"]) == (APPROVE.action_id, APPROVE.value)


def test_every_kind_of_button_has_a_short_label() -> None:
    """And no two have the same."""
    assert set(LABELS) == set(ButtonKind)
    assert len(set(LABELS.values())) == len(ButtonKind)
    assert all(0 < len(label) <= MOST_BUTTON_TEXT for label in LABELS.values())


def test_without_buttons_there_is_no_row_of_them() -> None:
    """Slack refuses one that is empty; a button that Slack would not take is none."""
    long = Button(kind=ButtonKind.NOTE, incident="\x00" * 200, gate="\x00" * 400)
    assert len(long.value) > MAX_VALUE
    for buttons in ([], [long]):
        assert [block["type"] for block in blocks_of(SlackText("text"), buttons)] == ["section"]


@given(
    line=OUTSIDE,
    lines=OUTSIDE,
    code=OUTSIDE,
    times=st.integers(1, 30),
    ids=st.tuples(st.text(min_size=1, max_size=200), st.text(max_size=400), st.text(max_size=128)),
)
def test_any_text_from_outside_gives_blocks_that_slack_takes(
    line: str, lines: str, code: str, times: int, ids: tuple[str, str, str]
) -> None:
    """Within all limits; each link, mention and tag that Slack would read is escaped."""
    part = f"{slack(line)}\n{slack_lines(lines)}\n\n{slack_code_block(code)}"
    buttons = [Button(kind=kind, incident=ids[0], gate=ids[1], plan=ids[2]) for kind in ButtonKind]

    blocks = blocks_of(SlackText("\n\n".join([part] * times)), buttons[:5])

    assert refusal("text", blocks, None) is None
    assert len(json.dumps(blocks, ensure_ascii=False)) <= 12_500
    assert not any(sign in said for said in texts(blocks) for sign in "<>")
