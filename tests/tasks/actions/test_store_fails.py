"""The incident store fails for a moment while a change is made: what is in the cluster is never a failure."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from blocks.store.database.errors import SYSTEM, StoreUnavailable
from blocks.store.journal import IncidentStore
from blocks.store.lease import Lease
from runbook.actions.catalogue import ActionOutcome, PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import (
    ActionFinished,
    ActionPreviewed,
    ApprovalLapsed,
    EffectIntended,
    EffectSettled,
    Event,
    Recorded,
)
from runbook.incidents.loose_ends import switches_left_on
from tasks.lease import exclusively, leased
from tests.tasks.changes import CHANGES, DEPLOYMENT
from tests.tasks.mitigation_bench import Bench, mitigation_bench

pytestmark = pytest.mark.usefixtures("engineless")

TARGET = f"default/deployment/{DEPLOYMENT}"
FALLBACK = PlannedAction(id="1-enable-fallback", name=ENABLE_FALLBACK.name, target=TARGET, because="a test")
FOR_A_MOMENT, FOR_LONG = 1, 100


WHERE: dict[type[Event], str] = {EffectIntended: "after the intent", EffectSettled: "in the proof"}


@dataclasses.dataclass
class Failure:
    """When a store fails, how often, and where the response is."""

    moment: str = ""
    times: int = 0
    where: str = "before the intent"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FailingStore(IncidentStore):
    """A store that fails at a certain moment, so many times from then on."""

    failure: Failure = dataclasses.field(default_factory=Failure)

    def fail_at(self, moment: str, times: int) -> None:
        """Begin to fail at that moment."""
        self.failure.moment, self.failure.times = moment, times

    def _reached(self, moment: str) -> None:
        if self.failure.times and moment == self.failure.moment:
            self.failure.times -= 1
            raise StoreUnavailable(SYSTEM, "the database does not answer", "Check [store] url")

    async def append(
        self,
        incident_id: str,
        event: Event,
        *,
        at: datetime,
        key: str | None = None,
        lease: Lease | None = None,
    ) -> Recorded:
        """As the store, or not at all."""
        self._reached(type(event).__name__)
        self.failure.where = WHERE.get(type(event), self.failure.where)
        return await super().append(incident_id, event, at=at, key=key, lease=lease)

    async def take_lease(
        self, target: str, holder: str, *, at: datetime, until: datetime
    ) -> tuple[int | None, str]:
        """As the store, or not at all."""
        self._reached("take lease")
        return await super().take_lease(target, holder, at=at, until=until)

    async def renew_lease(self, target: str, token: int, *, until: datetime) -> bool:
        """As the store, or not at all; the proof renews it after the change is made."""
        self._reached(f"renew lease {self.failure.where}")
        return await super().renew_lease(target, token, until=until)

    async def release_lease(self, target: str, token: int, *, at: datetime) -> None:
        """As the store, or not at all."""
        self._reached("release lease")
        await super().release_lease(target, token, at=at)


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """A cluster with the integration in it, and a store that can fail."""
    async with mitigation_bench(tmp_path, httpserver) as running:
        environment = running.incident.environment
        failing = dataclasses.replace(environment, store=FailingStore(url=environment.store.url))
        yield dataclasses.replace(
            running, incident=dataclasses.replace(running.incident, environment=failing)
        )


def store_of(bench: Bench) -> FailingStore:
    """The store that can fail."""
    store = bench.incident.environment.store
    assert isinstance(store, FailingStore)
    return store


MOMENTS = (
    "take lease",
    "renew lease before the intent",
    EffectIntended.__name__,
    "renew lease after the intent",
    EffectSettled.__name__,
    "renew lease in the proof",
    ActionFinished.__name__,
    "release lease",
)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_store_that_fails_for_a_moment_changes_no_result(bench: Bench, moment: str) -> None:
    """The change is made once and proved, and its switch is known to be on."""
    await bench.approve(FALLBACK)
    store_of(bench).fail_at(moment, FOR_A_MOMENT)
    result = await bench.take(FALLBACK)

    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    assert len(bench.writes()) == 1
    assert await bench.effects(FALLBACK) == {"set-field": EffectOutcome.APPLIED}
    journal = await bench.incident.read()
    assert [action.name for action in switches_left_on(journal)] == [ENABLE_FALLBACK.name]
    assert await bench.escalations() == []


@pytest.mark.parametrize(
    "moment", [EffectSettled.__name__, "renew lease in the proof", ActionFinished.__name__]
)
async def test_a_store_that_stays_away_ends_the_run_and_not_the_action(bench: Bench, moment: str) -> None:
    """The journal says that the change has begun; the run that is continued reads it back and proves it."""
    decided, plan = await bench.approve(FALLBACK), await bench.preview(FALLBACK)
    store_of(bench).fail_at(moment, FOR_LONG)
    with pytest.raises(StoreUnavailable):
        await bench.make(plan, decided)
    assert bench.writes()
    journal = await bench.incident.read()
    assert journal.results == {}
    assert journal.has_begun(FALLBACK)

    store_of(bench).fail_at("", 0)
    result = await bench.take(FALLBACK)

    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    assert len(bench.writes()) == 1
    assert (await bench.incident.read()).events(ApprovalLapsed) == []


@pytest.mark.parametrize("moment", ["take lease", "renew lease before the intent", EffectIntended.__name__])
async def test_a_store_that_is_away_before_the_request_ends_the_run_and_not_the_action(
    bench: Bench, moment: str
) -> None:
    """Nothing was made, and nothing is given up: the run that is continued makes the change, once."""
    decided, plan = await bench.approve(FALLBACK), await bench.preview(FALLBACK)
    store_of(bench).fail_at(moment, FOR_LONG)
    with pytest.raises(StoreUnavailable):
        await bench.make(plan, decided)
    assert bench.writes() == []
    assert (await bench.incident.read()).results == {}

    store_of(bench).fail_at("", 0)
    result = await bench.take(FALLBACK)

    assert result.outcome is ActionOutcome.RECOVERED, result.detail
    assert len(bench.writes()) == 1


async def test_a_store_that_fails_under_an_undo_ends_the_run_and_not_the_undo(bench: Bench) -> None:
    """What was put back is told as undone, and no switch is left on."""
    await bench.approve(FALLBACK)
    bench.signals.mood = "ill"
    store_of(bench).fail_at(EffectSettled.__name__, 2)  # of the change and, after its repetition, of the undo
    result = await bench.take(FALLBACK)

    assert result.outcome is ActionOutcome.NOT_RECOVERED
    assert CHANGES[0].shows(bench.world) == CHANGES[0].before
    journal = await bench.incident.read()
    assert journal.results[f"{FALLBACK.id}-undo"].outcome is ActionOutcome.DONE
    assert switches_left_on(journal) == ()


async def test_a_store_that_is_away_at_the_preview_blocks_nothing(bench: Bench) -> None:
    """It is no answer of the target: the run is continued, and the change is not given up."""
    store_of(bench).fail_at(ActionPreviewed.__name__, FOR_LONG)
    with pytest.raises(StoreUnavailable):
        await bench.take(FALLBACK)
    assert (await bench.incident.read()).results == {}


async def test_the_release_of_a_lease_is_no_part_of_a_result(bench: Bench) -> None:
    """Neither the work under a lease nor a scheduled run ends in an error of the release."""
    store_of(bench).fail_at("release lease", FOR_LONG)
    async with leased(bench.incident, TARGET):
        pass
    async with exclusively(bench.incident.environment, "watchdog", "run-1") as ours:
        assert ours
