"""An approval through the receiver names the plan that was read; nothing is approved unseen."""

import pytest

from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking, question
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import send
from tests.deployments.people_bench import Receiver, opened
from tests.deployments.sleeping_run import FakePrefect


def test_the_latest_of_several_that_ask_is_not_answered_unseen(
    receiver: Receiver, kept: Store, prefect: FakePrefect
) -> None:
    """An alert that came in between opens a newer incident than the one whose question was read."""
    opened(kept, *asking(MEMORY))
    newer = opened(kept, *asking(MEMORY))
    answer = send(receiver, "latest", "answers", {"decision": "approve"})
    assert (answer.status_code, "incidents wait for an answer" in answer.json()["error"]) == (422, True)
    assert prefect.forms == []
    body = {"decision": "approve", "plan": MEMORY.digest[:12]}
    assert send(receiver, "latest", "answers", body).json()["incident"] == newer


@pytest.mark.parametrize(
    ("plan", "kind", "error"),
    [
        (None, "unseen", "an approval must name the plan that you have seen"),
        ("", "unseen", "an approval must name the plan that you have seen"),
        (" ", "unseen", "an approval must name the plan that you have seen"),
        (MEMORY.digest, "nothing-to-do", "the question is now about another plan"),
    ],
)
def test_an_approval_without_the_plan_that_is_asked_about_is_answered_with_it(
    plan: str | None,
    kind: str,
    error: str,
    receiver: Receiver,
    kept: Store,
    prefect: FakePrefect,
) -> None:
    """409 with the question and its digest; nothing is journalled, and naming that digest approves it."""
    incident = opened(kept, *asking(ROLL_BACK))
    before = kept.read(incident)
    body = {"decision": "approve"} | ({} if plan is None else {"plan": plan})
    answer = send(receiver, incident, "answers", body)
    told = answer.json()
    assert (answer.status_code, told["kind"]) == (409, kind), answer.text
    assert error in told["error"]
    assert told["plan"] == ROLL_BACK.digest
    assert told["asked"]["incident"] == incident
    assert told["asked"]["gate"]["gate"] == question(ROLL_BACK, 1).gate
    assert told["asked"]["plan"]["diff"] == ROLL_BACK.diff
    assert kept.read(incident) == before
    assert prefect.forms == []
    assert send(receiver, incident, "answers", body | {"plan": told["plan"]}).status_code == 200
    assert len(prefect.forms) == 1


@pytest.mark.parametrize("plan", ["", ROLL_BACK.digest, ROLL_BACK.digest[:8].upper()])
@pytest.mark.parametrize("decision", ["reject", "snooze"])
def test_who_says_no_may_leave_the_plan_out(
    decision: str, plan: str, receiver: Receiver, kept: Store, prefect: FakePrefect
) -> None:
    """Nothing is changed by it."""
    incident = opened(kept, *asking(ROLL_BACK))
    body = {"decision": decision, "reason": "no", "plan": plan}
    assert send(receiver, incident, "answers", body).status_code == 200
    assert len(prefect.forms) == 1


def test_who_may_not_approve_is_not_shown_the_plan(
    receiver: Receiver, kept: Store, prefect: FakePrefect
) -> None:
    """The rules come first."""
    receiver.configure("[policy.approvals.high]\napprovers = ['bob']\n")
    answer = send(receiver, opened(kept, *asking(ROLL_BACK)), "answers", {"decision": "approve"})
    assert (answer.status_code, set(answer.json())) == (422, {"kind", "error", "next_step"})
    assert prefect.forms == []
