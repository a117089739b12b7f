"""What an API server says for a moment only is asked for again, within the time of a request."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from blocks.transport.errors import Forbidden, Unauthenticated, Unavailable
from deployments.drill.cluster import Fault
from tests.blocks.cluster_world import RULES, TOKEN, ClusterWorld, cluster_world


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """The integration, rolled out."""
    async with cluster_world() as running:
        yield running


async def test_a_server_that_has_just_started_is_asked_again_until_its_rules_are_loaded(
    world: ClusterWorld,
) -> None:
    """Reading the workload takes a dozen rights, which are all refused at first, and all there in the end."""
    world.imitation.load_rules(after_seconds=0.6)

    reading = await world.block.read_workload()

    assert reading.ready == 2
    assert reading.events == ()


async def test_a_write_is_sent_again_after_a_refusal_of_the_moment(world: ClusterWorld) -> None:
    """A refused request has had no effect: what is approved is made as soon as the rules are loaded."""
    world.imitation.load_rules(after_seconds=0.3)

    await world.block.changes.patch_workload({"spec": {"replicas": 3}})

    assert world.imitation.get("Deployment", "posthog-integration")["spec"]["replicas"] == 3


async def test_a_right_that_is_missing_is_looked_at_a_few_times_and_then_no_more(world: ClusterWorld) -> None:
    """The first request finds out, within its time; the next ones lose none. A right that is given counts."""
    lists = tuple(rule for rule in RULES if (rule.verbs[0], rule.resources[0]) != ("list", "pods"))
    world.restrict(*lists)
    block, before = world.block_with(timeout_seconds=2), len(world.asked("GET"))

    with pytest.raises(Forbidden):
        await block.workload.pods()
    assert len(world.asked("GET")) - before == 4
    with pytest.raises(Forbidden):
        await block.workload.pods()
    assert len(world.asked("GET")) - before == 5

    world.restrict(*RULES)
    assert len(await block.workload.pods()) == 2
    world.imitation.load_rules(after_seconds=0.3)
    assert len(await block.workload.pods()) == 2, "a right that was there is looked at again"


async def test_one_401_is_looked_at_again(world: ClusterWorld) -> None:
    """A server that has just started does not know its accounts yet either."""
    world.imitation.faults.append(
        Fault(path="/pods", status=401, reason="Unauthorized", message="Unauthorized", times=2)
    )

    assert len(await world.block.workload.pods()) == 2


async def test_credentials_that_stay_unknown_are_told_within_the_time_of_a_request(
    world: ClusterWorld,
) -> None:
    """They are read again with each look, and the error says how to renew them."""
    world.imitation.expire(TOKEN)
    began = time.monotonic()

    with pytest.raises(Unauthenticated) as caught:
        await world.block_with(timeout_seconds=1).workload.pods()

    assert time.monotonic() - began < 1
    assert caught.value.by_server


async def test_a_busy_server_is_given_the_time_that_it_asks_for(world: ClusterWorld) -> None:
    """It says so in a header, in plain text: API Priority and Fairness."""
    busy = Fault(
        method="PATCH", status=429, text="Too many requests, please try again later.\n", retry_after=1
    )
    world.imitation.faults.append(busy)
    began = time.monotonic()

    await world.block.changes.patch_workload({"spec": {"replicas": 3}})

    assert time.monotonic() - began >= 1
    assert len(world.asked("PATCH")) == 2


async def test_a_wait_beyond_the_time_of_a_request_is_left_to_whoever_asked(world: ClusterWorld) -> None:
    """The error has the wish in seconds, and the server is left in peace."""
    busy = Fault(path="/pods", status=429, text="Too many requests", retry_after=30, times=None)
    world.imitation.faults.append(busy)
    before = len(world.asked("GET"))

    with pytest.raises(Unavailable) as caught:
        await world.block.workload.pods()

    assert (caught.value.retry_after_seconds, caught.value.may_have_landed) == (30, False)
    assert len(world.asked("GET")) - before == 1


async def test_giving_up_ends_the_wait_and_sends_nothing_more(world: ClusterWorld) -> None:
    """A write that nobody waits for any more is not sent a second later."""
    world.imitation.load_rules(after_seconds=0.2)
    writing = asyncio.create_task(world.block.changes.patch_workload({"spec": {"replicas": 3}}))
    async with asyncio.timeout(5):
        while not world.asked("PATCH"):  # noqa: ASYNC110 - the imitation has no event for it
            await asyncio.sleep(0.01)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await asyncio.sleep(0.6)

    assert len(world.asked("PATCH")) == 1
