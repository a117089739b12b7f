"""The test run itself: a test that is stuck or kills its process fails, and all the others still run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

STUCK_SECONDS = 3600

TESTS = f"""
import os, time
import pytest

@pytest.fixture
def hanging_teardown():
    yield
    time.sleep({STUCK_SECONDS})

@pytest.mark.parametrize("number", range(8))
def test_before(number): pass

def test_that_kills_its_process(): os._exit(1)

def test_that_swallows_its_timeout():
    while True:
        try:
            time.sleep({STUCK_SECONDS})
        except BaseException:
            pass

def test_that_fails_and_hangs(hanging_teardown): assert False

@pytest.mark.parametrize("number", range(8))
def test_after(number): pass

def test_at_the_end_that_kills_its_process(): os._exit(1)
"""

SETTINGS = "[pytest]\ntimeout = 1\nfaulthandler_timeout = 2\nfaulthandler_exit_on_timeout = true\n"


@pytest.mark.proof
def test_no_test_can_hold_up_the_run(tmp_path: Path) -> None:
    """More tests die than there are processes: each is failed once, with a traceback if it was stuck."""
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    (tmp_path / "test_trouble.py").write_text(TESTS)
    plugins = ("xdist.plugin", "pytest_timeout", "tests.fixtures.sharing_out")
    loaded = [f"-p{name}" for name in plugins]  # no others: they take long to import

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "--numprocesses", "2", "-rf", *loaded],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    failed = set(re.findall(r"(?m)^FAILED test_trouble.py::(\w+)", ended.stdout))
    assert failed, ended.stderr
    assert failed == {
        "test_that_kills_its_process",
        "test_that_swallows_its_timeout",
        "test_that_fails_and_hangs",
        "test_at_the_end_that_kills_its_process",
    }
    assert re.search(r"16 passed", ended.stdout), ended.stdout
    assert "in test_that_swallows_its_timeout" in ended.stderr
    assert "in hanging_teardown" in ended.stderr
