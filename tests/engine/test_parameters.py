"""A run with a wrong parameter fails, and says which without quoting it."""

from typing import Any

import pytest
from prefect.client.schemas.objects import State

from flows.respond import respond

KEY = "phx_canary0Q7zX4bV9nM2kL8"


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
@pytest.mark.usefixtures("prefect_api")
async def test_a_wrong_parameter_is_refused_without_being_quoted(wrong: dict[str, Any]) -> None:
    """The error is in the run's state and log, where anybody reads it."""
    state: State[Any] = await respond(**wrong, return_state=True)
    assert state.is_failed()
    assert next(iter(wrong)) in str(state.message)
    assert KEY[:6] not in str(state.message)
