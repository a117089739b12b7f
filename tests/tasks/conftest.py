"""What tests of steps share."""

from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from deployments.prefect_server import PrefectServer


@pytest.fixture
def engineless(prefect_api: PrefectServer) -> Iterator[PrefectServer]:
    """The Prefect server for steps outside of a flow run, whose logs it would not take."""
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: False}):
        yield prefect_api
