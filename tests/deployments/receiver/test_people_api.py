"""People act through the receiver: it proves who they are, and the rules are those of the moment."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pytest_httpserver import HTTPServer

from deployments.cli.people.account import account
from runbook.actions.spec import Risk
from runbook.approvals.approvals import decided
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person
from runbook.approvals.rules import ApprovalRule
from runbook.approvals.signatures import public_text
from runbook.incidents import events as e
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking, question
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import TOKENS, Receiver, receiver_process
from tests.deployments.sleeping_run import FakePrefect
from tests.runbook.approvals.test_signatures import KEY

TWO = Policy(approvals={Risk.HIGH: ApprovalRule(count=2)}, people={"ana": Person(), "bob": Person()})


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory, make_httpserver: HTTPServer) -> Iterator[Receiver]:
    """One receiver for all tests here; each has incidents of its own."""
    folder = tmp_path_factory.mktemp("people")
    with receiver_process(folder, make_httpserver.url_for("/api")) as running:
        yield running


@pytest.fixture
def kept(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The receiver's store."""
    return receiver.store(monkeypatch)


def send(
    receiver: Receiver, reference: str, act: str, body: Any, *, whose: str | None = "ana", **headers: str
) -> httpx.Response:
    """A request over the network, with that person's token."""
    token = {"authorization": f"Bearer {TOKENS.get(whose, whose)}"} if whose else {}
    return httpx.post(
        f"{receiver.url}/api/incidents/{reference}/{act}",
        json=body,
        headers={**token, **headers},
        trust_env=False,
        timeout=30,
    )


def over_socket(receiver: Receiver, reference: str, act: str, body: Any) -> httpx.Response:
    """A request over the local socket, without any header that says who asks."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(receiver.socket)), timeout=30) as client:
        return client.post(f"http://receiver/api/incidents/{reference}/{act}", json=body)


_numbers = iter(range(1, 1000))


def opened(kept: Store, *events: e.Event) -> str:
    """An incident of its own."""
    return kept.open(f"{next(_numbers):04x}", events)


def answer_of(told: Incident) -> ApprovalAnswered:
    """The newest answer."""
    found = told.last(ApprovalAnswered)
    assert found is not None
    return found


def test_a_token_proves_its_person(receiver: Receiver, kept: Store, prefect: FakePrefect) -> None:
    """Her answer is journalled as hers, with how that is known, and wakes the run; it approves a rollback."""
    incident = opened(kept, *asking(ROLL_BACK))
    answer = send(
        receiver,
        incident,
        "answers",
        {"decision": "approve", "plan": ROLL_BACK.digest, "reason": "looks right"},
    )
    assert (answer.status_code, answer.json()["ours"]) == (200, True)
    told = kept.read(incident)
    given = answer_of(told).answer
    assert given.identity == Identity(name="ana", how=Proof.API_TOKEN)
    assert (given.approver, given.channel, given.reason) == ("ana", "api", "looks right")
    assert decided(told, ROLL_BACK, Policy()) is not None
    assert [form["decision"] for form in prefect.forms] == ["approve"]


def test_the_account_at_the_other_end_of_the_socket_is_proven(
    receiver: Receiver, kept: Store, prefect: FakePrefect
) -> None:
    """No header, no environment and no `by` says it: the kernel does."""
    incident = opened(kept, *asking(ROLL_BACK))
    answer = over_socket(receiver, incident, "answers", {"decision": "approve", "plan": ROLL_BACK.digest})
    assert answer.status_code == 200, answer.text
    given = answer_of(kept.read(incident)).answer
    assert given.identity is not None
    assert (given.approver, given.identity.name, given.identity.how) == (account(), account(), Proof.OS_PEER)
    assert len(prefect.forms) == 1


def test_an_account_is_its_person(receiver: Receiver, kept: Store, prefect: FakePrefect) -> None:
    """With her token and with her account she is one person of the two that it takes."""
    receiver.configure(f'[policy.approvals.high]\ncount = 2\n[policy.people.eve]\nlogins = ["{account()}"]\n')
    incident = opened(kept, *asking(ROLL_BACK))
    assert (
        over_socket(receiver, incident, "answers", {"decision": "approve", "plan": ROLL_BACK.digest}).json()[
            "answer"
        ]["approver"]
        == "eve"
    )
    kept.append(incident, question(ROLL_BACK, 2), key="ask:2")
    (receiver.folder / "eve.token").write_text("e" * 40)
    receiver.configure(
        f'[policy.approvals.high]\ncount = 2\n[policy.people.eve]\nlogins = ["{account()}"]\n'
        '[receiver.people]\neve = { file = "eve.token" }\n',
        instead_of='[receiver.people]\nana = { file = "ana.token" }\nbob = { file = "bob.token" }\n',
    )
    again = send(
        receiver, incident, "answers", {"decision": "approve", "plan": ROLL_BACK.digest}, whose="e" * 40
    )
    assert (again.status_code, again.json()["kind"]) == (422, "invalid")
    assert "eve has already approved this; 2 different people must approve" in again.json()["error"]
    assert len(prefect.forms) == 1


def test_two_people_are_two_tokens(receiver: Receiver, kept: Store, prefect: FakePrefect) -> None:
    """The run asks again after the first."""
    receiver.configure("[policy.approvals.high]\ncount = 2\n")
    incident = opened(kept, *asking(ROLL_BACK))
    assert (
        send(receiver, incident, "answers", {"decision": "approve", "plan": ROLL_BACK.digest}).status_code
        == 200
    )
    assert decided(kept.read(incident), ROLL_BACK, TWO) is None
    kept.append(incident, question(ROLL_BACK, 2), key="ask:2")
    prefect.state = "PAUSED"
    assert (
        send(
            receiver, incident, "answers", {"decision": "approve", "plan": ROLL_BACK.digest}, whose="bob"
        ).status_code
        == 200
    )
    assert decided(kept.read(incident), ROLL_BACK, TWO) is not None


@pytest.mark.parametrize(
    ("whose", "headers", "error"),
    [
        (None, {}, "not authenticated"),
        ("cyd", {}, "not authenticated"),
        ("guessed", {}, "not authenticated"),
        (None, {"x-peer": "0", "x-forwarded-user": "ana", "x-remote-user": "ana"}, "not authenticated"),
        (None, {"cookie": "session=ana"}, "not authenticated"),
    ],
)
def test_who_proves_nobody_does_nothing(
    whose: str | None,
    headers: dict[str, str],
    error: str,
    receiver: Receiver,
    kept: Store,
    prefect: FakePrefect,
) -> None:
    """A stranger is told nothing, not even whether there is such an incident."""
    incident = opened(kept, *asking(MEMORY))
    before = kept.read(incident)
    for reference in (incident, "no-such", "latest"):
        for act, body in (("answers", {"decision": "reject", "reason": "x"}), ("severity", {})):
            answer = send(receiver, reference, act, body, whose=whose, **headers)
            assert (answer.status_code, answer.json()) == (401, {"kind": "unauthenticated", "error": error})
            assert answer.headers["www-authenticate"] == "Bearer"
    assert kept.read(incident) == before
    assert prefect.forms == []


def test_nobody_acts_under_another_name(receiver: Receiver, kept: Store, prefect: FakePrefect) -> None:
    """Not even as a claim: who it is, is known. One's own logins are no other name."""
    incident = opened(kept, *asking(MEMORY))
    answer = send(receiver, incident, "answers", {"decision": "approve", "plan": MEMORY.digest, "by": "bob"})
    assert (answer.status_code, answer.json()["kind"]) == (403, "another name")
    assert kept.read(incident).last(ApprovalAnswered) is None
    own = {"decision": "approve", "plan": MEMORY.digest, "by": "ANA@example.com"}
    assert send(receiver, incident, "answers", own).json()["answer"]["approver"] == "ana"
    assert len(prefect.forms) == 1


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


def test_a_severity_is_journalled_with_who_set_it(receiver: Receiver, kept: Store) -> None:
    """And answered with what it was before."""
    incident = opened(kept, *asking(MEMORY))
    answer = send(receiver, incident, "severity", {"severity": "P3", "reason": "night"})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["before"], said["severity"], said["by"]) == ("P2", "P3", "ana")
    override = kept.read(incident).events(e.SeverityOverridden)[-1]
    assert (override.assessment.by, override.identity) == ("ana", Identity(name="ana", how=Proof.API_TOKEN))


def test_a_response_is_handed_back(receiver: Receiver, kept: Store, prefect: FakePrefect) -> None:
    """What was done by hand stands in the journal with whose word that is."""
    events = tuple(
        event.model_copy(update={"flow_run_id": question(MEMORY, 1).flow_run_id})
        if isinstance(event, e.RunStarted)
        else event
        for event in asking(MEMORY)
    )
    incident = opened(kept, *events)
    prefect.state = "CANCELLED"
    answer = send(receiver, incident, "resumption", {"done": "looked at it"})
    assert (answer.status_code, answer.json()["run"]) == (200, "goes on"), answer.text
    [resumed] = kept.read(incident).events(e.ResponseResumed)
    assert (resumed.by, resumed.done) == ("ana", "looked at it")
    assert resumed.identity == Identity(name="ana", how=Proof.API_TOKEN)
    assert prefect.set == ["AwaitingRetry (forced)"]


def test_what_the_receiver_vouches_for_is_signed_with_its_key(
    receiver: Receiver, kept: Store, prefect: FakePrefect, tmp_path: Path
) -> None:
    """Then a line in the database that names a token is no proof; the run knows the public part."""
    key = tmp_path / "receiver.pem"
    key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    receiver.configure("", instead_of="")
    text = (receiver.folder / "runbook.toml").read_text()
    with_key = text.replace("[receiver]\n", f'[receiver]\nsigning_key = {{ file = "{key}" }}\n')
    (receiver.folder / "runbook.toml").write_text(with_key)
    incident = opened(kept, *asking(ROLL_BACK))
    assert (
        send(receiver, incident, "answers", {"decision": "approve", "plan": ROLL_BACK.digest}).status_code
        == 200
    )
    strict = Policy(receiver_keys=(public_text(KEY.public_key()),))
    told = kept.read(incident)
    assert decided(told, ROLL_BACK, strict) is not None
    bare = answer_of(told)
    assert bare.answer.identity is not None
    without = bare.answer.identity.model_copy(update={"signature": ""})
    forged = bare.model_copy(update={"answer": bare.answer.model_copy(update={"identity": without})})
    record = told.journal[-1].model_copy(update={"event": forged})
    assert decided(Incident(id=told.id, journal=(*told.journal[:-1], record)), ROLL_BACK, strict) is None
    assert len(prefect.forms) == 1


def test_acts_are_described(receiver: Receiver) -> None:
    """What they take, which answers they give, and how one proves who one is."""
    described = httpx.get(f"{receiver.url}/openapi.json", trust_env=False).json()
    for act in ("answers", "severity", "resumption"):
        operation = described["paths"][f"/api/incidents/{{reference}}/{act}"]["post"]
        assert operation["description"].startswith("Proof: ")
        assert {"200", "401", "403", "404", "409", "415", "422", "502", "503"} <= set(operation["responses"])
        assert operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert "/api/incidents/" in httpx.get(f"{receiver.url}/docs", trust_env=False).text


def test_each_act_is_in_the_log_and_no_token_is(
    receiver: Receiver, kept: Store, prefect: FakePrefect
) -> None:
    """Who, what and how it is known; refusals too."""
    incident = opened(kept, *asking(MEMORY))
    send(receiver, incident, "answers", {"decision": "approve", "plan": MEMORY.digest})
    send(receiver, incident, "answers", {"decision": "approve", "plan": MEMORY.digest}, whose="guessed" * 7)
    lines = [json.loads(line) for line in receiver.log().splitlines() if line.startswith("{")]
    acts = [line for line in lines if line["event"] == "act"]
    assert {"act": "answers", "by": "ana", "how": "api-token"}.items() <= acts[-1].items()
    assert any(line["event"] == "act refused" and line["status"] == 401 for line in lines)
    assert not any(secret in receiver.log() for secret in (*TOKENS.values(), "guessed" * 7))
    assert len(prefect.forms) == 1
