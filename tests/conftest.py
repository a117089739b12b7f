"""What tests of every kind share."""

import os
import shutil
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # xdist has no types

# How fast examples are made is no matter of the code under test: other tests take the processor meanwhile.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")

pytest_plugins = ("tests.fixtures.prefect_server", "tests.fixtures.engine")

DEBIAN_PACKAGES = {
    "amtool": "prometheus-alertmanager",
    "chromium": "chromium",
    "git": "git",
    "kubectl": "kubernetes-client",
    "make": "make",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "promtool": "prometheus",
}


def require_binary(name: str) -> str:
    """The path of the program `name`, for tests against the real thing.

    Where it is missing the test is skipped, or fails if `RUNBOOK_REQUIRE_REAL=1` (as in CI), so that a
    machine that should have it cannot pass by skipping.
    """
    path = shutil.which(name)
    if path is not None:
        return path
    reason = f"{name} is not on PATH; Debian's package {DEBIAN_PACKAGES.get(name, name)} has it"
    if os.environ.get("RUNBOOK_REQUIRE_REAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


ONE_PROCESS = ("tests/deployments/test_cli_drill.py",)
"""Files whose tests share something that takes most of a minute to make."""


class SharedOut(LoadScopeScheduling):  # type: ignore[misc]
    """Each test goes to the process that is free; those of a file that shares something stay together.

    xdist's own groups are not used: they change a test's id, which pytest 9.2 does not let them.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((file for file in ONE_PROCESS if nodeid.startswith(file)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedOut:
    """xdist's hook: who runs which test."""
    return SharedOut(config, log)
