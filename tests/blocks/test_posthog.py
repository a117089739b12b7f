"""The probe of the PostHog API: one request, and what each answer means."""

import json
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from blocks.posthog import PostHogApi, well_formed
from runbook.checks.readings import ProbeResult

PROJECT_KEY = "phc_" + "p" * 43
PERSONAL_KEY = "phx_" + "q" * 43
LEGACY_KEY = "A1b2" * 8


def api(httpserver: HTTPServer, **settings: Any) -> PostHogApi:
    """A block whose PostHog is the test's server."""
    url = httpserver.url_for("/").rstrip("/")
    return PostHogApi(**{"app_url": url, "ingest_url": url, "timeout_seconds": 5, **settings})


async def test_a_project_key_is_asked_of_the_flags_endpoint(httpserver: HTTPServer) -> None:
    """A project key goes into the body of `/flags?v=2`, which rejects unknown keys as capture does not."""

    def flags(request: Request) -> Response:
        body = json.loads(request.data)
        ok = body["api_key"] == PROJECT_KEY and body["distinct_id"]
        return Response(json.dumps({"flags": {}}) if ok else "wrong", 200, content_type="application/json")

    httpserver.expect_request("/flags", method="POST", query_string="v=2").respond_with_handler(flags)

    reading = await api(httpserver).probe(SecretStr(PROJECT_KEY), "the cluster's Secret")

    assert reading.outcome is ProbeResult.ACCEPTED
    assert reading.http_status == 200
    assert reading.key_source == "the cluster's Secret"
    assert reading.seconds is not None


@pytest.mark.parametrize("key", [PERSONAL_KEY, LEGACY_KEY])
async def test_other_keys_are_asked_of_the_app(httpserver: HTTPServer, key: str) -> None:
    """A personal key, or one without a prefix, is sent as a bearer token."""
    httpserver.expect_request(
        "/api/users/@me/", headers={"Authorization": f"Bearer {key}"}
    ).respond_with_json({})

    assert (await api(httpserver).probe(SecretStr(key), "x")).outcome is ProbeResult.ACCEPTED


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (401, {"code": "authentication_failed", "detail": "Invalid key"}, ProbeResult.KEY_REJECTED),
        (402, {"code": "quota_limit_exceeded", "detail": "Upgrade"}, ProbeResult.RATE_LIMITED),
        (429, {"code": "throttled", "detail": "Slow down"}, ProbeResult.RATE_LIMITED),
        (500, {"code": "error", "detail": "A server error"}, ProbeResult.SERVER_ERROR),
        (503, {"code": "overloaded", "detail": "Busy"}, ProbeResult.SERVER_ERROR),
        (504, {"code": "timeout", "detail": "Late"}, ProbeResult.SERVER_ERROR),
        (404, {"code": "not_found", "detail": "Nothing"}, ProbeResult.UNREACHABLE),
    ],
)
async def test_an_answer_says_what_is_wrong(
    httpserver: HTTPServer, status: int, body: dict[str, str], outcome: ProbeResult
) -> None:
    """Each status of PostHog is one outcome; its words are kept."""
    httpserver.expect_request("/api/users/@me/").respond_with_json(body, status=status)

    reading = await api(httpserver).probe(SecretStr(PERSONAL_KEY), "x")

    assert (reading.outcome, reading.http_status) == (outcome, status)
    if status != 404:
        assert body["detail"] in reading.detail


async def test_an_error_page_of_the_edge_is_a_server_error(httpserver: HTTPServer) -> None:
    """A 502 in HTML is PostHog failing, and its markup is not repeated."""
    httpserver.expect_request("/flags").respond_with_data("<html>Bad</html>", 502, content_type="text/html")

    reading = await api(httpserver).probe(SecretStr(PROJECT_KEY), "x")

    assert reading.outcome is ProbeResult.SERVER_ERROR
    assert "<" not in reading.detail


async def test_a_server_error_has_to_come_twice(httpserver: HTTPServer) -> None:
    """One may be the hiccup of a gateway: the second answer counts."""
    httpserver.expect_ordered_request("/flags").respond_with_data("", 502)
    httpserver.expect_ordered_request("/flags").respond_with_json({})
    reading = await api(httpserver).probe(SecretStr(PROJECT_KEY), "the Secret")
    assert reading.outcome is ProbeResult.ACCEPTED
    assert reading.http_status == 200


async def test_a_rejection_in_plain_text_is_understood(httpserver: HTTPServer) -> None:
    """The flags endpoint rejects a key with text instead of JSON."""
    httpserver.expect_request("/flags").respond_with_data(
        "API key is invalid", 401, content_type="text/plain"
    )

    reading = await api(httpserver).probe(SecretStr(PROJECT_KEY), "x")

    assert (reading.outcome, reading.detail) == (ProbeResult.KEY_REJECTED, "API key is invalid")


@pytest.mark.parametrize(
    ("headers", "detail", "seconds"),
    [
        ({"Retry-After": "37"}, "Slow down", 37),
        ({}, "Expected available in 12 seconds.", 12),
        ({}, "Slow down", None),
    ],
)
async def test_a_rate_limit_says_how_long(
    httpserver: HTTPServer, headers: dict[str, str], detail: str, seconds: int | None
) -> None:
    """The wait is in the header, or in the words, or not known."""
    body = {"type": "throttled_error", "code": "throttled", "detail": detail}
    httpserver.expect_request("/api/users/@me/").respond_with_json(body, status=429, headers=headers)

    reading = await api(httpserver).probe(SecretStr(PERSONAL_KEY), "x")

    assert reading.retry_after_seconds == seconds


async def test_a_forbidden_probe_still_proves_the_key(httpserver: HTTPServer) -> None:
    """A 403 on the probe itself means that the key authenticates, for other scopes."""
    httpserver.expect_request("/api/users/@me/").respond_with_json({"code": "permission_denied"}, status=403)

    assert (await api(httpserver).probe(SecretStr(PERSONAL_KEY), "x")).outcome is ProbeResult.ACCEPTED


async def test_a_forbidden_requirement_is_a_missing_scope(httpserver: HTTPServer) -> None:
    """A 403 on what the integration needs is a missing scope."""
    httpserver.expect_request("/api/users/@me/").respond_with_json({})
    httpserver.expect_request("/api/projects/1/").respond_with_json(
        {"code": "permission_denied", "detail": "API key missing required scope 'project:read'"}, status=403
    )

    reading = await api(httpserver, required_path="/api/projects/1/").probe(SecretStr(PERSONAL_KEY), "x")

    assert reading.outcome is ProbeResult.SCOPE_MISSING
    assert "project:read" in reading.detail


@pytest.mark.parametrize("server", ["nobody", "silent", "hanging_up"])
async def test_no_answer_is_a_reading(request: pytest.FixtureRequest, server: str) -> None:
    """Nobody there, silence and a broken connection are an outcome, not an exception."""
    url = request.getfixturevalue(server)

    reading = await PostHogApi(ingest_url=url, timeout_seconds=0.3).probe(SecretStr(PROJECT_KEY), "x")

    assert (reading.outcome, reading.http_status) == (ProbeResult.UNREACHABLE, None)
    assert reading.detail


async def test_a_login_page_in_between_is_no_answer_of_posthog(httpserver: HTTPServer) -> None:
    """HTML with status 200 comes from something else than PostHog."""
    httpserver.expect_request("/flags").respond_with_data("<html>Log in</html>", content_type="text/html")

    assert (await api(httpserver).probe(SecretStr(PROJECT_KEY), "x")).outcome is ProbeResult.UNREACHABLE


@pytest.mark.parametrize("key", [PERSONAL_KEY, PROJECT_KEY])
@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("content_type", ["text/html; charset=UTF-8", "application/octet-stream"])
async def test_a_firewalls_refusal_says_nothing_of_the_key(
    httpserver: HTTPServer, key: str, status: int, content_type: str
) -> None:
    """A page for people comes from something on the way: the key is neither rejected nor proven by it."""
    page = "<!DOCTYPE html><title>Attention Required! | Cloudflare</title>"
    for path in ("/flags", "/api/users/@me/"):
        httpserver.expect_request(path).respond_with_data(page, status=status, content_type=content_type)

    reading = await api(httpserver).probe(SecretStr(key), "x")

    assert (reading.outcome, reading.http_status) == (ProbeResult.UNREACHABLE, status)
    assert "something other than PostHog answers there" in reading.detail


async def test_the_configured_key_is_used_where_none_is_given(httpserver: HTTPServer) -> None:
    """Without a key from the cluster the configured one is asked with, and named as the source."""
    httpserver.expect_request("/flags").respond_with_json({})

    reading = await api(httpserver, api_key=PROJECT_KEY).probe(None, "the cluster's Secret")

    assert (reading.outcome, reading.key_source) == (ProbeResult.ACCEPTED, "configuration")


@pytest.mark.parametrize("key", [None, SecretStr(""), SecretStr(PROJECT_KEY + "\n")])
async def test_a_key_that_cannot_be_right_is_not_sent(httpserver: HTTPServer, key: SecretStr | None) -> None:
    """A missing or misshapen key is rejected without asking PostHog."""
    reading = await api(httpserver).probe(key, "the cluster's Secret")

    assert (reading.outcome, reading.http_status) == (ProbeResult.KEY_REJECTED, None)
    assert httpserver.log == []


async def test_an_echoed_key_is_not_in_the_reading(httpserver: HTTPServer) -> None:
    """PostHog quoting the key does not carry it into the journal."""
    httpserver.expect_request("/flags").respond_with_data(
        f"unknown key {LEGACY_KEY}{PROJECT_KEY}", status=401
    )
    httpserver.expect_request("/api/users/@me/").respond_with_json({"detail": f"no {LEGACY_KEY}"}, status=401)

    readings = [await api(httpserver).probe(SecretStr(key), "x") for key in (PROJECT_KEY, LEGACY_KEY)]

    assert PROJECT_KEY not in readings[0].model_dump_json()
    assert LEGACY_KEY not in readings[1].model_dump_json()


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (PROJECT_KEY, None),
        (PERSONAL_KEY, None),
        (LEGACY_KEY, None),
        ("", "empty"),
        ("  ", "empty"),
        (PROJECT_KEY + "\n", "white space"),
        (" " + PROJECT_KEY, "white space"),
        ("phc_ab cd" * 5, "white space"),
        (f'"{PROJECT_KEY}"', "quotation"),
        ("phc_ключ" + "x" * 30, "characters"),
        ("NEW_KEY", "placeholder"),
        ("<your-key-goes-here>", "placeholder"),
        ("${POSTHOG_API_KEY}", "placeholder"),
        ("cGhjX2FiY2RlZmdoaWprbG1ub3A=", "base64"),
        ("phc_abc", "short"),
    ],
)
def test_a_key_that_cannot_be_one_is_told_why(key: str, reason: str | None) -> None:
    """Each way in which a key is commonly broken has its own reason; good keys have none."""
    found = well_formed(key)

    assert (found is None) if reason is None else (found is not None and reason in found)
