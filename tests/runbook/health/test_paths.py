"""The path of a status in a JSON document."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.checks.health import InvalidPath, parse_path
from runbook.checks.health.paths import follow

DOCUMENT: dict[str, Any] = {
    "services": {"posthog": {"status": "ok"}},
    "checks": {"posthog:responseTime": [{"status": "pass"}, {"status": "fail"}], "posthog.com": {"up": True}},
    "list": [{"name": "posthog", "status": "UP"}, {"name": "db", "status": "DOWN"}],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("services.posthog.status", "ok"),
        (".services.posthog.status", "ok"),  # as jq writes it
        ("checks.posthog:responseTime[0].status", "pass"),
        ("checks.posthog:responseTime[-1].status", "fail"),
        ('checks."posthog.com".up', True),
        ("checks['posthog.com'].up", True),
        ('checks["posthog.com"].up', True),
        ("list[0].status", "UP"),
        ("list.posthog.status", "UP"),  # the item of that name
    ],
)
def test_a_path_leads_to_a_value(path: str, value: Any) -> None:
    """Names, indexes, and names in quotes."""
    place = follow(DOCUMENT, parse_path(path))
    assert place is not None
    assert place.value == value


@pytest.mark.parametrize(
    "path", ["services.mixpanel", "list[2].status", "list.mixpanel", "services[0]", "list.status", "a.b.c"]
)
def test_a_path_may_lead_nowhere(path: str) -> None:
    """A step that is not there ends the way."""
    assert follow(DOCUMENT, parse_path(path)) is None


@pytest.mark.parametrize("path", ["", ".", "a.", "a..b", "a[", "a[]", "a[x]", "a]b", 'a."b', "a[0]b"])
def test_what_is_no_path_is_refused_with_the_next_step(path: str) -> None:
    """The error says how a path looks."""
    with pytest.raises(InvalidPath, match=r"is no path|is empty"):
        parse_path(path)


@given(st.text(max_size=30))
def test_a_path_is_read_or_refused(path: str) -> None:
    """No text stops the reader in any other way."""
    try:
        steps = parse_path(path)
    except InvalidPath:
        return
    assert steps
    assert follow(DOCUMENT, steps) is None or path
