"""Credentials: each server is shown its own, and no other host is, wherever a redirect or a backup leads."""

import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from prefect.types import SecretDict
from pydantic import SecretStr, ValidationError
from pytest_httpserver import HTTPServer

from blocks.integration import IntegrationService
from blocks.prometheus.metrics import Prometheus
from blocks.status_page.page import StatusPage
from blocks.transport.credentials import Credentials, CredentialsByHost, origin_of
from blocks.transport.errors import OutsideError

CANARY = "canary0Q7zX4bV9nM2kL8"
SHOWN = ("X-Scope-Orgid", "X-Api-Key", "Authorization")
BASIC = "Basic " + base64.b64encode(f"me:{CANARY}".encode()).decode()
OWN: dict[str, Any] = {
    "headers": {"X-Scope-OrgID": "tenant", "X-Api-Key": SecretStr(CANARY)},
    "username": "me",
    "password": SecretStr(CANARY),
}
ALL = {"X-Scope-Orgid": "tenant", "X-Api-Key": CANARY, "Authorization": BASIC}


@dataclass(frozen=True)
class Case:
    """A block with credentials, its one request, and a good answer to that."""

    name: str
    block: Callable[..., Credentials]
    ask: Callable[[Any], Awaitable[Any]]
    path: str
    answer: dict[str, Any]


CASES = [
    Case(
        "integration",
        lambda url, **more: IntegrationService(health_url=f"{url}/health", timeout_seconds=3, **more),
        lambda block: block.read_health(),
        "/health",
        {"services": {"posthog": {"status": "healthy"}}},
    ),
    Case(
        "status page",
        lambda url, **more: StatusPage(url=url, format="incident_io", timeout_seconds=3, **more),
        lambda block: block.read_any(),
        "/api/v1/summary",
        {"ongoing_incidents": [], "in_progress_maintenances": [], "scheduled_maintenances": []},
    ),
    Case(
        "prometheus",
        lambda url, **more: Prometheus(url=url, timeout_seconds=3, **more),
        lambda block: block.query("up"),
        "/api/v1/query",
        {"status": "success", "data": {"resultType": "vector", "result": []}},
    ),
]
ALL_CASES = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def prometheus(**settings: Any) -> Prometheus:
    """A block with settings as a file gives them."""
    return Prometheus.model_validate(settings)


@pytest.fixture
def elsewhere() -> Iterator[HTTPServer]:
    """A server on another port, which is another host to every credential."""
    with HTTPServer() as server:
        yield server


def base(server: HTTPServer) -> str:
    """Where the server is."""
    return server.url_for("").rstrip("/")


def shown_to(server: HTTPServer) -> list[dict[str, str]]:
    """What each request to a server showed."""
    return [
        {name: request.headers[name] for name in SHOWN if name in request.headers}
        for request, _ in server.log
    ]


def redirect(server: HTTPServer, path: str, target: str, status: int = 302) -> None:
    """Answer a path with a redirect, once."""
    server.expect_ordered_request(path).respond_with_data("", status, headers={"Location": target})


@ALL_CASES
@pytest.mark.parametrize(
    ("own", "shown"),
    [
        (OWN, ALL),
        ({"bearer_token": SecretStr(CANARY)}, {"Authorization": f"Bearer {CANARY}"}),
        (
            {"headers": {"Authorization": SecretStr(f"Custom {CANARY}")}},
            {"Authorization": f"Custom {CANARY}"},
        ),
        ({"username": "mé", "password": SecretStr("pä:ss")}, {"Authorization": "Basic bcOpOnDDpDpzcw=="}),
        ({}, {}),
    ],
    ids=["headers and password", "token", "header", "characters of any kind", "nothing"],
)
async def test_a_server_is_shown_its_credentials(
    httpserver: HTTPServer, case: Case, own: dict[str, Any], shown: dict[str, str]
) -> None:
    """Headers, a bearer token, or basic authentication in UTF-8."""
    httpserver.expect_request(case.path).respond_with_json(case.answer)

    await case.ask(case.block(base(httpserver), **own))

    assert shown_to(httpserver) == [shown]


@ALL_CASES
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_another_host_is_shown_nothing_by_a_redirect(
    httpserver: HTTPServer, elsewhere: HTTPServer, case: Case, status: int
) -> None:
    """The redirect is followed, but neither the password nor any header goes along; back home neither."""
    redirect(httpserver, case.path, f"{base(elsewhere)}/moved", status)
    redirect(elsewhere, "/moved", f"{base(httpserver)}/home", status)
    httpserver.expect_ordered_request("/home").respond_with_json(case.answer)

    await case.ask(case.block(base(httpserver), **OWN))

    assert shown_to(elsewhere) == [{}]
    assert shown_to(httpserver) == [ALL, {}]


@ALL_CASES
async def test_a_redirect_within_the_host_keeps_them(httpserver: HTTPServer, case: Case) -> None:
    """The same server under another path is the same server."""
    redirect(httpserver, case.path, "/moved")
    httpserver.expect_ordered_request("/moved").respond_with_json(case.answer)

    await case.ask(case.block(base(httpserver), **OWN))

    assert shown_to(httpserver) == [ALL, ALL]


@ALL_CASES
async def test_an_endless_redirect_is_an_error(httpserver: HTTPServer, case: Case) -> None:
    """Twenty are enough, and the error holds no credential."""
    httpserver.expect_request("/").respond_with_data("", 302, headers={"Location": "/"})
    httpserver.expect_request(case.path).respond_with_data("", 302, headers={"Location": f"/?token={CANARY}"})

    with pytest.raises(OutsideError) as caught:
        await case.ask(case.block(base(httpserver), **OWN))

    assert CANARY not in str(caught.value)


MIRRORED = [("backup_urls", CASES[2]), ("fallback_urls", CASES[1])]


@pytest.mark.parametrize(("others", "case"), MIRRORED, ids=[each[0] for each in MIRRORED])
@pytest.mark.parametrize(
    ("table", "shown"),
    [
        ({}, {}),
        ({"bearer_token": SecretStr("other-token")}, {"Authorization": "Bearer other-token"}),
        ({"headers": {"X-Scope-OrgID": "other"}}, {"X-Scope-Orgid": "other"}),
    ],
    ids=["nothing", "its own token", "its own header"],
)
async def test_a_backup_on_another_host_is_shown_its_own(
    httpserver: HTTPServer,
    elsewhere: HTTPServer,
    others: str,
    case: Case,
    table: dict[str, Any],
    shown: dict[str, str],
) -> None:
    """What is set for the first server goes to all paths of its host; another host gets its own."""
    httpserver.expect_request("").respond_with_data("", 500)
    elsewhere.expect_request(f"/b{case.path}").respond_with_json(case.answer)
    urls = [f"{base(httpserver)}/same", f"{base(elsewhere)}/b"]
    credentials = {base(elsewhere): table} if table else {}

    await case.ask(case.block(base(httpserver), **OWN, **{others: urls}, credentials=credentials))

    assert shown_to(httpserver) == [ALL, ALL]
    assert shown_to(elsewhere) == [shown]


@pytest.mark.parametrize("named", ["https://c.example", "https://a.example", "http://b.example", "b.example"])
def test_credentials_are_for_known_other_hosts(named: str) -> None:
    """A typing mistake in the address would leave the backup without them, in the middle of an incident."""
    with pytest.raises(ValidationError, match="credentials are for the other servers' addresses"):
        prometheus(
            url="https://a.example/x",
            backup_urls=["https://b.example/y"],
            credentials={named: {"username": ""}},
        )


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Host.example:443/x?y#z", "https://host.example"),
        ("http://host.example:80", "http://host.example"),
        ("http://me:pw@host.example:9090/", "http://host.example:9090"),
        ("http://[::1]:9090/x", "http://[::1]:9090"),
        ("host.example:9090", ""),
        ("http://host:port", ""),
    ],
)
def test_scheme_host_and_port_are_the_host(address: str, origin: str) -> None:
    """The default port and the case of letters make no difference."""
    assert origin_of(address) == origin


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"username": "me"}, "set both username and password"),
        ({"password": CANARY}, "set both username and password"),
        ({"username": "m:e", "password": CANARY}, "a username must not contain a colon"),
        ({"username": "me", "password": CANARY, "bearer_token": CANARY}, "set only one of"),
        ({"headers": {"authorization": CANARY}, "bearer_token": CANARY}, "set only one of"),
        ({"bearer_token": f"{CANARY}\r\nX-Evil: 1"}, "bearer_token has characters"),
        ({"headers": {"X-Api-Key": f"{CANARY}\n"}}, "one of the headers"),
        ({"headers": {"X-Api-Key": CANARY, "x-api-key": CANARY}}, "a header is set twice"),
        ({"headers": {"X-Api-Key": 7}}, "neither text nor a reference"),
        ({"headers": CANARY}, "not a table of headers"),
    ],
)
def test_what_contradicts_itself_is_refused(values: dict[str, Any], why: str) -> None:
    """The error tells the cause, and nothing of what was given."""
    with pytest.raises(ValidationError, match=why) as caught:
        prometheus(**values)
    assert CANARY not in str(caught.value)
    url = {"url": "https://a.example", "backup_urls": ["https://b.example"]}
    with pytest.raises(ValidationError, match=why) as caught:
        prometheus(**url, credentials={"https://b.example": values})
    assert CANARY not in str(caught.value)


def test_a_plain_header_is_no_secret() -> None:
    """The name of a tenant is not masked in the evidence; what has a secret's name always is."""
    block = prometheus(headers={"X-Scope-OrgID": "production", "X-Api-Key": CANARY})
    assert CANARY in block.secret_values()
    assert "production" not in block.secret_values()


def test_saved_credentials_are_the_same_when_they_are_loaded() -> None:
    """Prefect keeps plain JSON; which header is a secret is known afterwards too."""
    block = prometheus(
        url="https://a.example",
        backup_urls=["https://b.example"],
        **OWN,
        credentials={"https://b.example": {"headers": {"X-Who": SecretStr(CANARY)}, "bearer_token": CANARY}},
    )
    saved = json.loads(json.dumps(block.model_dump(mode="json", context={"include_secrets": True})))
    loaded = Prometheus.model_validate(saved)
    assert all(getattr(loaded, name) == getattr(block, name) for name in Prometheus.model_fields)
    assert loaded.secret_values() == block.secret_values()
    assert loaded.credentials_for("https://b.example/x").request_headers() == {
        "X-Who": CANARY,
        "Authorization": f"Bearer {CANARY}",
    }


@pytest.mark.parametrize("kind", [Credentials, CredentialsByHost, Prometheus, StatusPage, IntegrationService])
def test_tables_of_secrets_are_what_prefect_masks(kind: type[Credentials]) -> None:
    """Its API masks what is under a `SecretDict`; of other tables it answers the values."""
    tables = {"headers", "credentials"} & kind.model_fields.keys()
    assert {kind.model_fields[name].annotation for name in tables} == {SecretDict}
