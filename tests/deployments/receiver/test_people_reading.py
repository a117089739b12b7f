"""Incidents are read through the receiver by those who could answer there, and by nobody else."""

import json

import httpx
import pytest
from pytest_httpserver import HTTPServer

from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.receiver.people.requests import PROVE
from deployments.services.reading import LEFT_OUT, bounded, events_document, incident_document
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.deployments.cli.test_gates import MEMORY, ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.journal_samples import ALERT, OPENED_AT
from tests.deployments.people_bench import TOKENS, Receiver, opened

Capture = pytest.CaptureFixture[str]


def get(receiver: Receiver, path: str, *, whose: str | None = "ana", **headers: str) -> httpx.Response:
    """A request over the network, with that person's token."""
    token = {"authorization": f"Bearer {TOKENS.get(whose, whose)}"} if whose else {}
    return httpx.get(
        f"{receiver.url}/api/incidents{path}", headers={**token, **headers}, trust_env=False, timeout=30
    )


def test_a_token_reads_the_question_with_its_plan(receiver: Receiver, kept: Store) -> None:
    """What has to be seen for an answer is there: the question, its diff and the plan's hash."""
    incident = opened(kept, *asking(ROLL_BACK))
    answer = get(receiver, f"/{incident}")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["incident"], told["open"], told[LEFT_OUT]) == (incident, True, 0)
    assert (told["gate"]["plan_digest"], told["gate"]["diff"]) == (ROLL_BACK.digest, ROLL_BACK.diff)
    assert len(told["journal"]) == len(kept.read(incident).journal)
    assert get(receiver, "/latest").json()["incident"] == incident
    listed = get(receiver, "?open=true&limit=1").json()["incidents"]
    assert [(item["incident"], item["asks"]) for item in listed] == [(incident, "## Shall it?")]


def test_who_takes_over_reads_the_packet(receiver: Receiver, kept: Store) -> None:
    """As facts, and as a page."""
    incident = opened(kept, *asking(ROLL_BACK), e.LeadAssigned(lead="bob", by="ana"))
    told = get(receiver, f"/{incident}/handover").json()
    assert (told["incident"], told["roles"]["lead"]) == (incident, "bob")
    assert told["asks"] in told["page"]


def test_support_reads_what_users_may_be_told(receiver: Receiver, kept: Store) -> None:
    """As facts, and as a text."""
    incident = opened(kept, *asking(ROLL_BACK))
    told = get(receiver, f"/{incident}/support").json()
    assert (told["incident"], told["facts"]["state"]) == (incident, "IDENTIFIED")
    assert told["facts"]["tell"][0] in told["text"]


def test_an_answer_is_kept_by_nobody_on_the_way(receiver: Receiver, kept: Store) -> None:
    """Neither a cache nor a browser that takes it for a page."""
    answer = get(receiver, f"/{opened(kept, *asking(MEMORY))}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("whose", "headers"),
    [
        (None, {}),
        ("cyd", {}),
        ("guessed", {}),
        (None, {"x-peer": "0", "x-forwarded-user": "ana", "x-remote-user": "ana"}),
        (None, {"cookie": "session=ana"}),
        (None, {"authorization": "Basic YW5hOmE="}),
        (None, {"authorization": ""}),
    ],
)
@pytest.mark.parametrize(
    "path", ["/latest", "/no-such", "/ID", "/ID/events", "/ID/handover", "/ID/support", "", "?limit=x"]
)
def test_a_stranger_reads_nothing(
    path: str, whose: str | None, headers: dict[str, str], receiver: Receiver, kept: Store
) -> None:
    """Not even whether there is such an incident, or whether the query is right."""
    incident = opened(kept, *asking(MEMORY))
    answer = get(receiver, path.replace("ID", incident), whose=whose, **headers)
    assert answer.status_code == 401
    assert answer.json() == {"kind": "unauthenticated", "error": "not authenticated", "next_step": PROVE}
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_in_the_address_proves_nobody(receiver: Receiver, kept: Store) -> None:
    """Addresses are written into the logs of every proxy."""
    incident = opened(kept, *asking(MEMORY))
    for name in ("token", "access_token", "authorization"):
        answer = get(receiver, f"/{incident}?{name}={TOKENS['ana']}", whose=None)
        assert answer.status_code == 401
    assert TOKENS["ana"] not in receiver.log()


def test_a_token_that_was_taken_away_reads_nothing_from_then_on(receiver: Receiver, kept: Store) -> None:
    """The settings are read anew for each request."""
    incident = opened(kept, *asking(MEMORY))
    assert get(receiver, f"/{incident}", whose="bob").status_code == 200
    receiver.configure(instead_of='bob = { file = "bob.token" }\n')
    assert get(receiver, f"/{incident}", whose="bob").status_code == 401


def test_two_proofs_of_different_people_read_nothing(receiver: Receiver, kept: Store) -> None:
    """Over the socket an account is proven; a token of somebody else does not go with it."""
    incident = opened(kept, *asking(MEMORY))
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(receiver.socket)), timeout=30) as client:
        url = f"http://receiver/api/incidents/{incident}"
        assert client.get(url).status_code == 200
        mixed = client.get(url, headers={"authorization": f"Bearer {TOKENS['ana']}"})
    assert (mixed.status_code, mixed.json()["error"]) == (401, "the request proves two different people")


def test_an_incident_of_another_environment_is_not_read(receiver: Receiver, kept: Store) -> None:
    """A token for this receiver is none for what else its store has."""
    other = ALERT.model_copy(update={"requested_by": ""})
    theirs = opened(kept, e.IncidentOpened(alert=other, environment="production"), *asking(MEMORY)[1:])
    answer = get(receiver, f"/{theirs}")
    assert (answer.status_code, answer.json()["kind"]) == (422, "invalid")
    assert "diff" not in answer.text
    assert get(receiver, f"/{theirs}/events").status_code == 404
    mine = opened(kept, *asking(MEMORY))
    listed = [item["incident"] for item in get(receiver, "?limit=100").json()["incidents"]]
    assert mine in listed
    assert theirs not in listed


def test_the_events_of_the_latest_incident_are_read_as_those_of_its_id(
    receiver: Receiver, kept: Store
) -> None:
    """Also by the beginning of its id, as everywhere."""
    receiver.forget()
    incident = opened(kept, *asking(MEMORY))
    by_id = get(receiver, f"/{incident}/events?after=1").json()
    assert (by_id["incident"], by_id["journal"][0]["seq"]) == (incident, 2)
    for reference in ("latest", incident[:-1]):
        assert get(receiver, f"/{reference}/events?after=1").json() == by_id


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/no-such", 404, "no incident 'no-such'"),
        ("/inc%2F..%2Fx", 404, ""),
        ("/ID/events?after=x", 422, "the query is not valid"),
        ("/ID/events?after=%D9%A1", 422, "the query is not valid"),
        ("/ID/events?since=1", 422, "the query is not valid"),
        ("/no-such/events", 404, "no incident 'no-such'"),
        ("/inc-20261122-160000-ffff/events", 404, "no incident"),
        ("?limit=0", 422, "the query is not valid"),
        ("?limit=101", 422, "the query is not valid"),
        ("?limit=-1", 422, "the query is not valid"),
        ("?limit=%D9%A1", 422, "the query is not valid"),
        ("?limit=99999999999999999999", 422, "the query is not valid"),
        ("?open=perhaps", 422, "the query is not valid"),
        ("?offset=5", 422, "the query is not valid"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    path: str, status: int, error: str, receiver: Receiver, kept: Store
) -> None:
    """And with what to do."""
    incident = opened(kept, *asking(MEMORY))
    answer = get(receiver, path.replace("ID", incident))
    assert (answer.status_code, error in answer.json()["error"]) == (status, True), answer.text
    assert answer.json()["next_step"]


def journal_of(*texts: str) -> Incident:
    """An incident with those texts of people in its journal."""
    events: list[e.Event] = [e.IncidentOpened(alert=ALERT)]
    events += [e.IncidentEscalated(because=text) for text in texts]
    recorded = [e.Recorded(seq=number, at=OPENED_AT, event=event) for number, event in enumerate(events)]
    return Incident.from_events("inc-20261122-160000-0001", recorded)


def test_what_is_read_is_masked_and_escaped() -> None:
    """A journal of an earlier release may hold what would be masked today; a terminal obeys nothing of it."""
    document = incident_document(
        journal_of("Authorization: Bearer abcdefghijklmnop0123456789", "\x1b[31m\u202ex"), Policy()
    )
    assert "abcdefghijklmnop0123456789" not in document
    assert "\x1b" not in document
    assert "\u202e" not in document


@pytest.mark.proof
def test_newer_events_come_in_bounded_parts() -> None:
    """The next part begins after the last event of this one; an event that is too large comes alone."""
    journal = journal_of(*(f"{number} " + "x" * 4_000 for number in range(300))).journal
    first = json.loads(events_document("inc-1", journal))["journal"]
    assert 50 < len(first) < 200
    rest = [item for item in journal if item.seq > first[-1]["seq"]]
    assert json.loads(events_document("inc-1", rest))["journal"][0]["seq"] == first[-1]["seq"] + 1


@pytest.mark.proof
def test_a_long_journal_is_cut_in_its_middle_and_says_so() -> None:
    """The opening and the newest events are there, so that what is asked now can be read."""
    document = json.loads(
        incident_document(journal_of(*(f"{number} " + "x" * 4_000 for number in range(300))), Policy())
    )
    reasons = [item["event"].get("because", "")[:4] for item in document["journal"]]
    assert (reasons[0], reasons[-1]) == ("", "299 ")
    assert len(document["journal"]) + document[LEFT_OUT] == 301
    assert document[LEFT_OUT] > 100
    assert len(json.dumps(document["journal"])) < 600_000


def test_the_bound_keeps_the_opening_in_any_case() -> None:
    """Without it there is no incident."""
    assert bounded([], 10) == []
    assert bounded(["opening", "a", "b"], 0) == ["opening"]
    assert bounded(["opening", "a", "b"], 9 + 3) == ["opening", "b"]


def test_the_commands_read_from_elsewhere(elsewhere: Store, capsys: Capture) -> None:
    """The same lines as on the receiver's machine, and an answer to paste that works from here."""
    incident = opened(elsewhere, *asking(ROLL_BACK))
    assert main(["incidents"]) == ExitCode.OK
    assert f"\n{incident} " in capsys.readouterr().out
    assert main(["incident", "latest"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "approved: 0 of 1" in said
    assert f"runbook approve {incident} --plan {ROLL_BACK.digest[:12]}\n" in said
    assert main(["incident", incident, "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["gate"]["diff"] == ROLL_BACK.diff


def test_from_elsewhere_nobody_reads_without_a_token(
    elsewhere: Store, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The person hears how to be known."""
    opened(elsewhere, *asking(MEMORY))
    monkeypatch.setenv("RUNBOOK_TOKEN", "")
    for command in (["incidents"], ["incident", "latest"]):
        assert main(command) == ExitCode.USAGE
        told = capsys.readouterr()
        assert "does not recognize you; set RUNBOOK_TOKEN, or RUNBOOK_TOKEN_FILE" in told.err
        assert told.out == ""


def test_nothing_is_read_here_while_another_receiver_is_named(
    kept: Store, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """The store that is configured here may be another one; so silence there is an error."""
    opened(kept, *asking(MEMORY))
    monkeypatch.setenv("RUNBOOK_URL", "http://127.0.0.1:9")
    for command in (["incidents"], ["incident", "latest"]):
        assert main(command) == ExitCode.UNREACHABLE
        told = capsys.readouterr()
        assert "try again, or unset RUNBOOK_URL to use the store in the settings on this machine" in told.err
        assert told.out == ""


@pytest.mark.parametrize(
    "answer", [{"incident": "x"}, {"incident": "x", "journal": [{"seq": 1}]}, {"incidents": "none"}]
)
def test_a_receiver_of_another_release_is_told(
    answer: dict[str, object],
    make_httpserver: HTTPServer,
    kept: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    """What its events mean is not guessed."""
    assert isinstance(kept, Store)
    make_httpserver.expect_request("/other/api/incidents/x").respond_with_json(answer)
    make_httpserver.expect_request("/other/api/incidents").respond_with_json(answer)
    monkeypatch.setenv("RUNBOOK_URL", make_httpserver.url_for("/other"))
    for command in (["incidents"], ["incident", "x"]):
        assert main(command) == ExitCode.FAILED
        assert "in the format of a different release; use --json" in capsys.readouterr().err
