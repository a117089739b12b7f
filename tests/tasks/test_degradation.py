"""Every outside system × every fault: the incident goes on with what is known, and nobody is told more.

The systems are the drill's, in a process of their own; the fault is played on the wire, before one of them.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path

import pytest

from deployments.drill.world.endpoints import Endpoints
from deployments.drill.world.process import running_world
from tests.fixtures.prefect_server import event_loop_in_background
from tests.runbook.findings_samples import EVERYWHERE
from tests.tasks.degradation_bench import SERVES, cells
from tests.tasks.degradation_table import FAULTS, ROWS, System, row_of
from tests.tasks.own_disk_table import OWN_DISK_ROWS, OwnDiskRow
from tests.tasks.slack_socket_table import SOCKET_ROWS

pytestmark = pytest.mark.proof

DOCUMENT = Path(__file__).parents[2] / "deployments" / "degradation.md"

DECIDES_MOST = (System.KUBERNETES,)
"""Without it three checks are unknown; `make test-slow` tries the other systems in an outage."""


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Endpoints]]:
    """A world where the key has expired and one where nothing is wrong, as they are once trouble shows."""
    stack = AsyncExitStack()

    async def start(scenario: str) -> Endpoints:
        folder = tmp_path_factory.mktemp(scenario)
        world = await stack.enter_async_context(running_world(scenario, folder))
        await world.trouble_began()
        return world.endpoints

    async def start_both() -> dict[str, Endpoints]:
        names = ("expired-key", "false-alarm")
        started = await asyncio.gather(*map(start, names))
        await asyncio.sleep(3)  # the time until errors show in rates and logs
        return dict(zip(names, started, strict=True))

    with event_loop_in_background() as run:
        yield run(start_both())
        run(stack.aclose())


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "system",
    [system if system in DECIDES_MOST else pytest.param(system, marks=pytest.mark.slow) for system in SERVES],
)
async def test_a_fault_in_an_outage_is_unknown_and_plans_nothing_new(
    worlds: dict[str, Endpoints], tmp_path: Path, system: System
) -> None:
    """The key has expired: a fault makes its own checks unknown and no others; nothing else is planned."""
    for cell in await cells(worlds["expired-key"], system, tmp_path, checks=EVERYWHERE):
        cell.check()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("system", SERVES)
async def test_a_fault_in_good_times_changes_nothing_and_resolves_nothing(
    worlds: dict[str, Endpoints], tmp_path: Path, system: System
) -> None:
    """Nothing is wrong but the fault: no change is planned for it; what it hides keeps incidents open."""
    for cell in await cells(worlds["false-alarm"], system, tmp_path, checks=SERVES[system]):
        cell.check()


def test_every_cell_has_one_row() -> None:
    """No system × fault is left out of the table, or is in it twice."""
    for system in System:
        for fault in FAULTS:
            assert row_of(system, fault).does


def test_the_document_has_every_row() -> None:
    """What people read is what is tested."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if line.startswith("| ") and "---" not in line][1:]
    assert told == [*(row.line for row in ROWS), *(row.line for row in (*SOCKET_ROWS, *OWN_DISK_ROWS))]


@pytest.mark.parametrize("row", [*SOCKET_ROWS, *OWN_DISK_ROWS], ids=lambda row: f"{row.place}, {row.fault}")
def test_every_row_that_is_played_elsewhere_is_held_by_tests(row: OwnDiskRow) -> None:
    """A test that was renamed or removed does not leave a promise behind."""
    assert row.held_by
    for name in row.held_by:
        module, _, function = name.rpartition(".")
        assert callable(getattr(import_module(module), function))
