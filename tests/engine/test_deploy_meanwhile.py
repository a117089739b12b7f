"""A new release is deployed while a run sleeps at its gate: the run goes on under the new code."""

import asyncio
import re
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deployments.prefect.server import PrefectServer
from deployments.processes.process import Process
from runbook.incidents.events import ApprovalRequested, IncidentEscalated
from runbook.incidents.state import IncidentOutcome
from tests.chaos.seen import seen_outside
from tests.engine.test_chaos import EXPECTED
from tests.engine.test_watchdog import until_no_engine
from tests.fixtures.cases import case
from tests.fixtures.engine import Engine
from tests.fixtures.prefect_server import speaking_to

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
FORMER = "this is the former release"


def former_release(folder: Path) -> Path:
    """A copy of the code in which every function of the tasks is another one, by its source.

    Prefect's own cache keys are made of a task's source, so under those nothing would be found again.
    """
    for package in ("runbook", "blocks", "tasks", "flows", "deployments"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    changed = 0
    for path in (folder / "tasks").rglob("*.py"):
        text, count = re.subn(r'(?m)^    """(?=\w)', '    """Formerly: ', path.read_text())
        path.write_text(text)
        changed += count
    assert changed > 50
    with (folder / "tasks" / "checks" / "triage.py").open("a") as module:
        module.write(f'\nprint("{FORMER}", flush=True)\n')
    return folder


@asynccontextmanager
async def working(name: str, folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """A worker."""
    command = [sys.executable, "-m", "deployments.worker", "--pool", "runbook"]
    worker = await Process.start(name, command, log=folder / f"{name}.log", environment=environment)
    try:
        yield worker
    finally:
        await worker.stop()


IN_SLACK = Counter(
    [
        *(what for what in EXPECTED if not what.startswith("email")),
        "slack/question-1-enable-fallback",
        "slack/question-1-enable-fallback-off",
    ]
)
"""What the outside sees of an outage where nobody reads e-mails, see `case`."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PrefectServer]:
    """A server of its own: its workers must not meet those of other tests in the pool."""
    server = await PrefectServer.start(tmp_path)
    try:
        await server.ready()
        with speaking_to(server):
            yield server
    finally:
        await server.process.stop()


async def test_a_run_that_slept_through_a_deployment_does_nothing_twice(
    server: PrefectServer, tmp_path: Path
) -> None:
    """Its first half ran under other code: what was asked and done then is neither asked nor done again."""
    environment = server.client_environment(tmp_path)
    release = await asyncio.to_thread(former_release, tmp_path / "former")
    # Without the folder that it is started in, which holds the code of today.
    formerly = {**environment, "PYTHONPATH": str(release), "PYTHONSAFEPATH": "1"}
    (tmp_path / "case").mkdir()
    async with working("former-worker", tmp_path, formerly) as former:
        engine = Engine(server, former, environment, asyncio.Event())
        async with case(engine, "posthog-outage", tmp_path / "case", real_prometheus=False) as one:
            await one.alert()
            gate = await one.gate()
            before = seen_outside(one)
            await until_no_engine(engine)  # else the stop would meet the process that has just fallen asleep
            await former.stop()
            assert FORMER in former.log.read_text()

            async with working("worker", tmp_path, environment) as today:
                incident = await one.follow("auto")
                assert FORMER not in today.log.read_text()
            assert before.keys() >= {"slack/investigating", "slack/identified", "pager/opened"}
            assert seen_outside(one) == IN_SLACK
    assert incident.outcome is IncidentOutcome.RECOVERED
    assert gate.gate in incident.closed_gates
    asked = [event.gate for event in incident.events(ApprovalRequested)]
    assert len(asked) == len(set(asked)) == len(incident.closed_gates)
    assert incident.events(IncidentEscalated) == []
