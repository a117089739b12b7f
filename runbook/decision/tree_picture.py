"""The decision tree as a picture, with the walked path standing out by weight, colour and marks."""

import base64
import textwrap
from typing import NamedTuple

from runbook.channels.wording import VERDICT_TITLES
from runbook.decision.tree import NEXT
from runbook.decision.verdict import Decision, Question, Reply, Verdict
from runbook.templates.environments import render_xml

WIDTH, HEIGHT = 880, 464
QUESTION_WIDTH, QUESTION_HEIGHT = 256, 74
LEAF_WIDTH, LEAF_HEIGHT = 202, 84
QUESTION_LETTERS, LEAF_LETTERS = 28, 29
"""How many letters fit into a line, with the widest of the fonts."""

Step = Question | Verdict


class Box(NamedTuple):
    """A question or a leaf with its place; `x` is its centre, `y` its upper edge, both in pixels."""

    step: Step
    x: int
    y: int
    width: int
    height: int
    title: tuple[str, ...]
    lines: tuple[str, ...] = ()
    walked: bool = False

    @property
    def left(self) -> int:
        """The left edge."""
        return self.x - self.width // 2

    @property
    def bottom(self) -> int:
        """The lower edge."""
        return self.y + self.height

    @property
    def is_leaf(self) -> bool:
        """Whether the tree ends here."""
        return isinstance(self.step, Verdict)


class Edge(NamedTuple):
    """An answer: the line's SVG path and where its word stands."""

    path: str
    label: str
    x: int
    y: int
    walked: bool


PLACES: dict[Step, tuple[int, int]] = {
    Question.POSTHOG_RETURNING_ERRORS: (440, 48),
    Question.STATUS_PAGE_INCIDENT: (222, 182),
    Question.SERVICE_HEALTHY: (658, 182),
    Verdict.POSTHOG_OUTAGE: (112, 306),
    Verdict.INTEGRATION_ISSUE: (322, 306),
    Verdict.RESOLVED_OR_INTERMITTENT: (558, 306),
    Verdict.INFRASTRUCTURE_ISSUE: (768, 306),
}
UNKNOWN_PLACE = (440, 414)
TRUNK = 440
"""Where the lines of unknown answers run together, between the two halves of the tree."""


def decision_svg(decision: Decision) -> str:
    """The runbook's decision tree as SVG, 880 pixels wide, with this decision's path.

    Walked lines are thicker, walked boxes carry a ●, the verdict is filled: the path can be told without
    colours. The picture brings its own background, so it reads on a dark page too.
    """
    replies = {branch.question: branch.reply for branch in decision.path}
    boxes = [_box(step, decision, replies) for step in PLACES]
    by_step = {box.step: box for box in boxes}
    edges = [_edge(by_step[question], by_step[to], reply, replies) for (question, reply), to in NEXT.items()]
    edges += [_unknown_edge(by_step[question], replies) for question in Question]
    return render_xml(
        "tree.svg.j2",
        width=WIDTH,
        height=HEIGHT,
        boxes=boxes,
        unknown=_unknown_box(decision),
        edges=sorted(edges, key=lambda edge: edge.walked),  # walked lines are drawn over the others
        summary=_summary(decision),
    )


def data_uri(svg: str) -> str:
    """The picture as an address that carries it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _box(step: Step, decision: Decision, replies: dict[Question, Reply]) -> Box:
    x, y = PLACES[step]
    if isinstance(step, Question):
        reply = replies.get(step)
        answer = (f"answer: {reply.value}",) if reply else ()
        text = tuple(textwrap.wrap(step.text, QUESTION_LETTERS))
        return Box(step, x, y, QUESTION_WIDTH, QUESTION_HEIGHT, text, answer, step in replies)
    advice = tuple(textwrap.wrap(step.advice, LEAF_LETTERS))
    title = (VERDICT_TITLES[step],)
    return Box(step, x, y, LEAF_WIDTH, LEAF_HEIGHT, title, advice, step is decision.verdict)


def _unknown_box(decision: Decision) -> Box:
    verdict = Verdict.UNKNOWN
    x, y = UNKNOWN_PLACE
    title = f"{VERDICT_TITLES[verdict]}: {verdict.advice[:1].lower()}{verdict.advice[1:]}"
    return Box(verdict, x, y, 640, 34, (title,), (), decision.verdict is verdict)


def _edge(parent: Box, child: Box, reply: Reply, replies: dict[Question, Reply]) -> Edge:
    middle = (parent.bottom + child.y) // 2
    path = f"M{parent.x} {parent.bottom} V{middle} H{child.x} V{child.y}"
    walked = replies.get(Question(parent.step)) is reply
    return Edge(path, reply.value.upper(), (parent.x + child.x) // 2, middle, walked)


def _unknown_edge(parent: Box, replies: dict[Question, Reply]) -> Edge:
    walked = replies.get(Question(parent.step)) is Reply.UNKNOWN
    if parent.x == TRUNK:
        path = f"M{TRUNK} {parent.bottom} V{UNKNOWN_PLACE[1]}"
        return Edge(path, "unknown", TRUNK, PLACES[Question.STATUS_PAGE_INCIDENT][1] + 4, walked)
    level = parent.y + QUESTION_HEIGHT // 2
    side = parent.left if parent.x > TRUNK else parent.left + parent.width
    path = f"M{side} {level} H{TRUNK} V{UNKNOWN_PLACE[1]}"
    return Edge(path, "unknown", (side + TRUNK) // 2, level, walked)


def _summary(decision: Decision) -> str:
    walked = "; ".join(f"{branch.question.text} {branch.reply.value.upper()}" for branch in decision.path)
    return f"{walked or 'No question was asked'} → {VERDICT_TITLES[decision.verdict]}"
