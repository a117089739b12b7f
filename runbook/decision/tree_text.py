"""The decision tree as plain text, in the runbook's own form, with the walked path marked."""

from collections.abc import Iterator

from runbook.decision.tree import NEXT
from runbook.decision.verdict import Decision, Question, Reply, Verdict

WALKED, PASSED_BY = "●", " "

Replies = dict[Question, Reply]


def decision_text(decision: Decision) -> str:
    """The tree with a ● at each answer that was given; an unknown answer is shown where it was given."""
    replies = {branch.question: branch.reply for branch in decision.path}
    root = Question.POSTHOG_RETURNING_ERRORS
    return "\n".join([root.text, *_answers(root, replies, indent="")])


def _answers(question: Question, replies: Replies, *, indent: str) -> Iterator[str]:
    given = replies.get(question)
    answers = [(reply, step) for (asked, reply), step in NEXT.items() if asked is question]
    if given is Reply.UNKNOWN:
        answers.append((Reply.UNKNOWN, Verdict.UNKNOWN))
    for number, (reply, step) in enumerate(answers, start=1):
        last = number == len(answers)
        mark = WALKED if given is reply else PASSED_BY
        lead = f"{indent}{'└─' if last else '├─'}{mark} {reply.value.upper()}"
        if isinstance(step, Verdict):
            yield f"{lead} → {step.advice}"
        else:
            yield f"{lead}: {step.text}"
            yield from _answers(step, replies, indent=f"{indent}{'   ' if last else '│  '}")
