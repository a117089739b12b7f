"""Prometheus' address: with a path, with a query, and with no credentials but those of the settings."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.types import SecretDict
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from blocks.prometheus.metrics import Prometheus

END = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def base(server: HTTPServer) -> str:
    """Where the server is."""
    return server.url_for("").rstrip("/")


def answer(kind: str) -> dict[str, Any]:
    """An answer without data."""
    return {"status": "success", "data": {"resultType": kind, "result": []}}


async def test_a_netrc_adds_nothing(
    httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is shown is in the settings, whoever runs the worker."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {httpserver.host} login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    httpserver.expect_request("/api/v1/query").respond_with_json(answer("vector"))

    await Prometheus(url=base(httpserver)).query("up")
    await Prometheus(url=base(httpserver), headers=SecretDict({"X-Scope-OrgID": "tenant"})).query("up")

    assert [request.authorization for request, _ in httpserver.log] == [None, None]


async def test_a_prometheus_may_have_a_path_and_a_query(httpserver: HTTPServer) -> None:
    """A tenant's name in the address stays with every request, as Thanos and Mimir take it."""
    asked: list[Request] = []

    def noted(request: Request) -> Response:
        asked.append(request)
        body = answer("matrix" if request.path.endswith("range") else "vector")
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/prom/api/v1/query").respond_with_handler(noted)
    httpserver.expect_request("/prom/api/v1/query_range").respond_with_handler(noted)
    block = Prometheus(url=f"{base(httpserver)}/prom/?tenant=a%26b&dedup=true&part=1&part=2&flag=")

    await block.query('up{job="x"}')
    await block.query_range("up", END - timedelta(minutes=1), END, 15)

    for request in asked:
        assert request.args["tenant"] == "a&b"
        assert request.args["dedup"] == "true"
        assert request.args.getlist("part") == ["1", "2"]
        assert request.args["flag"] == ""
    assert [request.args["query"] for request in asked] == ['up{job="x"}', "up"]
