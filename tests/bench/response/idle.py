"""What `runbook up` takes of a machine while nothing happens."""

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deployments.processes.process import Process, free_port
from deployments.settings.settings import DEFAULT_CONFIG
from tests.engine.processes import children

SETTLED_SECONDS = 30.0
"""How long after its start it is left alone: the first looks and schedules are over then."""

STARTED_WITHIN_SECONDS = 120.0


@dataclass(frozen=True)
class Idle:
    """Over so many seconds: the part of one processor, and memory in MiB that is shared counted in parts."""

    seconds: float
    of_one_processor: float
    memory_mib: float
    processes: int


async def measure_idle(folder: Path, seconds: float) -> Idle:
    """Start everything in a folder, wait until it has settled, and measure it for so long.

    Raises:
        RuntimeError: it did not start.
        TimeoutError: it did not start in time.
    """
    settings = (
        f"[prefect]\nport = {free_port()}\n[receiver]\nport = {free_port()}\n"
        '[integration]\nhealth_url = "http://127.0.0.1:9"\n'
    )
    (folder / DEFAULT_CONFIG).write_text(settings)
    runbook = str(Path(sys.executable).parent / "runbook")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    process = await Process.start(
        "runbook up", ["env", "-C", folder, runbook, "up"], log=folder / "log", environment=environment
    )
    try:
        async with asyncio.timeout(STARTED_WITHIN_SECONDS):
            while "Ready." not in (said := (folder / "log").read_text()):
                if "error:" in said:
                    raise RuntimeError(f"`runbook up` did not start: {said.strip()[-500:]}")
                await asyncio.sleep(0.5)
        await asyncio.sleep(SETTLED_SECONDS)
        begun, before = time.monotonic(), _processor_seconds(process.pid)
        await asyncio.sleep(seconds)
        elapsed = time.monotonic() - begun
        used = _processor_seconds(process.pid) - before
        memory = sum(map(_memory_mib, family(process.pid)))
        return Idle(elapsed, used / elapsed, memory, len(family(process.pid)))
    finally:
        await process.stop()


def family(pid: int) -> list[int]:
    """A process with all that it and they have started."""
    return [pid, *(each for child in children(pid) for each in family(child))]


def _processor_seconds(pid: int) -> float:
    """Of it and all that it has started, also of those that have ended meanwhile and were waited for."""
    ticks = os.sysconf("SC_CLK_TCK")
    used = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        used += sum(map(int, fields[11:15]))
    return used / ticks


def _memory_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
