"""Where the runbook stops by itself: after so many changes, and always in a dry run."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from runbook.actions.catalogue import ActionOutcome, PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.incidents.effects import Authority, Effect, EffectOutcome
from runbook.incidents.events import EffectIntended, EffectSettled
from tasks.incident import now
from tests.tasks.changes import DEPLOYMENT, ONE_OF_EACH_KIND, KnownChange, template, variable
from tests.tasks.environments import ALERT
from tests.tasks.mitigation_bench import (
    Bench,
    is_dry_run,
    mitigation_bench,
    save_replacement_key,
)

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

APPLIED, FAILED = EffectOutcome.APPLIED, EffectOutcome.FAILED
FALLBACK = PlannedAction(
    id="9-enable-fallback",
    name=ENABLE_FALLBACK.name,
    target=f"default/deployment/{DEPLOYMENT}",
    because="a test",
)


@pytest.fixture
async def bench(tmp_path: Path, httpserver: HTTPServer) -> AsyncIterator[Bench]:
    """A cluster with the integration in it, and room for two changes an incident and three an hour."""
    async with mitigation_bench(tmp_path, httpserver, changes_per_incident=2, changes_per_hour=3) as running:
        yield running


async def changed(
    bench: Bench,
    name: str,
    *,
    outcome: EffectOutcome | None = APPLIED,
    kind: str = "kubernetes",
    steps: tuple[str, ...] = ("set-field",),
    incident: str = "inc-1",
    at: datetime | None = None,
) -> None:
    """The journal of an incident has a change that ended like this; `None` is one that only began."""
    store = bench.incident.environment.store
    alert = ALERT.model_copy(update={"service": f"service of {incident}"})
    await store.open_incident(alert, incident_id=incident, at=at or now())
    for step in steps:
        effect = Effect(
            id=f"{incident}/{name}/{step}",
            kind=kind,
            target="x",
            summary="x",
            authority=Authority.approval("g", "ada"),
            outcome=outcome,
        )
        event = EffectSettled(effect=effect) if outcome else EffectIntended(effect=effect)
        await store.append(incident, event, at=at or now())


async def test_an_incident_that_had_its_changes_is_left_to_people(bench: Bench) -> None:
    """The action ends before any request, with the limit's name, and a person is called."""
    await bench.approve(FALLBACK)
    await changed(bench, "1-scale")
    await changed(bench, "2-replace-api-key", steps=("secret", "restart"))
    asked = len(bench.world.imitation.requests)

    result = await bench.take(FALLBACK)

    words = "people only: this incident has had 2 changes already ([policy] changes_per_incident = 2)"
    assert (result.outcome, result.detail) == (ActionOutcome.BLOCKED, words)
    assert len(bench.world.imitation.requests) == asked
    assert await bench.effects(FALLBACK) == {}
    assert await bench.escalations() == [f"{FALLBACK.spec.title}: blocked. {words}"]


async def test_an_hour_that_had_its_changes_is_left_to_people(bench: Bench) -> None:
    """Those of all incidents count, also one of which nobody knows how it ended."""
    await bench.approve(FALLBACK)
    await changed(bench, "1-scale")
    await changed(bench, "1-scale", incident="inc-2", outcome=None)
    await changed(bench, "1-scale", incident="inc-3", outcome=EffectOutcome.UNSETTLED)
    asked = len(bench.world.imitation.requests)

    result = await bench.take(FALLBACK)

    words = "people only: 3 changes within an hour ([policy] changes_per_hour = 3)"
    assert (result.outcome, result.detail) == (ActionOutcome.BLOCKED, words)
    assert len(bench.world.imitation.requests) == asked


async def test_what_was_not_made_or_long_ago_or_is_no_change_does_not_count(bench: Bench) -> None:
    """Failures, messages, the requests of one change and what is older than an hour."""
    await bench.approve(FALLBACK)
    await changed(bench, "1-scale", outcome=FAILED)
    await changed(bench, "2-scale", outcome=FAILED)
    await changed(bench, "slack", kind="slack", steps=("told", "told-again"))
    await changed(bench, "3-replace-api-key", steps=("secret", "restart"))
    for number in range(2, 6):
        await changed(bench, "1-scale", incident=f"inc-{number}", at=now() - timedelta(minutes=61))

    assert (await bench.take(FALLBACK)).outcome is ActionOutcome.RECOVERED


async def test_a_change_that_has_begun_is_brought_to_its_end(bench: Bench) -> None:
    """The limit was reached by the change itself, before a crash."""
    await bench.approve(FALLBACK)
    await changed(bench, "1-scale")
    await changed(bench, FALLBACK.id, outcome=None)

    assert (await bench.take(FALLBACK)).outcome is ActionOutcome.RECOVERED
    assert len(bench.writes()) == 1


async def test_undoing_is_never_stopped(bench: Bench) -> None:
    """The change that reached the limit did not help: it is taken back all the same."""
    await bench.approve(FALLBACK)
    await changed(bench, "1-scale")
    bench.signals.mood = "ill"

    assert (await bench.take(FALLBACK)).outcome is ActionOutcome.NOT_RECOVERED
    (told,) = await bench.escalations()
    assert "Undone" in told
    assert variable("POSTHOG_FALLBACK")(bench.world) == "false"


@pytest.mark.parametrize(
    ("change", "mode"),
    [(ONE_OF_EACH_KIND[0], "of this incident"), *((change, "of the policy") for change in ONE_OF_EACH_KIND)],
    ids=lambda value: value.name if isinstance(value, KnownChange) else value,
)
async def test_a_dry_run_sends_dry_runs_only(
    tmp_path: Path, httpserver: HTTPServer, change: KnownChange, mode: str
) -> None:
    """Everything is shown and approved; the cluster's record has no request that would change anything."""
    block = await save_replacement_key()
    only = mode == "of the policy"
    async with mitigation_bench(
        tmp_path, httpserver, replacement_key_block=block, dry_run_only=only, dry_run=not only
    ) as bench:
        action = await change.planned(bench.world)
        await bench.quiet()
        before = template(bench.world)
        await bench.approve(action)
        result = await bench.take(action)

        assert (result.outcome, result.approved_by) == (ActionOutcome.DRY_RUN, "ada")
        assert len(bench.changing_requests()) == 2 * len(change.steps)
        assert all(is_dry_run(request) for request in bench.changing_requests())
        assert (template(bench.world), change.shows(bench.world)) == (before, change.before)
        assert await bench.effects(action) == {}
        assert await bench.escalations() == []
