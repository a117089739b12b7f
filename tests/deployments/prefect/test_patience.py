"""How Prefect's clients wait for a server that is away."""

import anyio
import pytest
from prefect import settings
from prefect.client import base
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import PrefectHTTPStatusError
from prefect.utilities.math import clamped_poisson_interval
from pytest_httpserver import HTTPServer

from deployments.prefect.patience import LONGEST_SECONDS, come_back_soon

ATTEMPTS = 14
JITTER = 0.2


async def test_the_pause_between_attempts_stops_growing(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy answers for a server that is away: pauses double at first, up to the longest and its jitter."""
    httpserver.expect_request("/api/hello").respond_with_data("", 502)
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(anyio, "sleep", note)
    monkeypatch.setattr(base, "clamped_poisson_interval", clamped_poisson_interval)  # it is put back then
    come_back_soon()
    patient = {
        settings.PREFECT_CLIENT_MAX_RETRIES: ATTEMPTS,
        settings.PREFECT_CLIENT_RETRY_JITTER_FACTOR: JITTER,
    }
    with settings.temporary_settings(patient), pytest.raises(PrefectHTTPStatusError):
        async with PrefectClient(api=httpserver.url_for("/api")) as client:
            await client.hello()
    assert len(pauses) == ATTEMPTS + 1  # after the last answer it waits as well
    assert pauses[0] <= 2 * (1 + JITTER)
    assert min(pauses[4:]) >= LONGEST_SECONDS * (1 - JITTER)
    assert max(pauses) <= LONGEST_SECONDS * (1 + JITTER)
