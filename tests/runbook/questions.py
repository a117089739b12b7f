"""The question that belongs to an answer: one that belongs to none does not count."""

from collections.abc import Sequence

from runbook.incidents import events as e


def with_questions(events: Sequence[e.Event]) -> list[e.Event]:
    """These events, each answer after the question of its gate."""
    told: list[e.Event] = []
    gates: set[str] = set()
    for event in events:
        if isinstance(event, e.ApprovalAnswered) and event.gate not in gates:
            gates.add(event.gate)
            told.append(question(event))
        told.append(event)
    return told


def question(answer: e.ApprovalAnswered) -> e.ApprovalRequested:
    """The question that this answers."""
    return e.ApprovalRequested(
        gate=answer.gate,
        action_id=answer.action_id,
        plan_digest=answer.plan_digest,
        question="## Shall it be done?",
        flow_run_id="run-1",
    )
