"""A secret in any answer of any outside system is in no finding, no message, no journal and no log line."""

import dataclasses
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from blocks.channels.pager import Pager
from blocks.channels.slack import Slack
from blocks.channels.status_page_publisher import StatusPagePublisher
from blocks.integration import IntegrationService
from blocks.posthog import PostHogApi
from blocks.prometheus.metrics import Prometheus
from blocks.status_page.page import StatusPage
from runbook.channels.untold import NOBODY
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.decision.decide import decide
from runbook.incidents import events as e
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.report import decision_markdown, triage_markdown
from runbook.incidents.state import State
from tasks.caretaking.self_watch import page_a_person
from tasks.channels.communicate import announce
from tasks.channels.page import escalate, resolve_page
from tasks.checks.triage import make_checks
from tests.blocks.cluster_world import cluster_world, deployment
from tests.blocks.status_page_bench import INCIDENT, SUMMARY
from tests.canary.canaries import SHAPES, Canaries
from tests.canary.test_records import shown
from tests.runbook.findings_samples import EVERYWHERE
from tests.runbook.journals import decision
from tests.tasks.environments import open_incident

TOKEN = SecretStr("xoxb-of-this-test")
ALL_SHAPES = pytest.mark.parametrize("shape", range(len(SHAPES)))


def kept(folder: Path) -> list[bytes]:
    """The store's files as they are."""
    return [path.read_bytes() for path in sorted(folder.glob("incidents.db*"))]


def answering(body: Any, status: int = 200) -> Response:
    """An answer of JSON."""
    return Response(json.dumps(body), status, content_type="application/json")


@ALL_SHAPES
async def test_what_systems_say_is_shown_without_a_secret(
    shape: int, tmp_path: Path, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Status page, health, metrics, PostHog and the cluster: in every text that they answer with."""
    caplog.set_level(logging.INFO)
    canaries = Canaries()

    def secret(where: str) -> str:
        return canaries.in_words(where, shape)

    listed = INCIDENT | {
        "id": secret("incident id"),
        "name": secret("incident title"),
        "status": secret("incident status"),
        "url": canaries.plant("incident url", shape),
        "last_update_message": secret("incident message"),
        "affected_components": [{"id": "c", "name": secret("component"), "group_name": secret("region")}],
    }
    upkeep = listed | {"name": secret("maintenance title")}
    page = SUMMARY | {"ongoing_incidents": [listed], "in_progress_maintenances": [upkeep]}
    told = {name: secret(f"health {name}") for name in ("status", "mode", "message", "error", "detail")}
    metric = {"status": secret("metric label")}
    rates = {
        "status": "success",
        "warnings": [secret("metrics warning")],
        "data": {"resultType": "vector", "result": [{"metric": metric, "value": [time.time(), "3"]}]},
    }
    refusal = {"code": secret("probe code"), "detail": secret("probe detail")}
    httpserver.expect_request("/api/v1/summary").respond_with_json(page)
    httpserver.expect_request("/health").respond_with_json({"services": {"posthog": told}})
    httpserver.expect_request("/api/v1/query").respond_with_json(rates)
    httpserver.no_handler_status_code = 401
    httpserver.expect_request("/flags").respond_with_json(refusal, status=401)
    httpserver.expect_request("/flags/").respond_with_json(refusal, status=401)
    url = httpserver.url_for("").rstrip("/")

    workload = deployment(image=f"registry.example/{canaries.plant('image', 1)}")
    template = workload["spec"]["template"]
    container = template["spec"]["containers"][0]
    container["env"][0]["value"] = secret("switch")
    container["env"].append({"name": "SETTING", "value": secret("variable")})
    workload["metadata"]["annotations"] = {"note": secret("annotation")}
    template["metadata"]["annotations"] = {"note": secret("annotation of the template")}
    incident = await open_incident(tmp_path, check_deadline_seconds=15)
    async with cluster_world(workload) as world:
        for pod in world.pod_names():
            world.imitation.write_log(pod, f"ERROR status=503 {secret('log line')}")
            world.imitation.write_log(pod, f"ERROR {'x' * 1990} {secret('log line that is cut')}")
        environment = dataclasses.replace(
            incident.environment,
            status_page=StatusPage(url=url),
            integration=IntegrationService(health_url=f"{url}/health"),
            prometheus=Prometheus(url=url),
            posthog=PostHogApi(app_url=url, ingest_url=url, api_key=SecretStr("phc_" + "k" * 43)),
            cluster=world.block_with(container="app"),
        )
        findings = await make_checks(environment, EVERYWHERE)
    concluded = decide(findings, claimed=None, policy=incident.policy)
    events: list[e.Event] = [
        e.TriageCompleted(round=1, findings=findings),
        e.DecisionMade(round=1, decision=concluded),
    ]
    for event in events:
        await incident.record(event)
    outputs = [*shown(events), triage_markdown(findings), decision_markdown(concluded)]
    answered = {check: findings[check].status.value for check in EVERYWHERE}
    assert "unknown" not in {answered[check] for check in (STATUS_PAGE.name, LOGS.name)}, answered
    assert len(canaries.planted) > 20
    for check in (HEALTH.name, LOGS.name):  # what they said is there, without what was secret in it
        assert "[redacted:" in findings[check].model_dump_json()
    assert canaries.found([*outputs, *kept(tmp_path), caplog.text]) == {}


FAILURES = (200, 400, 401, 403, 404, 409, 422, 429, 500, 503)


@pytest.mark.parametrize(
    ("shape", "status"),
    [
        *((shape, 400) for shape in range(len(SHAPES))),
        *((0, status) for status in FAILURES if status not in (400, 429)),
        pytest.param(0, 429, marks=pytest.mark.proof),  # each system is asked again, after a pause
    ],
)
async def test_what_a_system_refuses_is_told_without_a_secret(
    shape: int, status: int, tmp_path: Path, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Slack, PagerDuty and status pages answer with errors of their own; the journal has them masked."""
    caplog.set_level(logging.INFO)
    canaries = Canaries()

    def refuse(request: Request) -> Response:
        words = canaries.in_words(f"answer to {request.path}", shape)
        body = {"ok": False, "error": words, "message": words, "errors": [words], "status": words}
        return answering(body, status)

    httpserver.no_handler_status_code = status
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpserver, "respond_nohandler", lambda request, *_: refuse(request))
        url = httpserver.url_for("").rstrip("/")
        incident = await open_incident(tmp_path)
        environment = dataclasses.replace(
            incident.environment,
            slack=Slack(
                token=SecretStr("xoxb-of-this-test"), channel="C1", base_url=f"{url}/slack", timeout_seconds=1
            ),
            pager=Pager(routing_key=SecretStr("r" * 32), base_url=f"{url}/pager", timeout_seconds=2),
            status_page_publisher=StatusPagePublisher(
                provider="statuspage",
                api_key=SecretStr("k" * 20),
                page_id="p",
                base_url=f"{url}/page",
                timeout_seconds=2,
            ),
        )
        at_work = dataclasses.replace(incident, environment=environment)
        await at_work.record(e.DecisionMade(round=1, decision=decision()))
        await announce(at_work, State.IDENTIFIED)
        await escalate(at_work, Escalation(kind=EscalationKind.NOT_OVER), "it burns")
        await resolve_page(at_work)
        await page_a_person(environment, "it does not work")
    events = [item.event for item in (await at_work.read()).journal[1:]]
    kinds = {effect.kind for effect in (await at_work.read()).effects.values()}
    assert kinds - {NOBODY} == {"slack", "pager", "status-page"}  # where all of them refuse, nobody was told
    assert len(canaries.planted) > 3
    assert canaries.found([*shown(events), *kept(tmp_path), caplog.text]) == {}
