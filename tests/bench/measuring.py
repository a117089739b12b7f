"""One measurement: a fresh store, a fresh receiver, a load; and what came of it."""

import asyncio
import json
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.load import UNANSWERED, WARM_UP_SERVICE, Job, Sent, accepted
from tests.bench.notifications import ALERT_NAMES
from tests.bench.receiving import Server, floor, receiver, running
from tests.bench.stored import stored
from tests.bench.stores import NewStore

WARM_UP = 200


@dataclass(frozen=True)
class Case:
    """What is measured. `limit_seconds` is when the load is given up."""

    target: str
    notifications: int
    connections: int
    limit_seconds: float
    most_alerts: int = len(ALERT_NAMES)


@dataclass(frozen=True)
class Measured:
    """The numbers of a case. Without an answer there are no times, without a store no incidents."""

    case: Case
    accepted_per_second: float
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    peak_memory_mib: float
    statuses: dict[str, int]
    incidents: int | None


async def measure_receiver(case: Case, new_store: NewStore) -> Measured:
    """Measure the receiver on an empty store."""
    with tempfile.TemporaryDirectory(prefix="runbook-bench-") as name:
        folder = Path(name)
        async with new_store(folder) as url:
            async with running(receiver(folder, url)) as server:
                sent = await _load(case, server)
                memory = server.peak_memory_mib()
            incidents = (await stored(url)).incidents
    incidents.pop(WARM_UP_SERVICE, None)
    return _measured(case, sent, memory, incidents.total())


async def measure_floor(case: Case) -> Measured:
    """Measure the same load on a server that does nothing."""
    with tempfile.TemporaryDirectory(prefix="runbook-bench-") as folder:
        async with running(floor(Path(folder))) as server:
            sent = await _load(case, server)
            return _measured(case, sent, server.peak_memory_mib(), None)


async def _load(case: Case, server: Server) -> Sent:
    job = Job(
        server.address, case.notifications, case.connections, WARM_UP, case.limit_seconds, case.most_alerts
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.load"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps(asdict(job)).encode())
    if process.returncode != 0:
        raise RuntimeError(f"the load process ended with exit code {process.returncode}")
    return Sent(**json.loads(output))


def _measured(case: Case, sent: Sent, memory: float, incidents: int | None) -> Measured:
    statuses = Counter("none" if status == UNANSWERED else str(status) for status in sent.statuses)
    times = sorted(sent.seconds)
    return Measured(
        case=case,
        accepted_per_second=sum(map(accepted, sent.statuses)) / sent.elapsed_seconds,
        p50_ms=_percentile(times, 50),
        p99_ms=_percentile(times, 99),
        max_ms=_percentile(times, 100),
        peak_memory_mib=memory,
        statuses=dict(statuses),
        incidents=incidents,
    )


def _percentile(ordered_seconds: list[float], percent: int) -> float | None:
    """The time that so many percent of the answers did not exceed, in milliseconds."""
    if not ordered_seconds:
        return None
    return ordered_seconds[-(-len(ordered_seconds) * percent // 100) - 1] * 1000
