"""What goes wrong outside: which errors may heal, what they say, and what they keep quiet."""

import pickle
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer

from blocks.transport.errors import (
    Conflict,
    Forbidden,
    NotFound,
    OutsideError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unreadable,
)
from blocks.transport.http import exchange, json_object
from blocks.transport.translating import bare_url, refusal, retry_after

KEY = "phx_" + "k" * 43


async def ask(url: str, timeout_seconds: float = 5) -> OutsideError:
    """The error that a GET of the URL ends in."""
    with pytest.raises(OutsideError) as caught:
        json_object("Thing", await exchange("Thing", "GET", url, timeout_seconds=timeout_seconds))
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (408, Unavailable),
        (409, Conflict),
        (420, Unavailable),
        (422, Refused),
        (429, Unavailable),
        (500, Unavailable),
        (502, Unavailable),
        (503, Unavailable),
    ],
)
async def test_a_status_says_whether_it_may_heal(
    httpserver: HTTPServer, status: int, kind: type[OutsideError]
) -> None:
    """Rate limits and server errors may heal; every other refusal will be the same next time."""
    httpserver.expect_request("/x").respond_with_data("why not", status=status)

    error = await ask(httpserver.url_for("/x"))

    assert type(error) is kind
    assert "why not" in error.detail
    assert str(status) in error.detail


async def test_nobody_there_may_heal_and_had_no_effect(nobody: str) -> None:
    """A refused connection is transient, and the request cannot have landed."""
    error = await ask(nobody)

    assert isinstance(error, Unavailable)
    assert not error.may_have_landed


@pytest.mark.parametrize("server", ["silent", "hanging_up"])
async def test_a_lost_answer_leaves_open_whether_it_landed(
    request: pytest.FixtureRequest, server: str
) -> None:
    """A timeout or a broken connection after sending is transient, but the effect may have happened."""
    error = await ask(request.getfixturevalue(server), timeout_seconds=0.3)

    assert isinstance(error, Unavailable)
    assert error.may_have_landed


async def test_another_format_is_unreadable(httpserver: HTTPServer) -> None:
    """A success that is HTML instead of JSON is an error of its own."""
    httpserver.expect_request("/x").respond_with_data("<html>hello</html>", content_type="text/html")

    assert isinstance(await ask(httpserver.url_for("/x")), Unreadable)


async def test_an_endless_body_is_cut_off(httpserver: HTTPServer) -> None:
    """A body over the limit is refused instead of filling the memory."""
    httpserver.expect_request("/x").respond_with_data(b" " * (9 * 1024 * 1024))

    assert isinstance(await ask(httpserver.url_for("/x")), Unreadable)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("37", 37),
        ("1.6", 2),
        ("Sun, 22 Nov 2026 16:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 15:00:00 GMT", 0),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_forms(header: str | None, seconds: int | None) -> None:
    """`Retry-After` may be seconds or an HTTP date; anything else is no wish."""
    assert retry_after(header, now=datetime(2026, 11, 22, 16, 0, 0, tzinfo=UTC)) == seconds


async def test_an_error_carries_the_wish_to_wait(httpserver: HTTPServer) -> None:
    """A rate limit's `Retry-After` reaches the one who retries."""
    httpserver.expect_request("/x").respond_with_data("", status=429, headers={"Retry-After": "12"})

    error = await ask(httpserver.url_for("/x"))

    assert isinstance(error, Unavailable)
    assert error.retry_after_seconds == 12


async def test_an_echoed_secret_is_masked(httpserver: HTTPServer) -> None:
    """A secret in an error's body, known or only key-shaped, is not in the error."""
    httpserver.expect_request("/x").respond_with_data(f"bad key {KEY} for hunter2hunter2", status=401)
    response = await exchange("Thing", "GET", httpserver.url_for("/x"), timeout_seconds=5)

    error = refusal(response, system="Thing", secrets=["hunter2hunter2"])

    assert KEY not in str(error)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@host.example/path?token=secret#secret", "https://host.example/path"),
        ("user:secret@host.example:9090", "the address"),
        ("https://user:sec/ret@host.example", "the address"),
        ("https://host.example:secret/", "the address"),
        ("", "the address"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    """User, password, query and fragment are left out of an address; what is none is not shown at all."""
    assert bare_url(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret/x@host.example",
        "user:secret@host.example:9090",
        "https://host.example:secret/",
        "ftp://user:secret@host.example",
    ],
)
async def test_an_address_that_cannot_be_asked_is_not_quoted(url: str) -> None:
    """httpx's own words would quote a part of it."""
    error = await ask(url)

    assert isinstance(error, Refused)
    assert "secret" not in str(error)


async def test_a_header_that_cannot_be_sent_is_not_quoted() -> None:
    """A token with an accent in it is refused; Python's own error would carry all of it."""
    with pytest.raises(Refused, match="a header has characters that a header must not have") as caught:
        await exchange("Thing", "GET", "http://127.0.0.1:1", timeout_seconds=1, headers={"A": "sécret"})
    assert "cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_error_is_one_line_with_a_next_step() -> None:
    """`system: detail. next step`, whatever the detail looks like."""
    error = Refused("Thing", "it said\n  no.\n", "Ask again")

    assert str(error) == "Thing: it said no. Ask again"


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("Thing", "slow", retry_after_seconds=3, may_have_landed=True),
        Forbidden("Thing", "no", verb="patch", resource="secrets", name="posthog-secrets"),
        NotFound("Thing", "where", "Look"),
    ],
)
def test_an_error_survives_pickling(error: OutsideError) -> None:
    """Prefect pickles what a task raised; everything is still there afterwards."""
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made one line before

    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
