"""What people type into Prefect's form is checked and named without being quoted."""

from typing import Any

import pytest

from flows import parameters
from flows.parameters import MAX_RUN_NAME, run_name

KEY = "phx_canary0Q7zX4bV9nM2kL8"


class FlowRun:
    """A run with these parameters, as Prefect's runtime shows it."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.parameters = given


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"service": "api", "summary": "flags time out"}, "api: flags time out"),
        ({"service": "api", "summary": f"key {KEY}\n\x1b[31m"}, "api: key [redacted:phx]"),
        ({"service": KEY, "summary": "{service}"}, "[redacted:phx]: {service}"),
        ({"service": None, "summary": 7}, "None: 7"),
        ({"service": "a", "summary": "x" * 500}, f"a: {'x' * (MAX_RUN_NAME - 4)}…"),
    ],
)
def test_a_run_is_named_by_masked_parameters(
    given: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of runs is what everybody sees."""
    monkeypatch.setattr(parameters, "flow_run", FlowRun(given))
    assert run_name("{service}: {summary}")() == name
