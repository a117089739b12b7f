"""No answer of the API says a secret again that somebody has pasted into a request."""

from typing import Any

import pytest

from tests.deployments.cli.test_gates import ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import send
from tests.deployments.people_bench import Receiver, opened
from tests.deployments.sleeping_run import FakePrefect

PASTED = "phx" + "_AbCdEf0123456789GhIjKlMnOpQrStUvWxYzAbCd"

REQUESTS: list[tuple[str, str, Any]] = [
    ("", "severity", {"severity": "P1", "reason": f"see {PASTED} \u202e"}),
    ("", "notes", {"text": f"see {PASTED} \u202e"}),
    ("", "notes", {"text": "x", "at": PASTED[:40]}),
    ("", "notes", {"text": "x", "by": PASTED}),
    ("", "notes", {"text": "x", PASTED: 1}),
    ("", "lead", {"name": PASTED}),
    ("", "resolution", {"outcome": "recovered", "reason": PASTED, "done": PASTED}),
    ("", "resolution", {"outcome": PASTED, "reason": "x"}),
    ("", "resumption", {"done": PASTED, "did": [PASTED]}),
    ("", "resumption", {"done": PASTED}),
    ("", "merger", {"into": PASTED}),
    ("", "answers", {"decision": "reject", "reason": PASTED, "instead": "nothing"}),
    ("", "answers", {"decision": "edit", "reason": "x", "parameters": {PASTED: PASTED}}),
    ("", "answers", {"decision": "approve", "plan": PASTED}),
    (PASTED, "notes", {"text": "x"}),
]


@pytest.mark.parametrize(("reference", "act", "body"), REQUESTS)
def test_a_secret_in_a_request_is_not_said_again(
    reference: str, act: str, body: Any, receiver: Receiver, kept: Store, prefect: FakePrefect
) -> None:
    """Whether the act is done or refused: clients write answers into their logs."""
    incident = opened(kept, *asking(ROLL_BACK))
    receiver.configure("")
    answer = send(receiver, reference or incident, act, body)
    assert PASTED not in answer.text
    assert "\u202e" not in answer.text
    assert prefect is not None


def test_a_long_reference_is_cut_in_the_answer(receiver: Receiver, kept: Store) -> None:
    """The answer is no longer than it has to be."""
    assert kept is not None
    answer = send(receiver, "a" * 5_000, "notes", {"text": "x"})
    assert answer.status_code == 404
    assert len(answer.text) < 500
