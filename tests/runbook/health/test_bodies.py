"""What the body of a health endpoint says about PostHog, in the forms that services and frameworks write."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.checks.findings import Status
from runbook.checks.health import DEFAULT_PATH, UnreadableBody, read_body
from tests.runbook.findings_samples import health

FOLDER = Path(__file__).parents[2] / "data" / "health"
OK, BAD, UNKNOWN = Status


def body(name: str) -> bytes:
    """A recorded body."""
    [path] = FOLDER.glob(f"{name}-*")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "path", "http_status", "word", "status"),
    [
        ("H1", DEFAULT_PATH, 200, "UP", OK),
        ("H1", "components.posthog.status", 200, "UP", OK),
        ("H2", DEFAULT_PATH, 200, "UNKNOWN", UNKNOWN),
        ("H2", "components.posthog.status", 200, "UNKNOWN", UNKNOWN),
        ("H3", DEFAULT_PATH, 503, "DOWN", BAD),
        ("H4", DEFAULT_PATH, 200, "pass", OK),
        ("H4", "checks.posthog:responseTime[0].status", 200, "pass", OK),
        ("H4", "checks.posthog:responseTime", 200, "pass", OK),
        ("H4b", DEFAULT_PATH, 200, "fail", BAD),  # what is said of PostHog counts, not the whole
        ("H4b", "checks.posthog:responseTime[0].status", 200, "fail", BAD),
        ("H4c", DEFAULT_PATH, 200, "warn", BAD),
        ("H4c", "status", 200, "warn", BAD),
        ("H5", DEFAULT_PATH, 200, "Healthy", OK),
        ("H5", "entries.posthog.status", 200, "Healthy", OK),  # no path leads to a word that stands alone
        ("H5c", DEFAULT_PATH, 200, "Degraded", BAD),
        ("H6", DEFAULT_PATH, 200, "ok", OK),
        ("H7", DEFAULT_PATH, 200, "OK", OK),
        ("H8", DEFAULT_PATH, 200, "true", OK),
        ("H10", DEFAULT_PATH, 200, "Healthy", OK),
        ("H10", "entries.posthog", 200, "Healthy", OK),
        ("H11", DEFAULT_PATH, 200, "down", BAD),
        ("H12", DEFAULT_PATH, 200, "degraded", BAD),  # without the terminal's escape sequence
        ("H14", DEFAULT_PATH, 200, "ok", OK),
        ("H15", DEFAULT_PATH, 200, None, UNKNOWN),
        ("H16", DEFAULT_PATH, 204, None, UNKNOWN),
        ("H17", DEFAULT_PATH, 200, "up", OK),
    ],
)
def test_a_recorded_body_says_this(
    name: str, path: str, http_status: int, word: str | None, status: Status
) -> None:
    """Bodies of many frameworks, at the configured path and where nothing is configured."""
    answer = read_body(body(name), path)
    assert (answer.word, health(answer.word, http_status=http_status).status) == (word, status)


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"status": "UP"}, "UP"),
        ({"status": "DOWN", "details": {"posthog": {"status": "UP"}}}, "UP"),  # Spring Boot 2.0 and before
        ({"status": "UP", "components": {"out": {"components": {"posthog": {"status": "DOWN"}}}}}, "DOWN"),
        (
            {"status": "Healthy", "results": {"PostHog": {"status": "Unhealthy"}}},
            "Unhealthy",
        ),  # ASP.NET, by hand
        ({"status": "UP", "checks": [{"name": "posthog", "status": "DOWN"}]}, "DOWN"),  # MicroProfile
        ({"status": "ok", "info": {}, "details": {"posthog": {"status": "down"}}}, "down"),  # NestJS Terminus
        ({"PostHogBackend": "working", "DB": "unavailable"}, "working"),  # Django
        ({"postgres": True, "posthog": False}, "false"),
        ({"services": {"posthog": "sideways"}, "status": "ok"}, "sideways"),
        ({"services": {"posthog": {"healthy": True}}}, "true"),
        ({"services": {"posthog": {"status": 503}}}, "503"),
        ({"checks": {"posthog:a": [{"status": "pass"}], "posthog:b": [{"status": "fail"}]}}, "fail"),
        ({"checks": {"posthog:a": [{"status": "pass"}, {"status": "warn"}]}}, "warn"),
        ({"status": "down", "posthog_enabled": True}, "down"),  # a switch says nothing about health
        ({"status": "ok", "posthog_host": "https://us.i.posthog.com"}, "ok"),
        ({"status": "ok", "config": {"posthog": {"host": "https://us.i.posthog.com"}}}, "ok"),
        (["db: OK", "posthog: FAILED"], "FAILED"),
        (["db: OK", "cache: FAILED"], "FAILED"),
        (["db: OK", "cache: odd"], "odd"),
        ("OK", "OK"),
        (True, "true"),
        ({"status": {"state": {"status": "up"}}}, "up"),
        ({"services": {"posthog": {"status": 1}}}, None),  # well for some vendors, and bad for others
        ({"services": {"posthog": {"status": None}}}, None),
        ({"services": {}}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_document_is_searched_where_nothing_is_configured(document: Any, word: str | None) -> None:
    """What is named after PostHog first, the worst of several, then the service's word about itself."""
    assert read_body(json.dumps(document).encode()).word == word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("OK\n", "OK"),
        ("Healthy", "Healthy"),
        ("Service Unavailable", "Service Unavailable"),
        ("[+]ping ok\n[-]posthog failed: reason withheld\nhealthz check failed", "failed"),  # Kubernetes
        ("[+]ping ok\n[+]etcd ok\nreadyz check passed", "ok"),
        ("db: OK\nposthog: DOWN\n", "DOWN"),
        ("   ", None),
    ],
)
def test_plain_text_is_read(text: str, word: str | None) -> None:
    """A word, or lines that name what they are about."""
    assert read_body(text.encode()).word == word


@pytest.mark.parametrize(
    ("content", "challenge"),
    [
        (body("H13"), True),
        (b"<html><head><title>Attention Required! | Cloudflare</title>", True),
        (b"<html><body>Welcome</body></html>", False),
        (b'{"services": {"posthog": {"sta', False),  # cut off
        (b"\x00\xff\xfe\x01", False),
        (
            b"A long story about the weather, and about many other things that are of no concern here.",
            False,
        ),
        (b"[" * 100_000, False),
    ],
)
def test_what_is_no_answer_is_unreadable(content: bytes, challenge: bool) -> None:
    """Web pages, halves of documents and other texts say nothing."""
    with pytest.raises(UnreadableBody) as caught:
        read_body(content)
    assert caught.value.challenge is challenge


@pytest.mark.parametrize(
    ("document", "path", "detail"),
    [
        (
            {"services": {"posthog": {"status": "degraded", "mode": "fallback"}}},
            DEFAULT_PATH,
            "mode: fallback",
        ),
        ({"status": "warn", "output": "slow"}, DEFAULT_PATH, "about the service as a whole; output: slow"),
        ({"status": "warn", "output": "slow"}, "status", "output: slow"),
        (
            {"components": {"posthog": {"status": "DOWN", "details": {"error": "Read timed out"}}}},
            DEFAULT_PATH,
            "error: Read timed out",
        ),
        (
            {"checks": {"posthog:x": [{"status": "fail", "output": "no route"}]}},
            DEFAULT_PATH,
            "output: no route",
        ),
        ({"a": 1}, "a.b", "the answer has no a.b"),
        ({"a": []}, "a", "a holds no word"),
    ],
)
def test_the_detail_tells_what_stands_beside_the_word(document: Any, path: str, detail: str) -> None:
    """Or why there is no word."""
    assert read_body(json.dumps(document).encode(), path).detail == detail


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("posthog: ok"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("status", "posthog", "services", "checks", "name", "x")), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_a_body_is_read_or_refused(content: bytes) -> None:
    """No answer stops the reading in any other way."""
    try:
        answer = read_body(content)
    except UnreadableBody:
        return
    assert answer.word is None or 0 < len(answer.word) <= 60
