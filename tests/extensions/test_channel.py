"""A channel is added by new files and two lines of one that is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import require_binary

ROOT = Path(__file__).parents[2]
ADDED = Path(__file__).parent / "channel"
EDITS = ADDED / "registry.diff"
PARTS = ("runbook", "blocks", "tasks", "flows", "deployments", "tests")


@pytest.fixture
def extended(tmp_path: Path) -> Path:
    """A copy of the project to which the channel was added as a contributor adds it."""
    require_binary("git")
    leave_out = shutil.ignore_patterns("__pycache__", "extensions", "bench")
    for part in PARTS:
        shutil.copytree(ROOT / part, tmp_path / part, ignore=leave_out)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    there = [path for path in added() if (tmp_path / path).exists()]
    assert there == [], "a new channel needs no file of another one"
    shutil.copytree(
        ADDED, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.diff")
    )
    subprocess.run(["git", "apply", str(EDITS)], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def added() -> list[Path]:
    """The new files, as paths in the project."""
    files = (path for path in ADDED.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path.relative_to(ADDED) for path in files if path != EDITS)


def test_it_takes_a_block_templates_an_imitation_a_test_and_two_lines() -> None:
    """No other layer knows a channel by its name."""
    assert [str(path) for path in added() if path.suffix == ".py"] == [
        "blocks/channels/mattermost.py",
        "deployments/drill/world/channels/mattermost.py",
        "tests/tasks/channels/test_mattermost.py",
    ]
    templates = {path.name.partition(".")[0] for path in added() if path.suffix == ".j2"}
    slack = {path.name.partition(".")[0] for path in (ROOT / "runbook" / "templates").glob("*.slack.j2")}
    assert templates == slack
    lines = EDITS.read_text().splitlines()
    assert [line for line in lines if line.startswith("+++")] == ["+++ b/blocks/channels/registry.py"]
    assert [line[1:] for line in lines if line.startswith(("+", "-")) and line[1:2] not in "+-"] == [
        "from blocks.channels.mattermost import Mattermost",
        '    "mattermost": Mattermost,',
    ]


@pytest.mark.timeout(300)
def test_an_incident_is_told_in_the_new_channel(extended: Path) -> None:
    """Its own test and that of all blocks pass in a project that has it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider"),
            "tests/tasks/channels/test_mattermost.py",
            "tests/blocks/test_block_types.py",
        ],
        check=False,
        cwd=extended,
        env=environment | {"PYTHONPATH": str(extended)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "mattermost" not in {path.stem for path in (ROOT / "blocks" / "channels").glob("*.py")}
