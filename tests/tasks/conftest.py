"""What tests of steps share."""

from collections.abc import Iterator

import pytest
from prefect.context import SettingsContext, get_settings_context
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED

from deployments.prefect.server import PrefectServer
from tests.fixtures.prefect_server import speaking_to


@pytest.fixture(scope="session")
def settings_without_engine(prefect_server: PrefectServer) -> SettingsContext:
    """Settings for steps outside of a flow run, whose logs the server would not take.

    Made once: Prefect takes as long to check its settings as a whole change takes to be made.
    """
    with speaking_to(prefect_server, {PREFECT_LOGGING_TO_API_ENABLED: False}):
        return get_settings_context()


@pytest.fixture
def engineless(
    prefect_server: PrefectServer, settings_without_engine: SettingsContext
) -> Iterator[PrefectServer]:
    """The Prefect server for steps outside of a flow run."""
    known = settings_without_engine
    with SettingsContext(profile=known.profile, settings=known.settings):
        yield prefect_server
