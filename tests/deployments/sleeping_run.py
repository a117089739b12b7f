"""A flow run that sleeps at its gate, in a Prefect server that answers as the real one does."""

import json
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from runbook.incidents.events import Event
from tests.deployments.journal_samples import EVENTS

RUN = "7d4e0000-0000-4000-8000-000000000001"

ASKING: tuple[Event, ...] = tuple(
    event.model_copy(update={"flow_run_id": RUN}) if event.type == "ApprovalRequested" else event
    for event in EVENTS[:10]
)

NOT_PAUSED = "Cannot resume a flow run that is not paused."


class FakePrefect:
    """The part of Prefect's API that waking and continuing a run need, as the real server answers it."""

    def __init__(self, server: HTTPServer) -> None:
        self.state = "PAUSED"
        self.refusals: list[str] = []
        """Reasons to refuse the next resumes with; Prefect says so with 200."""
        self.asks = ""
        """The key of the gate that the run sleeps at, where that matters."""
        self.then_asks = ""
        """The key of the next gate, at which it sleeps after the first refusal."""
        self.forms: list[dict[str, Any]] = []
        self.set: list[str] = []
        """The states that the run was set to."""
        server.expect_request(f"/api/flow_runs/{RUN}/resume", method="POST").respond_with_handler(
            self._resume
        )
        server.expect_request(f"/api/flow_runs/{RUN}").respond_with_handler(self._read)
        server.expect_request("/api/admin/version").respond_with_json("3.8.8")
        disabled = {"detail": "CSRF protection is disabled."}
        server.expect_request("/api/csrf-token").respond_with_json(disabled, status=422)
        server.expect_request(f"/api/flow_runs/{RUN}/set_state", method="POST").respond_with_handler(
            self._set_state
        )
        server.expect_request("/api/flow_runs/" + RUN + "/input/filter", method="POST").respond_with_json([])
        self.taken_up = False
        """Whether a worker has started a run of the pool lately."""
        server.expect_request("/api/flow_runs/filter", method="POST").respond_with_handler(self._filter)
        self.url = server.url_for("/api")

    def _resume(self, request: Request) -> Response:
        body: dict[str, Any] = request.get_json()
        self.forms.append(body["run_input"])
        if self.state != "PAUSED" or self.refusals:
            reason = self.refusals.pop(0) if self.refusals else NOT_PAUSED
            if self.then_asks:
                self.state, self.asks = "PAUSED", self.then_asks
            details = {"type": "abort_details", "reason": reason}
            return _json({"state": None, "status": "ABORT", "details": details})
        self.state = "SCHEDULED"
        return _json({"state": _state(self.state), "status": "ACCEPT", "details": {"type": "accept_details"}})

    def _set_state(self, request: Request) -> Response:
        body: dict[str, Any] = request.get_json()
        self.state = body["state"]["type"]
        self.set.append(f"{body['state']['name']}{' (forced)' if body['force'] else ''}")
        return _json({"state": _state(self.state), "status": "ACCEPT", "details": {"type": "accept_details"}})

    def _read(self, _request: Request) -> Response:
        return _json(self._run())

    def _filter(self, _request: Request) -> Response:
        return _json([self._run()] if self.taken_up else [])

    def _run(self) -> dict[str, Any]:
        state = _state(self.state)
        if self.asks:
            parts = {part: f"suspended-{self.asks}-{part}" for part in ("description", "response", "schema")}
            state["state_details"] = {"run_input_keyset": parts}
        return {"id": RUN, "flow_id": RUN, "name": "inc", "state": state}


def _state(kind: str) -> dict[str, Any]:
    return {"type": kind, "name": kind.title(), "id": RUN, "timestamp": "2026-11-22T16:00:00Z"}


def _json(body: Any) -> Response:
    return Response(json.dumps(body), content_type="application/json")
