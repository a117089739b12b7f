"""What a command costs: the time of `--help`, and processor time of what people type in an incident."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deployments.settings.settings import DEFAULT_CONFIG
from tests.deployments.cli.test_gates import asking
from tests.deployments.cli_store import Store
from tests.runbook.approvals_samples import MEMORY

RUNBOOK = str(Path(sys.executable).parent / "runbook")
INCIDENTS = 5

COMMANDS: dict[str, tuple[tuple[str, ...], int]] = {
    "runbook --help": (("--help",), 0),
    "runbook incidents": (("incidents",), 0),
    "runbook incident latest": (("incident", "latest"), 0),
    "runbook approve (no such incident)": (("approve", "nothing"), 3),
    "runbook health": (("health",), 1),
    "runbook (no such command)": (("nothing",), 2),
}
"""Each with its arguments, and the exit code that it ends with here."""


@dataclass(frozen=True)
class Run:
    """What a command took: seconds from its start to its end, and seconds of a processor."""

    command: str
    seconds: float
    processor_seconds: float


def measure_commands(folder: Path, rounds: int) -> list[Run]:
    """Run each command so many times, in turn, in a folder with a store of a few incidents.

    Raises:
        RuntimeError: one ended in another way than it should.
    """
    settings = '[store]\nurl = "sqlite+aiosqlite:///incidents.db"\n[integration]\nhealth_url = "http://127.0.0.1:9"\n'
    (folder / DEFAULT_CONFIG).write_text(settings)
    store = Store(folder)
    for number in range(1, INCIDENTS + 1):
        store.open(f"{number:04x}", asking(MEMORY))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return [
        _run(name, arguments, code, folder, environment)
        for _ in range(rounds)
        for name, (arguments, code) in COMMANDS.items()
    ]


def _run(name: str, arguments: tuple[str, ...], code: int, folder: Path, environment: dict[str, str]) -> Run:
    begun = time.monotonic()
    with subprocess.Popen(
        [RUNBOOK, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        raise RuntimeError(f"{name} ended with {process.returncode}, not {code}: {said.strip()[-300:]}")
    return Run(name, time.monotonic() - begun, used.ru_utime + used.ru_stime)
