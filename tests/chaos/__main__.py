"""Kill the runbook everywhere, and count from the outside what was done twice, lost or left behind.

    python -m tests.chaos --points 40
    python -m tests.chaos --only "email|teams|file|status-page|PublicText" --blows "SIGKILL flow"

Each point is a moment of a response before or after an entry of its journal, thus before, in and after every
step and effect. At each one a real process is killed: the run, its worker, the receiver, Prefect's server.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from blocks.transport.errors import OutsideError
from tests.chaos.cases import Result, counted, passed_points, strike_at
from tests.chaos.seen import Seen
from tests.chaos.stage import Blow, Stage, stage

LEFT_OUT = shutil.ignore_patterns("secrets", "kubeconfig*", "*.sock", "*.wake")


def main(arguments: Sequence[str] | None = None) -> int:
    """Strike and report. Returns 1 where anything was done twice, lost or left behind."""
    parser = argparse.ArgumentParser(prog="make chaos ARGS=…", description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=40, help="moments of the response (default: 40)")
    parser.add_argument("--blows", nargs="+", type=Blow, choices=list(Blow), default=list(Blow))
    parser.add_argument(
        "--only", type=re.compile, default=re.compile(""), metavar="REGEX", help="only points that match"
    )
    parser.add_argument("--skip", type=int, default=0, help="cases to leave out, to go on where one stopped")
    parser.add_argument(
        "--share", default="1/1", metavar="I/N", help="only every Nth case, to run N of these side by side"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep stores and logs there where something was wrong"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    chosen = parser.parse_args(arguments)
    results = asyncio.run(_chaos(chosen, Console(stderr=True)))
    report = Console(width=None if sys.stdout.isatty() else 160)
    report.print(table(results))
    total = counted(results)
    report.print(
        f"{len(results)} cases: effects done twice: {total['twice']}, lost: {total['lost']}, "
        f"runs stranded: {total['stranded']}"
    )
    if chosen.json is not None:
        found = {
            "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
            "results": [asdict(result) for result in results],
        }
        chosen.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if all(result.sound for result in results) else 1


def spread(points: list[str], number: int) -> list[str]:
    """So many of the points, evenly over the response."""
    if number >= len(points):
        return points
    return [points[round(index * (len(points) - 1) / max(1, number - 1))] for index in range(number)]


def in_rounds(points: list[str], blows: list[Blow]) -> list[tuple[str, Blow]]:
    """Every point with every blow; each round takes all points, so what is cut short saw them all."""
    return [
        (point, blows[(index + turn) % len(blows)])
        for turn in range(len(blows))
        for index, point in enumerate(points)
    ]


def table(results: list[Result]) -> Table:
    """A row for each point, a column for each blow."""
    found = Table("Point", *(blow.value for blow in Blow), title="Twice / lost / stranded, and seconds")
    for point in dict.fromkeys(result.point for result in results):
        row = {result.blow: result for result in results if result.point == point}
        found.add_row(point, *(_cell(row.get(blow)) for blow in Blow))
    return found


def _cell(result: Result | None) -> str:
    if result is None:
        return "-"
    mark = "ok" if result.sound else "[bold red]NOT OK[/]"
    calls = f", called {len(result.called)}" if result.called else ""
    stranded = int(bool(result.stranded))
    counts = f"{len(result.twice)}/{len(result.lost)}/{stranded}"
    return f"{mark} {counts} {result.seconds:.0f} s{calls}"


async def _chaos(chosen: argparse.Namespace, console: Console) -> list[Result]:
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="runbook-chaos-") as name:
        folder = Path(name)
        async with stage(folder / "stage") as here:
            points, expected = await passed_points(here, _new(folder, 0))
            picked = spread([point for point in points if chosen.only.search(point)], chosen.points)
            console.print(
                f"{len(points)} points in a response; {len(picked)} of them, {len(chosen.blows)} blows each"
            )
            cases = in_rounds(picked, chosen.blows)
            share, shares = map(int, chosen.share.split("/"))
            for number, (point, blow) in enumerate(cases, start=1):
                if number <= chosen.skip or number % shares != share % shares:
                    continue
                result = await _struck(here, _new(folder, number), point, blow, expected)
                results.append(result)
                console.print(f"{number}/{len(cases)} {point}, {blow}: {_cell(result)}")
                for text in (*result.twice, *result.lost, result.stranded, *result.called):
                    if text:
                        console.print(f"    {text}", highlight=False, markup=False)
                if not result.sound and chosen.keep is not None:
                    shutil.copytree(folder, chosen.keep / f"{number}", ignore=LEFT_OUT)
    return results


async def _struck(here: Stage, folder: Path, point: str, blow: Blow, expected: Seen) -> Result:
    try:
        return await strike_at(here, folder, point, blow, expected)
    except (AssertionError, LookupError, TimeoutError, OutsideError) as error:
        return Result(point, blow, (), (), f"{type(error).__name__}: {error}", 0, (), 0.0)


def _new(folder: Path, number: int) -> Path:
    """A folder for a case; its name is its environment's in Prefect."""
    made = folder / f"case-{number}"
    made.mkdir()
    return made


if __name__ == "__main__":
    sys.exit(main())
