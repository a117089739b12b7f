"""The decision tree is drawn whole, with the walked path standing out."""

import base64
from xml.etree import ElementTree

import pytest

from runbook.channels.wording import VERDICT_TITLES
from runbook.decision.leaves import ADVICE, Verdict
from runbook.decision.tree_picture import data_uri, decision_svg
from runbook.decision.tree_text import decision_text
from runbook.decision.verdict import QUESTION_TEXTS, Branch, Question, Reply
from tests.runbook.journals import PATHS, decision

SVG = "{http://www.w3.org/2000/svg}"
THIN = 2


def drawn(verdict: Verdict) -> ElementTree.Element:
    """The picture of a verdict, parsed."""
    return ElementTree.fromstring(decision_svg(decision(verdict)))  # noqa: S314 - our own picture


def words(picture: ElementTree.Element) -> list[str]:
    """Every text in the picture."""
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


@pytest.mark.parametrize("verdict", Verdict)
def test_picture_shows_the_whole_tree(verdict: Verdict) -> None:
    """All questions and all verdicts are there, whichever path was walked, and the width fits a page."""
    picture = drawn(verdict)
    text = " ".join(words(picture)).replace("● ", "").lower()
    for question in QUESTION_TEXTS.values():
        assert question.lower() in text
    for title in VERDICT_TITLES.values():
        assert title.lower() in text
    assert int(picture.attrib["width"]) <= 900


@pytest.mark.parametrize("verdict", Verdict)
def test_walked_path_can_be_told_without_colour(verdict: Verdict) -> None:
    """Walked questions and the verdict carry a mark, and as many lines are thick as answers were given."""
    picture = drawn(verdict)
    path = PATHS[verdict]
    marked = [word for word in words(picture) if word.startswith("● ") and word != "● walked path"]
    thick = [line for line in picture.iter(f"{SVG}path") if float(line.attrib["stroke-width"]) > THIN]
    assert len(marked) == len(path) + 1
    assert any(VERDICT_TITLES[verdict] in word for word in marked)
    assert len(thick) == len(path)
    assert words(picture).count("answer: unknown") == sum(branch.reply is Reply.UNKNOWN for branch in path)


def test_picture_has_a_description_for_those_who_do_not_see_it() -> None:
    """The description tells the walked path in words, with everything escaped as XML asks."""
    description = drawn(Verdict.INTEGRATION_ISSUE).findtext(f"{SVG}desc")
    assert description == (
        "PostHog API returning errors? YES; Is status.posthog.com showing incident? NO → Our integration"
    )


def test_unusual_path_is_still_drawn() -> None:
    """An empty path, as an old journal may have one, gives a picture with the verdict in it."""
    made = decision(Verdict.UNKNOWN).model_copy(update={"path": ()})
    assert "No question was asked" in decision_svg(made)


def test_data_uri_carries_the_picture() -> None:
    """The address holds the same SVG, base64-encoded."""
    svg = decision_svg(decision())
    kind, _, content = data_uri(svg).partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(content).decode() == svg


def test_text_tree_is_the_runbook_tree_with_marks() -> None:
    """In the terminal the tree has the runbook's own form, with the walked answers marked."""
    assert decision_text(decision(Verdict.INFRASTRUCTURE_ISSUE)) == (
        "PostHog API returning errors?\n"
        "├─  YES: Is status.posthog.com showing incident?\n"
        "│  ├─  YES → Wait for PostHog to resolve. Enable fallback.\n"
        "│  └─  NO → Our integration issue. Check credentials, config.\n"
        "└─● NO: Is our service healthy?\n"
        "   ├─  YES → Likely resolved or intermittent. Monitor.\n"
        "   └─● NO → Our infrastructure issue. Check pods, memory, network."
    )


@pytest.mark.parametrize("question", Question)
def test_text_tree_shows_an_unknown_answer_where_it_was_given(question: Question) -> None:
    """An unknown answer is a branch of its own under its question."""
    branch = Branch(question=question, reply=Reply.UNKNOWN, because=("no answer",))
    made = decision(Verdict.UNKNOWN).model_copy(update={"path": (branch,)})
    assert f"└─● UNKNOWN → {ADVICE[Verdict.UNKNOWN]}" in decision_text(made)
