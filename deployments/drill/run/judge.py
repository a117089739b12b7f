"""The judge of a drill: did the incident end as the scenario expects?

Pure: it reads the incident's journal and nothing else.
"""

from collections.abc import Iterable

from deployments.drill.run.scenario import Expect
from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.gates import Choice
from runbook.incidents.events import ApprovalAnswered, ClockReminded, ManualChangeSeen
from runbook.incidents.incident import Incident
from runbook.value import Value

NOTHING = "nothing"


class Difference(Value):
    """One thing that is not as expected: what was expected and what happened, as text for people."""

    what: str
    expected: str
    actual: str


def judge(incident: Incident, expect: Expect) -> list[Difference]:
    """Compare an incident with what its scenario expects; an empty list is a pass.

    If a person rejects a change and the scenario does not expect that, the verdict is judged as usual, the
    rejected actions must not have been made, and the end of the incident is not judged.
    """
    decision, severity = incident.decision, incident.severity
    told = [
        ("verdict", expect.verdict, decision.verdict.value if decision else NOTHING),
        ("error type", expect.error_type, decision.error_type.value if decision else NOTHING),
        (
            "path",
            _lines(expect.path),
            _lines(branch.label for branch in decision.path) if decision else NOTHING,
        ),
        ("severity", expect.severity, severity.severity.value if severity else NOTHING),
    ]
    if expect.support is not None:
        told += [
            (f"support by {kind}", _lines(expect.support), _lines(_told(incident, kind)))
            for kind in ("email-support", "teams-support")
        ]
    rejected = rejected_actions(incident)
    expects_rejection = any(end is ActionOutcome.REJECTED for _, end in expect.actions)
    if rejected and not expects_rejection:
        told += [(f"action {action}", "rejected", _outcome_of(incident, action)) for action in rejected]
    else:
        told += [
            ("actions", _lines(f"{name}: {end}" for name, end in expect.actions), _lines(_actions(incident))),
            ("outcome", expect.outcome, incident.outcome.value if incident.outcome else NOTHING),
            ("clocks", _lines(f"{clock} {step}" for clock, step in expect.clocks), _lines(_clocks(incident))),
            ("changed by hand with", expect.changed_by_hand or NOTHING, _changed_by_hand(incident)),
        ]
    return [
        Difference(what=what, expected=wanted, actual=actual)
        for what, wanted, actual in told
        if wanted != actual
    ]


def rejected_actions(incident: Incident) -> tuple[str, ...]:
    """Ids of the actions that a person rejected, in order."""
    answers = incident.events(ApprovalAnswered)
    return tuple(dict.fromkeys(event.action_id for event in answers if event.answer.choice is Choice.REJECT))


def _actions(incident: Incident) -> list[str]:
    return [f"{result.action.name}: {result.outcome}" for result in incident.results.values()]


def _outcome_of(incident: Incident, action_id: str) -> str:
    result = incident.results.get(action_id)
    return result.outcome.value if result else NOTHING


def _clocks(incident: Incident) -> Iterable[str]:
    """Of which clocks people have heard, each step once."""
    heard = incident.events(ClockReminded)
    return dict.fromkeys(f"{event.clock} {'missed' if event.missed else 'nearing'}" for event in heard)


def _told(incident: Incident, kind: str) -> list[str]:
    return [announced.state for announced in incident.announcements if announced.channel == kind]


def _changed_by_hand(incident: Incident) -> str:
    """Who else has changed the workload, each once."""
    return _lines(dict.fromkeys(str(event.writing.by) for event in incident.events(ManualChangeSeen)))


def _lines(items: Iterable[str]) -> str:
    return "\n".join(items) or NOTHING
