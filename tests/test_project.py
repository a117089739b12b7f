"""The project's own promises: its lock, its Makefile, its change log, its wheel and its console script."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require_binary

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"

# In pieces, so that this file does not name a host either.
INDEX_HOSTS = re.compile(r"\b(?:pypi|pythonhosted|npmjs|debian)" + r"\.(?:org|com)\b")
PINNED = re.compile(r"[\w.\[\], -]+==\S+ .*--hash=sha256:[0-9a-f]{64}")


def project() -> dict[str, Any]:
    """The `[project]` table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def text_files() -> list[Path]:
    """The files of the project that hold text, tracked or about to be."""
    git = require_binary("git")
    listed = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


def requirements() -> list[str]:
    """The lock's entries, each with its continuation lines."""
    return re.sub(r"\\\n\s*", "", LOCK.read_text()).splitlines()


def test_the_lock_pins_every_package_with_a_hash() -> None:
    """An entry is one exact version, and says what its file must hash to."""
    assert len(requirements()) > 50
    assert [line for line in requirements() if not PINNED.match(line)] == []


def test_the_lock_has_no_address() -> None:
    """Where packages come from is the machine's to say."""
    options_and_urls = re.compile(r"(?m)^\s*--?(?!hash=)\w.*$|\S*://\S*")
    assert options_and_urls.findall(LOCK.read_text()) == []


def test_the_lock_has_every_direct_dependency() -> None:
    """A dependency that was added to the project was locked too."""
    names = {re.split(r"[=\[]", line)[0] for line in requirements()}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = settings["project"]["dependencies"] + settings["dependency-groups"]["dev"]
    assert {re.split(r"[^\w.-]", name)[0].lower() for name in wanted} - names == set()


def test_no_file_names_a_package_index() -> None:
    """No file of the project holds the host of a package index."""
    named = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in text_files()
        for match in INDEX_HOSTS.finditer(path.read_text(errors="replace"))
    ]
    assert named == []


def test_the_change_log_tells_of_this_version() -> None:
    """The first release in the change log is the version of the project."""
    releases = re.findall(r"(?m)^## \[(\d[^\]]*)\] - \d{4}-\d{2}-\d{2}$", (ROOT / "CHANGELOG.md").read_text())
    assert releases[0] == project()["version"]


def test_make_alone_lists_every_target() -> None:
    """`make` prints each phony target with its description, and does nothing else."""
    listing = subprocess.run(
        [require_binary("make")], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    phony = {
        target
        for line in re.findall(r"(?m)^\.PHONY:(.*)$", (ROOT / "Makefile").read_text())
        for target in line.split()
    }
    described = dict(re.findall(r"(?m)^  ([\w-]+) +(\S.*)$", listing))
    assert {"setup", "drill", "test", "bench-intake", "lint", "fmt", "types", "lock", "clean"} <= phony
    assert described.keys() == phony


def test_make_refuses_a_python_that_does_not_fit(tmp_path: Path) -> None:
    """A Python that is too old is refused in one line that says what is needed."""
    old = tmp_path / "python3.10"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_text((ROOT / name).read_text())

    result = subprocess.run(
        [require_binary("make"), "setup", f"PYTHON={old}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode != 0
    assert result.stderr.splitlines()[0] == f"Python 3.11, 3.12 or 3.13 with venv is needed; tried: {old}"
    assert not (tmp_path / ".venv").exists()


def test_the_console_script_answers() -> None:
    """`runbook --help` runs from the environment that the project is installed in."""
    [script] = entry_points(group="console_scripts", name="runbook")
    assert script.value == project()["scripts"]["runbook"]
    installed = Path(sys.executable).parent / "runbook"
    answer = subprocess.run([installed, "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "drill" in answer.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from the source tree."""
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    [built] = target.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_file_of_the_packages(wheel: set[str]) -> None:
    """Templates, scenarios and manifests are installed beside the code that reads them."""
    packages = ("runbook", "blocks", "tasks", "flows", "deployments")
    names = {path.relative_to(ROOT).as_posix() for path in text_files()}
    assert {name for name in names if name.split("/")[0] in packages} <= wheel


def test_the_wheel_leaves_the_tests_out(wheel: set[str]) -> None:
    """What is deployed holds no tests."""
    assert not {name for name in wheel if name.startswith("tests/")}


@pytest.mark.parametrize(("required", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_program_fails_only_where_it_is_required(
    required: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A machine that must have the real programs fails without one; another skips. Both name the package."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("RUNBOOK_REQUIRE_REAL", required)
    with pytest.raises(outcome, match="kubernetes-client"):
        require_binary("kubectl")
