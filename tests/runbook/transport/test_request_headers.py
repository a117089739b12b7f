"""Headers of the runbook's own requests: what can be sent, and what of it is to be masked."""

import base64

import pytest

from runbook.transport.request_headers import header_mistake, secrets_in_header


@pytest.mark.parametrize(
    ("name", "value", "cannot"),
    [
        ("X-Scope-OrgID", "tenant|other", False),
        ("X-A", "a b", False),
        ("X A", "a", True),
        ("X-A:", "a", True),
        ("", "a", True),
        ("X-Ä", "a", True),
        ("Host", "a", True),
        ("content-length", "1", True),
        ("Transfer-Encoding", "chunked", True),
        ("X-A", "", True),
        ("X-A", " a", True),
        ("X-A", "a\r\nX-B: b", True),
        ("X-A", "a\0", True),
        ("X-A", "ä", True),
    ],
)
def test_what_can_be_sent(name: str, value: str, cannot: bool) -> None:
    """No header may end the line, and none may be the connection's own; the reason never quotes the value."""
    why = header_mistake(name, value)
    assert bool(why) is cannot
    assert len(value) < 3 or value not in why


@pytest.mark.parametrize(
    ("value", "secrets"),
    [
        ("hunter2", ["hunter2"]),
        ("Bearer hunter2hunter2", ["hunter2hunter2"]),
        ("a=1; session=hunter2hunter2", ["hunter2hunter2"]),
        ("Basic " + base64.b64encode(b"me:hunter2").decode(), ["me:hunter2", "hunter2"]),
        ("Basic not-base64!", ["Basic not-base64!"]),
    ],
)
def test_a_secret_is_masked_in_its_parts(value: str, secrets: list[str]) -> None:
    """A server may give back the token without its scheme, or the password without its user."""
    assert {value, *secrets} <= set(secrets_in_header(value))
    assert "Bearer" not in secrets_in_header(value)
