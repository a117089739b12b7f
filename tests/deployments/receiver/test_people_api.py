"""People act through the receiver: it proves who they are, and the rules are those of the moment."""

import json
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deployments.cli.people.account import account
from deployments.receiver.people.requests import PROVE
from runbook.approvals.approvals import decided
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.signatures import public_text
from runbook.incidents import events as e
from runbook.incidents.events import ApprovalAnswered
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking, question
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import TWO, answer_of, over_socket, send
from tests.deployments.people_bench import TOKENS, Receiver, opened
from tests.deployments.sleeping_run import FakePrefect
from tests.runbook.approvals.test_signatures import KEY


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
            refusal = {"kind": "unauthenticated", "error": error, "next_step": PROVE}
            assert (answer.status_code, answer.json()) == (401, refusal)
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
