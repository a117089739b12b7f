"""What people may not do through the receiver is refused with the reason, and nothing is done."""

from typing import Any

import httpx
import pytest

from runbook.incidents.events import ApprovalAnswered
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import send
from tests.deployments.people_bench import TOKENS, Receiver, opened
from tests.deployments.sleeping_run import FakePrefect

REFUSED: list[tuple[str, Any, str, int, str]] = [
    (
        "answers",
        {"decision": "approve"},
        "[policy.approvals.high]\napprovers = ['bob']\n",
        422,
        "may not approve",
    ),
    (
        "answers",
        {"decision": "approve"},
        "[policy.approvals.high]\nproofs = ['signing-key']\n",
        403,
        "which is required for high-risk changes (by signing-key)",
    ),
    (
        "answers",
        {"decision": "approve", "plan": "beefbeef"},
        "",
        409,
        "the question is now about another plan",
    ),
    (
        "answers",
        {"decision": "approve", "plan": ROLL_BACK.digest[:7]},
        "",
        422,
        "too short to identify a plan",
    ),
    ("answers", {"decision": "approve", "plan": "x" * 65}, "", 422, "plan: String should have at most 64"),
    ("answers", {"decision": "reject"}, "", 422, "a rejection needs a reason"),
    ("answers", {"decision": "edit"}, "", 422, "an edit needs a parameter"),
    ("answers", {"decision": "edit", "parameters": {"memory": "1Gi"}}, "", 422, "cannot be changed here"),
    ("answers", {"decision": "perhaps"}, "", 422, "decision: "),
    ("answers", {"decision": "approve", "identity": {"how": "os-peer"}}, "", 422, "identity: Extra inputs"),
    ("answers", {"decision": "approve", "channel": "policy"}, "", 422, "channel: Extra inputs"),
    ("answers", [], "", 422, "body: "),
    ("severity", {"severity": "P9", "reason": "x"}, "", 422, "severity: "),
    ("severity", {"severity": "P1", "reason": " "}, "", 422, "the name and the reason cannot be empty"),
    (
        "severity",
        {"severity": "P1", "reason": "x"},
        "[policy.acts]\napprovers = ['bob']\n",
        422,
        "may not do this",
    ),
    ("resumption", {"done": "", "did": ["9-nothing"]}, "", 422, "has no unfinished action '9-nothing'"),
]


@pytest.mark.parametrize(("act", "body", "policy", "status", "error"), REFUSED)
def test_what_cannot_be_is_refused_with_the_reason(
    act: str,
    body: Any,
    policy: str,
    status: int,
    error: str,
    receiver: Receiver,
    kept: Store,
    prefect: FakePrefect,
) -> None:
    """By the rules as they stand in the settings now; nothing is journalled, nobody is woken."""
    incident = opened(kept, *asking(ROLL_BACK))
    before = kept.read(incident)
    receiver.configure(policy)
    answer = send(receiver, incident, act, body)
    assert (answer.status_code, error in answer.json()["error"]) == (status, True), answer.text
    assert answer.json()["next_step"]
    assert kept.read(incident) == before
    assert prefect.forms == []
    assert prefect.set == []


@pytest.mark.parametrize(
    ("content_type", "content", "status"),
    [
        ("text/plain", b'{"decision": "approve"}', 415),
        ("application/x-www-form-urlencoded", b"decision=approve", 415),
        ("", b'{"decision": "approve"}', 415),
        ("application/json", b"\xff{", 422),
        ("application/json", b"", 422),
        ("application/json", b'{"decision": "approve", "reason": "' + b"x" * 20_000 + b'"}', 413),
    ],
)
def test_a_body_that_another_site_can_have_a_browser_send_is_not_read(
    content_type: str, content: bytes, status: int, receiver: Receiver, kept: Store, prefect: FakePrefect
) -> None:
    """Behind a proxy with a session it would be the person's own request."""
    incident = opened(kept, *asking(MEMORY))
    headers = {"authorization": f"Bearer {TOKENS['ana']}", "content-type": content_type}
    answer = httpx.post(
        f"{receiver.url}/api/incidents/{incident}/answers", content=content, headers=headers, trust_env=False
    )
    assert answer.status_code == status, answer.text
    assert kept.read(incident).last(ApprovalAnswered) is None
    assert prefect.forms == []


def test_who_was_taken_away_is_refused_at_once(receiver: Receiver, kept: Store, prefect: FakePrefect) -> None:
    """The settings are read again for each request; with mistakes in them nobody gets in."""
    incident = opened(kept, *asking(MEMORY))
    receiver.configure(instead_of='ana = { file = "ana.token" }\n')
    assert (
        send(receiver, incident, "answers", {"decision": "approve", "plan": MEMORY.digest}).status_code == 401
    )
    receiver.configure("[policy]\nnonsense = 1\n", instead_of="[policy.people.ana]\n[policy.people.bob]\n")
    answer = send(receiver, incident, "answers", {"decision": "approve", "plan": MEMORY.digest})
    assert (answer.status_code, answer.json()["kind"]) == (503, "settings")
    assert kept.read(incident).last(ApprovalAnswered) is None
    assert prefect.forms == []
