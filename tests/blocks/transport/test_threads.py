"""Blocking clients: a system that hangs holds up no other one, and what is given up ends."""

import asyncio
import time

from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from blocks.kubernetes.cluster import Cluster
from blocks.prometheus.metrics import Prometheus
from tests.fixtures.faulty_server import FaultyServer, WireFault, faulty
from tests.tasks.environments import KUBECONFIG

MANY = 40
"""More calls than a system has threads."""

FEW = 4
"""Fewer calls than even an event loop on one core has threads."""


def cluster(url: str) -> Cluster:
    """A block with a patience that no test has."""
    return Cluster(kubeconfig_yaml=SecretStr(KUBECONFIG.format(url=url)), timeout_seconds=30)


async def has_asked(proxy: FaultyServer, *, times: int) -> None:
    """Wait until so many requests have reached the proxy."""
    async with asyncio.timeout(10):
        while proxy.asked < times:  # noqa: ASYNC110 - requests come from threads
            await asyncio.sleep(0.005)


async def test_what_is_given_up_ends_although_its_peer_never_does(httpserver: HTTPServer) -> None:
    """A byte now and then resets every timeout of the client; threads that are given up are free again."""
    httpserver.expect_request("/").respond_with_json({})
    async with faulty(httpserver.url_for("").rstrip("/"), WireFault.DRIP) as proxy:
        dripping = cluster(proxy.url)
        for _ in range(MANY):
            more = proxy.asked + 1
            call = asyncio.create_task(dripping.workload.read())
            await has_asked(proxy, times=more)  # without a free thread nobody would
            call.cancel()
        dripping.client.disconnect()
    assert proxy.asked == MANY


async def test_a_system_that_hangs_holds_up_no_other(httpserver: HTTPServer) -> None:
    """More calls hang at the cluster than there are threads for it; Prometheus answers all the same."""
    vector = [{"metric": {}, "value": [time.time(), "1"]}]
    httpserver.expect_request("/api/v1/query").respond_with_json(
        {"status": "success", "data": {"resultType": "vector", "result": vector}}
    )
    async with faulty(httpserver.url_for("").rstrip("/"), WireFault.HANGING) as proxy:
        hanging = cluster(proxy.url)
        calls = [asyncio.create_task(hanging.workload.read()) for _ in range(MANY)]
        await has_asked(proxy, times=FEW)
        async with asyncio.timeout(10):
            (sample,) = await Prometheus(url=httpserver.url_for("").rstrip("/")).query("up")
        assert sample.value == 1
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        hanging.client.disconnect()
