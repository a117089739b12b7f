"""How soon a verdict is there after an alert, a change after a yes, and the answer of a command.

    python -m tests.bench.response --help

What a person with a script needs for the checks alone is measured in the same run, since the numbers are of
this machine and of what else it does.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.response.answers import SURFACES, Request, measure_answer
from tests.bench.response.commands import Run, measure_commands
from tests.bench.response.house import house, running_engine
from tests.bench.response.idle import Idle, measure_idle
from tests.bench.response.verdicts import Verdict, measure_verdicts

ROUNDS = 15
OVER_THE_SLOWEST = "alert → verdict, over its slowest check"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and write it where it is wanted."""
    chosen = _parser().parse_args(arguments)
    console = Console(stderr=True)
    verdicts, requests = asyncio.run(_measure(chosen, console))
    rows = _rows(verdicts, requests) | _command_rows(_commands(chosen.commands, console))
    idle = _idle(chosen.idle, console)
    report = Console(width=None if sys.stdout.isatty() else 110)
    report.print(_table(rows))
    if idle is not None:
        report.print(
            f"`runbook up` with nothing to do, for {idle.seconds:.0f} s: {idle.of_one_processor:.1%} of one"
            f" processor, {idle.memory_mib:.0f} MiB in {idle.processes} processes"
        )
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(_as_json(rows, idle), indent=2, ensure_ascii=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="alerts (default: 15)")
    parser.add_argument(
        "--answers", type=int, default=ROUNDS, metavar="N", help="answers by each way (default: 15)"
    )
    parser.add_argument(
        "--commands", type=int, default=ROUNDS, metavar="N", help="runs of each command (default: 15)"
    )
    parser.add_argument(
        "--idle", type=float, default=60, metavar="SECONDS", help="how long nothing happens (default: 60)"
    )
    parser.add_argument("--stock-worker", action="store_true", help="with Prefect's own worker")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, too")
    return parser


def _commands(rounds: int, console: Console) -> list[Run]:
    if not rounds:
        return []
    console.print(f"{rounds} runs of each command")
    with tempfile.TemporaryDirectory(prefix="runbook-bench-") as name:
        return measure_commands(Path(name), rounds)


def _idle(seconds: float, console: Console) -> Idle | None:
    if not seconds:
        return None
    console.print(f"{seconds:g} s of `runbook up` with nothing to do")
    with tempfile.TemporaryDirectory(prefix="runbook-bench-") as name:
        return asyncio.run(measure_idle(Path(name), seconds))


def _command_rows(runs: list[Run]) -> dict[str, list[float]]:
    """The seconds of a processor of each command; of `--help`, from its start to its end."""
    rows: dict[str, list[float]] = {}
    for run in runs:
        helps = run.command.endswith("--help")
        name = run.command if helps else f"{run.command}, of a processor"
        rows.setdefault(name, []).append(run.seconds if helps else run.processor_seconds)
    return rows


async def _measure(chosen: argparse.Namespace, console: Console) -> tuple[list[Verdict], list[Request]]:
    with tempfile.TemporaryDirectory(prefix="runbook-bench-") as name:
        folder = Path(name)
        async with running_engine(folder / "engine", stock_worker=chosen.stock_worker) as engine:
            verdicts = list[Verdict]()
            if chosen.rounds:
                async with house(engine, folder / "verdicts") as one:
                    console.print(f"{chosen.rounds} alerts")
                    verdicts = await measure_verdicts(one, chosen.rounds)
            requests = []
            for number in range(chosen.answers * len(SURFACES)):
                surface = SURFACES[number % len(SURFACES)]
                console.print(f"answer {number + 1}: {surface}")
                async with house(engine, folder / f"answer-{number}") as one:
                    requests.append(await measure_answer(one, surface))
    return verdicts, requests


def _rows(verdicts: list[Verdict], requests: list[Request]) -> dict[str, list[float]]:
    """The seconds of each thing that was measured."""
    rows = {
        "alert → verdict in the journal": [it.verdict for it in verdicts],
        "alert → verdict in Prefect": [it.in_prefect for it in verdicts],
        "the slowest check of the triage": [it.slowest_check for it in verdicts],
        OVER_THE_SLOWEST: [it.verdict - it.slowest_check for it in verdicts],
        "the slowest check, alone": [it.alone for it in verdicts],
        "the four commands in a shell": [it.script for it in verdicts if it.script is not None],
    }
    for surface in SURFACES:
        rows[f"yes by {surface} → request"] = [it.seconds for it in requests if it.surface == surface]
    clicks = [it.clicked for it in requests if it.clicked is not None]
    rows["click in Slack → the message shows the answer"] = [it.shown for it in clicks]
    rows["click in Slack → change at the cluster"] = [it.changed for it in clicks]
    return {name: seconds for name, seconds in rows.items() if seconds}


def _table(rows: dict[str, list[float]]) -> Table:
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    table = Table(title=f"{os.cpu_count()} processors, load {load}")
    for heading in ("seconds", "n", "median", "min", "max"):
        table.add_column(heading, justify="left" if heading == "seconds" else "right")
    for name, seconds in rows.items():
        numbers = (median(seconds), min(seconds), max(seconds))
        table.add_row(name, str(len(seconds)), *(f"{number:.2f}" for number in numbers))
    return table


def _as_json(rows: dict[str, list[float]], idle: Idle | None) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processors": os.cpu_count(),
            "kernel": platform.release(),
            "python": platform.python_version(),
            "load": os.getloadavg(),
        },
        "seconds": {
            name: {
                "n": len(seconds),
                "median": round(median(seconds), 3),
                "min": round(min(seconds), 3),
                "max": round(max(seconds), 3),
            }
            for name, seconds in rows.items()
        },
        "idle": None if idle is None else asdict(idle),
    }


if __name__ == "__main__":
    sys.exit(main())
