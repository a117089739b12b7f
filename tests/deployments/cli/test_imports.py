"""What a command imports, since that is most of its time: nothing that its answer does not need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployments.cli.test_gates import asking
from tests.deployments.cli_store import store_in
from tests.runbook.approvals_samples import MEMORY

SYSTEMS = (
    "prefect",
    "kubernetes",
    "slack_sdk",
    "apprise",
    "matplotlib",
    "fastapi",
    "alembic",
    "httpx",
    "jwt",
)
"""What reading an incident does not need: it speaks to no system, and checks no signature."""

EVERYTHING = (*SYSTEMS, "runbook", "blocks", "tasks", "pydantic", "sqlalchemy")
"""What no page of help needs."""

PROGRAM = """
import sys
from deployments.cli.app import main
code = main(sys.argv[2:])
print("imported:", *sorted(set(sys.argv[1].split(",")) & set(sys.modules)))
print("ended:", code)
"""


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with an incident that waits for an answer."""
    store_in(tmp_path, monkeypatch).open("0001", asking(MEMORY))


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize(
    ("unneeded", "code", "command"),
    [
        (EVERYTHING, 0, ("--help",)),
        (EVERYTHING, 0, ("approve", "--help")),
        (SYSTEMS, 0, ("incidents",)),
        (SYSTEMS, 0, ("incident", "latest")),
        (SYSTEMS, 0, ("incident", "latest", "--full")),
        (SYSTEMS, 0, ("incident", "latest", "--json")),
        (SYSTEMS, 3, ("approve", "nothing")),
        (SYSTEMS, 3, ("note", "nothing", "hello")),
        (SYSTEMS, 2, ("incidents", "--since", "never")),
        (SYSTEMS, 2, ("incidents", "--config", "missing.toml")),
        (SYSTEMS, 2, ("nonsense",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) and value[0] not in EVERYTHING else "",
)
def test_a_command_imports_what_it_needs(
    unneeded: tuple[str, ...], code: int, command: tuple[str, ...]
) -> None:
    """Prefect alone takes longer to import than a command may take."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(unneeded), *command],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert run.stdout.splitlines()[-2:] == ["imported:", f"ended: {code}"], run.stderr


def test_without_any_server_prefect_is_not_asked_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error that a newcomer meets first comes at once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PREFECT_API_URL", "RUNBOOK_CONFIG", "RUNBOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(SYSTEMS), "incidents"],
        capture_output=True,
        check=False,
        text=True,
        env=environment,
        timeout=60,
    )
    assert run.stdout.splitlines() == ["imported:", "ended: 2"]
    assert "no Prefect server is named" in run.stderr
