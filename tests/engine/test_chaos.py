"""A fixed choice of `make chaos`: killed where it hurts, all comes to its end and nothing is done twice."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.chaos.cases import strike_at
from tests.chaos.stage import Blow, Stage, stage

pytestmark = [pytest.mark.real, pytest.mark.timeout(420), pytest.mark.asyncio(loop_scope="module")]

EXPECTED = Counter(
    [
        "slack/investigating",
        "slack/identified",
        "slack/monitoring",
        "slack/resolved",
        "status-page incident",
        "status-page/identified",
        "status-page/monitoring",
        "status-page/resolved",
        "pager/opened",
        "change 1-enable-fallback",
        "change 1-enable-fallback-off",
        *(
            f"{kind}/{state}"
            for kind in ("email", "email-support")
            for state in ("investigating", "identified", "monitoring", "resolved")
        ),
    ]
)
"""What the outside sees of an outage to which nobody does anything worse."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A server and a worker that may be killed."""
    async with stage(tmp_path_factory.mktemp("chaos")) as one:
        yield one


@pytest.mark.parametrize(
    ("point", "blow"),
    [
        ("after EffectIntended 1-enable-fallback/set-field", Blow.WORKER),
        pytest.param("before EffectSettled slack/investigating", Blow.SERVER, marks=pytest.mark.slow),
        pytest.param("before EffectSettled email/identified", Blow.FLOW, marks=pytest.mark.slow),
    ],
)
async def test_what_is_killed_comes_to_its_end_and_does_nothing_twice(
    here: Stage, tmp_path: Path, point: str, blow: Blow
) -> None:
    """Counted in the systems outside: each effect once, none lost, the incident closed, the run completed."""
    result = await strike_at(here, tmp_path, point, blow, EXPECTED)
    assert (result.twice, result.lost, result.stranded) == ((), (), "")
