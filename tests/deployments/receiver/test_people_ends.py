"""People end, merge and reopen incidents through the receiver, which proves who they are."""

import pytest

from deployments.cli import main
from deployments.cli.errors import ExitCode
from runbook.approvals.identity import Identity, Proof
from runbook.incidents import events as e
from tests.deployments.cli.test_gates import MEMORY, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_api_bench import send
from tests.deployments.people_bench import Receiver, opened

BY_TOKEN = Identity(name="ana", how=Proof.API_TOKEN)
AGAIN = {"reason": "it times out again"}
RESOLVED = (
    e.IncidentResolved(outcome="recovered", because=("well",)),
    e.IncidentClosed(outcome="recovered"),
)


def test_a_closed_incident_is_reopened_over_the_network(receiver: Receiver, kept: Store) -> None:
    """Once: whoever comes second hears that it is open."""
    incident = opened(kept, *asking(MEMORY), *RESOLVED)
    answer = send(receiver, incident, "reopening", AGAIN)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["act"], told["by"], told["recorded"]) == ("reopen", "ana", True)
    assert told["waits_for"], "Prefect is away here, which is told"
    event = kept.read(incident).last(e.IncidentReopened)
    assert event == e.IncidentReopened(because=AGAIN["reason"], by="ana", identity=BY_TOKEN)
    second = send(receiver, incident, "reopening", AGAIN, whose="bob")
    assert (second.status_code, "is open" in second.json()["error"]) == (422, True)
    assert kept.read(incident).reopened == 1


def test_an_incident_is_merged_over_the_network(receiver: Receiver, kept: Store) -> None:
    """The other one is named as in the path; what cannot be merged is refused with nothing written."""
    incident, other = opened(kept, *asking(MEMORY)), opened(kept, *asking(MEMORY))
    closed = opened(kept, *asking(MEMORY), *RESOLVED)
    before = kept.read(incident)
    for into, status, why in (
        ("inc-1999", 404, "no incident"),
        (incident, 422, "into itself"),
        (closed, 422, "has ended: recovered"),
    ):
        refused = send(receiver, incident, "merger", {"into": into})
        assert (refused.status_code, why in refused.json()["error"]) == (status, True), refused.text
    assert kept.read(incident) == before
    answer = send(receiver, incident, "merger", {"into": other, "reason": "one deploy"})
    assert answer.status_code == 200, answer.text
    merged = kept.read(incident).last(e.IncidentMerged)
    assert merged == e.IncidentMerged(into=other, by="ana", identity=BY_TOKEN, because="one deploy")
    assert [it.incident for it in kept.read(other).events(e.IncidentAbsorbed)] == [incident]
    again = send(receiver, other, "merger", {"into": incident})
    assert (again.status_code, "has ended: merged" in again.json()["error"]) == (422, True)


def test_the_commands_go_through_the_socket(kept: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """Resolve, merge and reopen are proven by the account then."""
    ended, merged, other = (opened(kept, *asking(MEMORY)) for _ in range(3))
    closed = opened(kept, *asking(MEMORY), *RESOLVED)
    for command in (
        ["resolve", ended, "--outcome", "false-positive", "--reason", "a test alert"],
        ["merge", merged, other],
        ["reopen", closed, "--reason", "again"],
    ):
        assert main(command) == ExitCode.OK
        assert "(proven by account" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("resolution", {"outcome": "fine", "reason": "x"}, "outcome: Input should be"),
        ("resolution", {"outcome": "recovered", "reason": ""}, "reason: String should have at least 1"),
        ("resolution", {"outcome": "recovered", "reason": " "}, "the reason is empty"),
        ("resolution", {"outcome": "recovered", "reason": "x" * 4001}, "reason: String should have at most"),
        ("resolution", {"outcome": "recovered", "reason": "x", "done": "x" * 4001}, "done: String should"),
        ("reopening", {}, "reason: Field required"),
        ("merger", {"into": ""}, "into: String should have at least 1"),
        ("merger", {"into": "x" * 101}, "into: String should have at most 100"),
    ],
)
def test_what_is_not_complete_is_refused(
    path: str, body: dict[str, str], error: str, receiver: Receiver, kept: Store
) -> None:
    """With what is wrong, and nothing is journalled."""
    incident = opened(kept, *asking(MEMORY))
    before = kept.read(incident)
    answer = send(receiver, incident, path, body)
    assert (answer.status_code, error in answer.json()["error"]) == (422, True), answer.text
    assert kept.read(incident) == before
