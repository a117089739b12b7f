"""People lead, acknowledge and write through the receiver, which proves who they are."""

from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.cli.people.account import account
from runbook.approvals.authority import act_counts
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person
from runbook.approvals.rules import ActRule
from runbook.approvals.signatures import public_text
from runbook.incidents import events as e
from runbook.policy.policy import Policy
from tests.deployments.acts_table import CASES, Case
from tests.deployments.cli.test_gates import MEMORY, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import over_socket, send
from tests.deployments.people_bench import Receiver, opened
from tests.runbook.approvals.test_signatures import KEY

IDS = [case.name for case in CASES]
BY_TOKEN = Identity(name="ana", how=Proof.API_TOKEN)
CLOSED = e.IncidentClosed(outcome="recovered")


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_an_act_over_the_network_is_proven_by_a_token(case: Case, receiver: Receiver, kept: Store) -> None:
    """The answer says what is in the journal."""
    incident = opened(kept, *asking(MEMORY))
    answer = send(receiver, incident, case.path, case.body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["incident"], told["by"], told["recorded"]) == (incident, "ana", True)
    assert told["said"].startswith("ana (proven by API token) ")
    assert kept.read(incident).journal[-1].event == case.of("ana", BY_TOKEN)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_command_goes_through_the_socket_which_proves_the_account(
    case: Case, kept: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """It needs neither a name nor a key."""
    incident = opened(kept, *asking(MEMORY))
    verb, *rest = case.command
    assert main([verb, incident, *rest]) == ExitCode.OK
    assert capsys.readouterr().out.startswith(f"{incident}: {account()} (proven by account")
    event: Any = kept.read(incident).journal[-1].event
    assert (event.identity.name, event.identity.how) == (account(), Proof.OS_PEER)
    assert event == case.of(account(), event.identity)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_who_is_not_proven_or_may_not_does_nothing(case: Case, receiver: Receiver, kept: Store) -> None:
    """A stranger learns nothing; another name, no right and another proof are refused."""
    incident = opened(kept, *asking(MEMORY))
    before = kept.read(incident)
    stranger = send(receiver, incident, case.path, case.body, whose=None, **{"x-forwarded-user": "ana"})
    assert (stranger.status_code, stranger.json()["kind"]) == (401, "unauthenticated")
    other = send(receiver, incident, case.path, case.body | {"by": "bob"})
    assert (other.status_code, other.json()["kind"]) == (403, "another name")
    receiver.configure('[policy.acts]\napprovers = ["bob"]\n')
    refused = send(receiver, incident, case.path, case.body)
    assert (refused.status_code, "ana may not do this" in refused.json()["error"]) == (422, True)
    receiver.configure('[policy.acts]\naccept_unverified = false\nproofs = ["signing-key"]\n')
    unproven = send(receiver, incident, case.path, case.body)
    assert (unproven.status_code, unproven.json()["kind"]) == (403, "unproven")
    assert kept.read(incident) == before


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_closed_incident_takes_notes_only(case: Case, receiver: Receiver, kept: Store) -> None:
    """The refusal says what can be done."""
    incident = opened(kept, *asking(MEMORY), CLOSED)
    answer = send(receiver, incident, case.path, case.body)
    if case.event is e.NoteAdded:
        assert answer.status_code == 200, answer.text
        return
    assert (answer.status_code, answer.json()["kind"]) == (409, "nothing-to-do")
    assert f"runbook note {incident}" in answer.json()["next_step"]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_what_the_receiver_has_seen_is_signed_with_its_key(
    case: Case, receiver: Receiver, kept: Store
) -> None:
    """Then a line that somebody writes into the database is no acknowledgement."""
    key = receiver.folder / "receiver.pem"
    key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    settings = receiver.folder / "runbook.toml"
    text = settings.read_text()
    settings.write_text(text.replace("[receiver]\n", f'[receiver]\nsigning_key = {{ file = "{key}" }}\n'))
    incident = opened(kept, *asking(MEMORY))
    assert over_socket(receiver, incident, case.path, case.body).status_code == 200
    told = kept.read(incident)
    event: Any = told.journal[-1].event
    keys = (public_text(KEY.public_key()),)
    strict = Policy(people={account(): Person()}, receiver_keys=keys, acts=ActRule(accept_unverified=False))
    assert act_counts(told, event, strict)
    unsigned = event.model_copy(update={"identity": event.identity.model_copy(update={"signature": ""})})
    assert not act_counts(told, unsigned, strict)


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("lead", {"name": "an\u0430"}, "it mixes"),
        ("lead", {"name": "x" * 101}, "name: String should have at most 100"),
        ("lead", {"who": "bob"}, "who: Extra inputs"),
        ("notes", {}, "text: Field required"),
        ("notes", {"text": ""}, "text: String should have at least 1"),
        ("notes", {"text": "\u200b \n"}, "the note is empty"),
        ("notes", {"text": "x" * 4001}, "text: String should have at most 4000"),
        ("notes", {"text": "x", "at": "2999-01-01T00:00Z"}, "still to come"),
        ("notes", {"text": "x", "at": "0" * 41}, "at: String should have at most 40"),
        ("acknowledgements", {"identity": {"how": "os-peer"}}, "identity: Extra inputs"),
        ("comms", [], "body: "),
    ],
)
def test_what_is_not_complete_is_refused(
    path: str, body: Any, error: str, receiver: Receiver, kept: Store
) -> None:
    """With what is wrong, and nothing is journalled."""
    incident = opened(kept, *asking(MEMORY))
    before = kept.read(incident)
    answer = send(receiver, incident, path, body)
    assert (answer.status_code, error in answer.json()["error"]) == (422, True), answer.text
    assert kept.read(incident) == before


def test_the_acts_are_in_the_description_of_the_api(receiver: Receiver) -> None:
    """Each with its body, its answer and its refusals."""
    paths = httpx.get(f"{receiver.url}/openapi.json", trust_env=False).json()["paths"]
    for case in CASES:
        described = paths[f"/api/incidents/{{reference}}/{case.path}"]["post"]
        body = described["requestBody"]["content"]["application/json"]["schema"]
        assert set(case.body) <= set(body["properties"])
        assert {"200", "401", "403", "404", "409", "422", "503"} <= set(described["responses"])
