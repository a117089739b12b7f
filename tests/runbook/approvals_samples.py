"""Plans of each risk, and journals of what people said to them, for the tests of approvals."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.actions.spec import ActionName, Risk
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from runbook.actions.specs.restart_deployment import RESTART_DEPLOYMENT
from runbook.actions.specs.roll_back import ROLL_BACK as ROLL_BACK_SPEC
from runbook.alerts.alert import Alert
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person
from runbook.approvals.rules import ApprovalRule
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.runbook.journals import ALERT, TARGET, incident
from tests.runbook.questions import with_questions


def plan_of(name: ActionName, **parameters: str) -> ChangePlan:
    """The plan of a change."""
    action = PlannedAction(
        id=f"1-{name}", name=name, target=TARGET, because="it is broken", parameters=parameters
    )
    return ChangePlan(action=action, diff="+a: 1", basis={"workload": "f1"})


RESTART = plan_of(RESTART_DEPLOYMENT.name)
MEMORY = plan_of(RAISE_MEMORY_LIMIT.name, memory="512Mi")
ROLL_BACK = plan_of(ROLL_BACK_SPEC.name)
OF_RISK = {Risk.LOW: RESTART, Risk.MEDIUM: MEMORY, Risk.HIGH: ROLL_BACK}

YES, NO, LATER, OTHER = Choice.APPROVE, Choice.REJECT, Choice.SNOOZE, Choice.EDIT
Said = tuple[str, Choice]
"""Who said what; a name that ends in `?` is one that nobody proved."""

_gates = count(1)


def said(who: str, choice: Choice = YES, plan: ChangePlan = ROLL_BACK, **more: Any) -> e.ApprovalAnswered:
    """An answer in the journal, at a gate of its own."""
    return e.ApprovalAnswered(
        gate=f"gate-{next(_gates)}",
        action_id=plan.action.id,
        plan_digest=plan.digest,
        answer=spoken(who, choice, **more),
    )


def spoken(who: str, choice: Choice = YES, **more: Any) -> Answer:
    """An answer that lacks nothing."""
    name = who.removesuffix("?")
    parameters = {"memory": "768Mi"} if choice is OTHER else {}
    given: dict[str, Any] = {
        "choice": choice,
        "approver": name,
        "reason": "because",
        "channel": "cli",
        "identity": Identity(name=name, how=Proof.CLAIM if who.endswith("?") else Proof.OS_PEER),
        "parameters": parameters,
    }
    return Answer(**(given | more))


def journal(plan: ChangePlan, answers: Sequence[Said], *, requested_by: str = "") -> Incident:
    """An incident with these answers to a plan, which this person had asked for."""
    alert = ALERT.model_copy(update={"requested_by": requested_by})
    return answered(*(said(who, choice, plan) for who, choice in answers), alert=alert)


def answered(*events: e.Event, alert: Alert = ALERT) -> Incident:
    """An incident in which these events happened, each answer after the question of its gate."""
    return incident(*with_questions(events), alert=alert)


PEOPLE = {name: Person() for name in ("ana", "bob", "cyd", "eve", "req")}
"""Whom the settings know."""


def policy(risk: Risk, **rule: Any) -> Policy:
    """A configuration with people, and a rule for one risk."""
    return Policy(approvals={risk: ApprovalRule(**rule)}, people=PEOPLE)


def outcome(found: e.ApprovalAnswered | None) -> Said | None:
    """A decision in short."""
    return (found.answer.approver, found.answer.choice) if found else None
