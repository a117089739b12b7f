"""What people type into Prefect's form is checked and named without being quoted."""

from typing import Any

import pytest
from pydantic import ValidationError

from flows import parameters
from flows.parameters import MAX_RUN_NAME, run_name
from flows.respond import respond

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


@pytest.mark.parametrize(
    "wrong",
    [
        {"severity": KEY},
        {"service": ""},
        {"service": KEY * 20},
        {"dry_run": KEY},
        {"summary": {"text": KEY}},
    ],
    ids=str,
)
async def test_a_wrong_parameter_is_refused_without_being_quoted(wrong: dict[str, Any]) -> None:
    """The error is in the run's state and log, where anybody reads it."""
    with pytest.raises(ValidationError) as refused:
        await respond.fn(**wrong)
    assert next(iter(wrong)) in str(refused.value)
    assert KEY[:6] not in str(refused.value)
