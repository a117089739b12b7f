"""How many alerts the receiver takes, how fast it answers, and whether a crash costs any.

    python -m tests.bench.intake --help

The numbers are of this machine; the floor beside them, a server that does nothing, shows how fast it is.
Prefect is down meanwhile, as it may well be when alerts storm in.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.crashes import Survived, survive
from tests.bench.measuring import Case, Measured, measure_floor, measure_receiver
from tests.bench.notifications import ALERT_NAMES, SERVICES
from tests.bench.stores import NewStore, postgresql, sqlite

STORES = ("sqlite", "postgresql")
FLOOR = "nothing (floor)"

_CRASH_CONNECTIONS = 16
_NOTIFICATIONS_PER_CRASH = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report. Returns 1 where an incident is missing or too many, or a crash lost an alert."""
    chosen = _parser().parse_args(arguments)
    console = Console(stderr=True)
    try:
        measured, survived = asyncio.run(_bench(chosen, console))
    except FileNotFoundError as error:
        console.print(str(error))
        return 1
    report = Console(width=None if sys.stdout.isatty() else 140)
    report.print(_measured_table(measured))
    if survived:
        report.print(_survived_table(survived))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(_as_json(measured, survived), indent=2) + "\n")
    right = all(item.incidents in (None, len(SERVICES)) for item in measured)
    return 0 if right and all(item.sound for item in survived) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench-intake ARGS=…", description=__doc__.splitlines()[0])
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES, help="databases to measure on")
    parser.add_argument("--notifications", nargs="+", type=int, default=(1_000, 10_000), metavar="N")
    parser.add_argument("--connections", nargs="+", type=int, default=(16, 256), metavar="C")
    parser.add_argument(
        "--alerts", type=int, default=len(ALERT_NAMES), help="alerts of a notification at the most"
    )
    parser.add_argument("--crashes", type=int, default=10, help="how often the receiver is killed; 0: never")
    parser.add_argument("--seed", type=int, default=7, help="of the moments at which it is killed")
    parser.add_argument("--limit-seconds", type=float, default=300.0, help="when a load is given up")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there, too")
    return parser


async def _bench(chosen: argparse.Namespace, console: Console) -> tuple[list[Measured], list[Survived]]:
    measured, survived = [], []
    async with AsyncExitStack() as stack:
        stores: dict[str, NewStore] = {"sqlite": sqlite}
        if "postgresql" in chosen.stores:
            stores["postgresql"] = await stack.enter_async_context(postgresql())
        for notifications in chosen.notifications:
            for connections in chosen.connections:
                for target in (FLOOR, *chosen.stores):
                    console.print(f"{notifications} notifications, {connections} connections, {target}")
                    case = Case(target, notifications, connections, chosen.limit_seconds, chosen.alerts)
                    new_store = stores.get(target)
                    measured.append(
                        await (measure_receiver(case, new_store) if new_store else measure_floor(case))
                    )
        for target in chosen.stores if chosen.crashes else ():
            console.print(f"{chosen.crashes} crashes, {target}")
            survived.append(
                await survive(
                    target,
                    stores[target],
                    notifications=_NOTIFICATIONS_PER_CRASH * chosen.crashes,
                    crashes=chosen.crashes,
                    connections=_CRASH_CONNECTIONS,
                    seed=chosen.seed,
                )
            )
    return measured, survived


def _measured_table(measured: Sequence[Measured]) -> Table:
    table = Table(title="Alert intake")
    for heading in (
        *("store", "sent", "connections", "accepted/s", "of floor", "p50 ms", "p99 ms", "max ms"),
        *("peak MiB", "answers", "incidents"),
    ):
        table.add_column(heading, justify="left" if heading in ("store", "answers") else "right")
    floors = {
        (item.case.notifications, item.case.connections): item.accepted_per_second
        for item in measured
        if item.case.target == FLOOR
    }
    for item in measured:
        case = item.case
        table.add_row(
            case.target,
            f"{case.notifications:,}",
            str(case.connections),
            f"{item.accepted_per_second:,.0f}",
            f"{item.accepted_per_second / floors[case.notifications, case.connections]:.1%}",
            *("-" if time is None else f"{time:,.1f}" for time in (item.p50_ms, item.p99_ms, item.max_ms)),
            f"{item.peak_memory_mib:.0f}",
            ", ".join(f"{number:,} x {status}" for status, number in sorted(item.statuses.items())),
            "-" if item.incidents is None else str(item.incidents),
        )
    return table


def _survived_table(survived: Sequence[Survived]) -> Table:
    table = Table(title="Killed under load")
    for heading in (
        "store",
        "crashes",
        "sent",
        "accepted",
        "lost",
        "received again",
        "incidents per service",
    ):
        table.add_column(heading, justify="left" if heading == "store" else "right")
    for item in survived:
        table.add_row(
            item.target,
            str(item.crashes),
            f"{item.sent:,}",
            f"{item.accepted:,}",
            str(item.lost),
            str(item.received_again),
            ", ".join(
                f"{number} ({services} services)" for number, services in item.incidents_per_service.items()
            ),
        )
    return table


def _as_json(measured: Sequence[Measured], survived: Sequence[Survived]) -> dict[str, object]:
    return {
        "machine": {
            "processors": os.cpu_count(),
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
        "measured": [asdict(item) for item in measured],
        "survived": [asdict(item) | {"sound": item.sound} for item in survived],
    }


if __name__ == "__main__":
    sys.exit(main())
