from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.context import SettingsContext, get_settings_context
from pytest_httpserver import HTTPServer

from tests.deployments.cli_store import Store, store_in
from tests.deployments.people_bench import elsewhere, kept, lasting_receiver, receiver
from tests.deployments.slack_bench import chat
from tests.deployments.sleeping_run import FakePrefect
from tests.deployments.worker_bench import bench

__all__ = ["bench", "chat", "elsewhere", "kept", "lasting_receiver", "receiver"]  # fixtures, found here


@pytest.fixture
def prefect(httpserver: HTTPServer) -> Iterator[FakePrefect]:
    """A Prefect server whose run waits at the gate."""
    fake = FakePrefect(httpserver)
    # Not `temporary_settings`: it reads and checks every setting of Prefect anew, 40 ms for each test.
    known = get_settings_context()
    settings = known.settings.model_copy(
        update={"api": known.settings.api.model_copy(update={"url": fake.url})}
    )
    with SettingsContext(profile=known.profile, settings=settings):
        yield fake


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, named by the runbook.toml of the folder that the commands run in."""
    return store_in(tmp_path, monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where a settings file is expected."""
    return tmp_path / "runbook.toml"
