"""Faults at the wire of the simulated API: what a client meets, and whether its write took effect."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from deployments.drill.cluster import Fault
from deployments.drill.cluster.faults import Cut
from tests.drill.cluster_bench import SECRET, Bench, bench

WRITE = {"stringData": {"api-key": "phc_new"}}


@pytest.fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


def _version(made: Bench) -> str:
    return str(made.cluster.get("Secret", "posthog-secrets")["metadata"]["resourceVersion"])


@pytest.mark.parametrize(("close", "changed"), [("before_effect", False), ("after_effect", True)])
async def test_a_dropped_connection_tells_nothing_about_the_write(
    bench: Bench, close: Cut, changed: bool
) -> None:
    """The client sees the same error whether or not the write was stored: only reading back tells."""
    before = _version(bench)
    bench.cluster.faults.append(Fault(method="PATCH", path="/secrets/", close=close))
    with pytest.raises(httpx.RemoteProtocolError):
        await bench.patch(SECRET, WRITE)
    assert (_version(bench) != before) is changed
    assert bench.cluster.requests[-1].status is None
    assert (await bench.http.get(SECRET)).status_code == 200


async def test_a_refusal_has_the_status_that_was_asked_for_and_no_effect(bench: Bench) -> None:
    """A 500 comes as a Status body, for as many requests as the fault says."""
    before = _version(bench)
    bench.cluster.faults.append(Fault(path="/secrets/", status=503, reason="ServiceUnavailable", times=2))
    answers = [await bench.patch(SECRET, WRITE) for _ in range(2)]
    assert [(each.status_code, each.json()["reason"]) for each in answers] == [
        (503, "ServiceUnavailable")
    ] * 2
    assert _version(bench) == before
    assert (await bench.patch(SECRET, WRITE)).status_code == 200


async def test_a_fault_meets_only_its_method_and_path(bench: Bench) -> None:
    """Other requests pass, and do not use it up."""
    bench.cluster.faults.append(Fault(method="PATCH", path="/secrets/", status=500))
    assert (await bench.http.get(SECRET)).status_code == 200
    assert (await bench.http.get("/version")).status_code == 200
    assert (await bench.patch(SECRET, WRITE)).status_code == 500
    assert (await bench.patch(SECRET, WRITE)).status_code == 200


@pytest.mark.parametrize(("before", "after", "changed"), [(30.0, 0.0, False), (0.0, 30.0, True)])
async def test_a_delay_lies_before_or_after_the_effect(
    bench: Bench, before: float, after: float, changed: bool
) -> None:
    """A client that gives up waiting may or may not have changed something."""
    version = _version(bench)
    bench.cluster.faults.append(Fault(path="/secrets/", delay_before=before, delay_after=after))
    with pytest.raises(httpx.ReadTimeout):
        await bench.http.patch(
            SECRET, json=WRITE, timeout=0.2, headers={"content-type": "application/merge-patch+json"}
        )
    assert (_version(bench) != version) is changed


async def test_a_fault_without_an_end_lasts_until_it_is_taken_away(bench: Bench) -> None:
    """`times=None` never runs out."""
    fault = Fault(path="^/api", times=None, status=500)
    bench.cluster.faults.append(fault)
    answers = await asyncio.gather(*(bench.http.get(SECRET) for _ in range(5)))
    assert {each.status_code for each in answers} == {500}
    bench.cluster.faults.remove(fault)
    assert (await bench.http.get(SECRET)).status_code == 200
