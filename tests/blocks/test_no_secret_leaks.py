"""No secret of a block is in its text, its errors or the log, whatever the other side answers."""

import base64
import json
import logging
import pickle
import re
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

import pytest
from prefect.blocks.core import Block
from prefect.types import SecretDict
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from blocks.channels.pager import Pager
from blocks.channels.slack import Slack
from blocks.channels.status_page_publisher import StatusPagePublisher
from blocks.integration import IntegrationService
from blocks.kubernetes.cluster import Cluster
from blocks.posthog import PostHogApi
from blocks.prometheus.metrics import Prometheus
from blocks.self_watch import SelfWatch
from blocks.status_page.page import StatusPage
from blocks.transport.errors import OutsideError
from runbook.decision.severity import Severity
from runbook.incidents.state import State

CANARY = "canary0Q7zX4bV9nM2kL8"
"""In every secret of these tests. It has the shape of no known key, so that only the block can hide it."""

OLDEST = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """A block with a secret, and everything that it does with it."""

    name: str
    block: Callable[[str], Block]
    calls: tuple[Callable[[Any], Awaitable[Any]], ...]


def kubeconfig(url: str) -> SecretStr:
    """A kubeconfig whose token is the canary."""
    return SecretStr(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "users": [{"name": "u", "user": {"token": CANARY}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )


def proxy(url: str) -> SecretStr:
    """A proxy whose password is the canary."""
    return SecretStr(url.replace("http://", f"http://someone:{CANARY}@"))


def publisher(provider: Literal["statuspage", "incident_io"]) -> Case:
    """The same calls at each provider."""

    def block(url: str) -> Block:
        return StatusPagePublisher(
            provider=provider, api_key=SECRET, page_id="p", base_url=url, timeout_seconds=2
        )

    return Case(
        provider,
        block,
        (
            lambda block: block.find_incident("e"),
            lambda block: block.create_incident("n", "m", State.INVESTIGATING, effect_id="e"),
            lambda block: block.post_update("1", "m", State.IDENTIFIED, effect_id="e"),
        ),
    )


def self_watch(url: str) -> Block:
    """A ping's address is a secret as a whole, and Alertmanager's may hold a password."""
    return SelfWatch(
        receiver_url=url,
        token=SECRET,
        ping_url=SecretStr(f"{url}/{CANARY}"),
        alertmanager_url=proxy(url),
        timeout_seconds=2,
    )


SECRET = SecretStr(CANARY)
HEADERS = SecretDict({"X-Api-Key": {"secret": CANARY}, "X-Plain-Name": SECRET, "X-Scope-OrgID": "tenant"})
NEW_KEY = {"api-key": SecretStr(f"new-{CANARY}")}
CASES = [
    Case(
        "status page",
        lambda url: StatusPage(url="http://status.invalid", proxy=proxy(url), timeout_seconds=2),
        (lambda block: block.read_any(),),
    ),
    Case(
        "posthog",
        lambda url: PostHogApi(app_url=url, ingest_url=url, api_key=SECRET, timeout_seconds=2),
        (
            lambda block: block.probe(None, "x"),
            lambda block: block.probe(SecretStr(f"phc_{CANARY}{CANARY}"), "x"),
            lambda block: block.probe(SecretStr(f"{CANARY}\n"), "x"),
        ),
    ),
    Case(
        "integration",
        lambda url: IntegrationService(health_url=f"{url}/h", bearer_token=SECRET, timeout_seconds=2),
        (lambda block: block.read_health(),),
    ),
    Case(
        "prometheus",
        lambda url: Prometheus(url=url, bearer_token=SECRET, timeout_seconds=2),
        (
            lambda block: block.read_error_rate(),
            lambda block: block.query("up"),
            lambda block: block.export(OLDEST, OLDEST + timedelta(hours=1)),
        ),
    ),
    Case(
        "integration with a password",
        lambda url: IntegrationService(
            health_url=f"{url}/h", username="me", password=SECRET, headers=HEADERS, timeout_seconds=2
        ),
        (lambda block: block.read_health(),),
    ),
    Case(
        "status page with headers",
        lambda url: StatusPage(url=url, headers=HEADERS, bearer_token=SECRET, timeout_seconds=2),
        (lambda block: block.read_any(),),
    ),
    Case(
        "prometheus with a backup",
        lambda url: Prometheus(
            url=f"{url}/a",
            backup_urls=["http://127.0.0.1:2"],
            username="me",
            password=SECRET,
            headers=HEADERS,
            credentials=SecretDict({"http://127.0.0.1:2": {"bearer_token": CANARY}}),
            timeout_seconds=2,
        ),
        (
            lambda block: block.read_error_rate(),
            lambda block: block.query("up"),
        ),
    ),
    Case(
        "cluster",
        lambda url: Cluster(kubeconfig_yaml=kubeconfig(url), timeout_seconds=2),
        (
            lambda block: block.read_workload(),
            lambda block: block.logs.read(60),
            lambda block: block.secret.read_api_key(),
            lambda block: block.changes.patch_secret(NEW_KEY, resource_version="1"),
            lambda block: block.changes.patch_workload({"spec": {"replicas": 1}}),
            lambda block: block.changes.delete_pod("posthog-integration-x", uid="u"),
            lambda block: block.workload.disruption_budgets(),
            lambda block: block.client.can_i("get", "pods"),
        ),
    ),
    Case(
        "slack",
        lambda url: Slack(token=SECRET, channel="C1", base_url=url, timeout_seconds=1),
        (
            lambda block: block.post("hello", effect_id="e"),
            lambda block: block.find("e", oldest=OLDEST),
        ),
    ),
    publisher("statuspage"),
    publisher("incident_io"),
    Case(
        "pager",
        lambda url: Pager(routing_key=SECRET, base_url=url, timeout_seconds=2),
        (
            lambda block: block.trigger("d", "s", Severity.P1, "s"),
            lambda block: block.resolve("d"),
        ),
    ),
    Case(
        "self-watch",
        self_watch,
        (
            lambda block: block.send_alert("r"),
            lambda block: block.ping(),
            lambda block: block.renew_alert("e", at=OLDEST),
        ),
    ),
]
ALL_CASES = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def assert_clean(*texts: str) -> None:
    """The canary is in none of the texts, in no usual encoding of it."""
    encoded = {CANARY, quote(CANARY)}
    encoded |= {base64.b64encode(f"{before}{CANARY}".encode()).decode()[8:24] for before in ("", "x", "xx")}
    for text in texts:
        assert not [form for form in encoded if form in text], text


async def outcome(call: Callable[[Any], Awaitable[Any]], block: Block) -> str:
    """What a call leaves to read: its result, or its error in every form that ends up somewhere."""
    try:
        result = await call(block)
    except OutsideError as error:
        shown = [str(error), repr(error), str(vars(error)), "".join(traceback.format_exception(error))]
        return "\n".join([*shown, repr(pickle.dumps(error))])
    return result.model_dump_json() if hasattr(result, "model_dump_json") else repr(result)


@ALL_CASES
def test_a_blocks_own_text_hides_its_secrets(case: Case) -> None:
    """Neither repr, nor str, nor JSON of a block shows a secret."""
    block = case.block("http://127.0.0.1:1")

    assert_clean(repr(block), str(block), block.model_dump_json(), repr(block.model_dump()))


@ALL_CASES
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 422, 429, 500])
async def test_an_echo_of_the_request_does_not_leak(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture, case: Case, status: int
) -> None:
    """A server that answers with the whole request, credentials and all, makes no error or log show them."""

    def echo(request: Request) -> Response:
        # word by word, so that no label in front of a secret gives it away
        words = re.findall(r"\w+", f"{dict(request.headers)} {request.get_data(as_text=True)}")
        said = {"message": words[::-1], "detail": " ".join(words[::-1])[:300], "error": " ".join(words[::-1])}
        return Response(json.dumps(said), status, content_type="application/json")

    caplog.set_level(logging.WARNING)
    httpserver.expect_request("/").respond_with_handler(echo)
    block = case.block(httpserver.url_for("").rstrip("/"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpserver, "no_handler_status_code", status)
        patch.setattr(httpserver, "respond_nohandler", lambda request, *_: echo(request))
        left = [await outcome(call, block) for call in case.calls]

    assert_clean(*left, caplog.text)


@ALL_CASES
@pytest.mark.parametrize("server", ["nobody", "hanging_up"])
async def test_a_lost_connection_does_not_leak(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, case: Case, server: str
) -> None:
    """Errors of the network show addresses and no credentials."""
    caplog.set_level(logging.WARNING)
    block = case.block(str(request.getfixturevalue(server)))

    left = [await outcome(call, block) for call in case.calls]

    assert_clean(*left, caplog.text)
