"""PagerDuty's Events API v2."""

import pytest
from pydantic import JsonValue, SecretStr
from pytest_httpserver import HTTPServer

from blocks.channels.pager import Pager
from blocks.transport.errors import Refused, Unavailable
from runbook.decision.severity import Severity

ROUTING_KEY = "0123456789abcdef0123456789abcdef"


def pager(httpserver: HTTPServer) -> Pager:
    """A block whose PagerDuty is the test's server."""
    return Pager(routing_key=SecretStr(ROUTING_KEY), base_url=httpserver.url_for("/"))


@pytest.mark.parametrize(
    ("severity", "word"),
    [(Severity.P1, "critical"), (Severity.P2, "error"), (Severity.P3, "warning"), (Severity.P4, "info")],
)
async def test_a_call_is_an_event(httpserver: HTTPServer, severity: Severity, word: str) -> None:
    """A call carries the deduplication key, the severity in PagerDuty's words, the details and the link."""
    httpserver.expect_request(
        "/v2/enqueue",
        method="POST",
        json={
            "routing_key": ROUTING_KEY,
            "event_action": "trigger",
            "dedup_key": "inc-1",
            "payload": {
                "summary": "PostHog is down",
                "severity": word,
                "source": "posthog-integration",
                "custom_details": {"errors": 12},
            },
            "links": [{"href": "https://prefect.example/run", "text": "Prefect run"}],
        },
    ).respond_with_json({"status": "success", "dedup_key": "inc-1"}, status=202)

    await pager(httpserver).trigger(
        "inc-1",
        summary="PostHog is down",
        severity=severity,
        source="posthog-integration",
        details={"errors": 12},
        link="https://prefect.example/run",
    )

    httpserver.check_assertions()
    assert len(httpserver.log) == 1


async def test_a_long_summary_is_cut(httpserver: HTTPServer) -> None:
    """PagerDuty takes 1,024 characters; more would be refused."""
    httpserver.expect_request("/v2/enqueue").respond_with_json({"status": "success"}, status=202)

    await pager(httpserver).trigger("inc-1", summary="x" * 5000, severity=Severity.P1, source="s")

    request, _ = httpserver.log[0]
    assert len(request.json["payload"]["summary"]) == 1024


async def test_the_whole_address_is_as_good_as_its_base(httpserver: HTTPServer) -> None:
    """PagerDuty's documentation gives the address with its path; either may be configured."""
    httpserver.expect_request("/v2/enqueue").respond_with_json({"status": "success"}, status=202)
    block = Pager(routing_key=SecretStr(ROUTING_KEY), base_url=httpserver.url_for("/v2/enqueue"))

    await block.resolve("inc-1")

    assert [request.path for request, _ in httpserver.log] == ["/v2/enqueue"]


@pytest.mark.parametrize("body", ["", "<html>Welcome</html>", "{}", "[]", '{"status": "ok"}'])
async def test_only_a_word_of_success_is_a_call(httpserver: HTTPServer, body: str) -> None:
    """Whatever else answers 2xx in between has woken nobody up; the call may be made again."""
    httpserver.expect_request("/v2/enqueue").respond_with_data(body, status=202)

    with pytest.raises(Unavailable) as caught:
        await pager(httpserver).trigger("inc-1", summary="s", severity=Severity.P1, source="s")

    assert caught.value.may_have_landed


async def test_resolving_ends_the_call(httpserver: HTTPServer) -> None:
    """A resolve event has the same deduplication key."""
    httpserver.expect_request(
        "/v2/enqueue", json={"routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": "inc-1"}
    ).respond_with_json({"status": "success"}, status=202)

    await pager(httpserver).resolve("inc-1")

    assert len(httpserver.log) == 1


@pytest.mark.parametrize(("receipt", "key"), [({"dedup_key": "inc-0"}, "inc-0"), ({}, "inc-1")])
async def test_acknowledging_goes_to_the_same_call(
    httpserver: HTTPServer, receipt: dict[str, JsonValue], key: str
) -> None:
    """Under the key that the call had, also in a journal of an earlier release."""
    event = {"routing_key": ROUTING_KEY, "event_action": "acknowledge", "dedup_key": key}
    httpserver.expect_request("/v2/enqueue", json=event).respond_with_json({"status": "success"}, status=202)

    assert await pager(httpserver).acknowledge_page("inc-1", receipt) == {"dedup_key": key}


@pytest.mark.parametrize(("status", "kind"), [(400, Refused), (429, Unavailable), (500, Unavailable)])
async def test_a_refusal_says_whether_it_may_heal(
    httpserver: HTTPServer, status: int, kind: type[Exception]
) -> None:
    """PagerDuty wants 429 and 5xx repeated, and 400 not."""
    body = {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": ["'routing_key' is bad"],
    }
    httpserver.expect_request("/v2/enqueue").respond_with_json(body, status=status)

    with pytest.raises(kind, match="Event object is invalid"):
        await pager(httpserver).resolve("inc-1")
