"""What tests of every kind share."""

import gc
import logging
import os
import shutil
import signal
import sys
from collections.abc import Generator, Iterator
from glob import glob
from pathlib import Path

import certifi
import pytest
from hypothesis import HealthCheck, settings

from tests.fixtures.certificates import few_certificates

EXAMPLES = int(os.environ.get("RUNBOOK_EXAMPLES", "100"))
"""How many examples each property is tried on. `make test` asks for fewer, `make properties` for these;
`make fuzz-intake` asks for more of some."""

# Where a test sets no address, Prefect would start a server of its own for it, on this user's database.
os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "false"

# How fast examples are made is no matter of the code under test: other tests take the processor meanwhile.
settings.register_profile(
    "shared-machine",
    deadline=None,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("shared-machine")

pytest_plugins = (
    "tests.fixtures.sharing_out",
    "tests.fixtures.stores",
    "tests.fixtures.prefect_server",
    "tests.fixtures.engine",
    "tests.fixtures.postgres",
)


PROOFS = ("engine", "extensions", "real", "deployments/worker")
"""Folders whose tests are all proofs: they take seconds of real processes each. `make proofs` runs them."""

SERVER = "prefect_server"
"""The fixture of a real Prefect server. It takes half a minute of a core for each process of the tests, and a
core's share of each step that is retried there: a test that needs it is a proof, too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the proofs."""
    # Texts, since a comparison of paths takes seconds for ten thousand tests.
    folders = tuple(f"{Path(__file__).parent / folder}{os.sep}" for folder in PROOFS)
    for item in items:
        if str(item.path).startswith(folders) or SERVER in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.proof)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Have no garbage collected meanwhile, and then only what tests make: the rest stays until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_configure() -> None:
    """Before anything is collected."""
    # Tests start our programs a hundred times; without bytecode each, and each test, would be compiled anew.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Tests speak to loopback, mostly without TLS, but each httpx client reads all authorities: 20-30 ms. A
    # client that does not trust the environment asks certifi for them.
    os.environ.setdefault("SSL_CERT_FILE", few_certificates())
    certifi.where = few_certificates
    # Servers of tests outlive a test: whom they answer belongs into no other test's log.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    # SIGINT ends what tests start. What runs in a shell's background ignores it, with its children.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def same_umask() -> Iterator[None]:
    """A command called inside the test's process makes files private; later tests keep the umask they had."""
    before = os.umask(0o077)
    os.umask(before)
    yield
    os.umask(before)


DEBIAN_PACKAGES = {
    "amtool": "prometheus-alertmanager",
    "chromium": "chromium",
    "git": "git",
    "initdb": "postgresql",
    "kubectl": "kubernetes-client",
    "make": "make",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "promtool": "prometheus",
    "setpriv": "util-linux",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
}

OFF_PATH = "/usr/lib/postgresql/*/bin"
"""Where Debian keeps PostgreSQL's server programs, since several versions can be there at once."""


def find_binary(name: str) -> str | None:
    """The path of the program `name`, if it is there."""
    return shutil.which(name) or shutil.which(
        name, path=os.pathsep.join(sorted(glob(OFF_PATH), reverse=True))
    )


def require_binary(name: str) -> str:
    """The path of the program `name`, for tests against the real thing.

    Where it is missing the test is skipped, or fails if `RUNBOOK_REQUIRE_REAL=1` (as in CI), so that a
    machine that should have it cannot pass by skipping.
    """
    path = find_binary(name)
    if path is not None:
        return path
    reason = f"{name} is not there; Debian's package {DEBIAN_PACKAGES.get(name, name)} has it"
    if os.environ.get("RUNBOOK_REQUIRE_REAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
