"""Whole scenarios, through the real receiver, Prefect server, worker and gates."""

import base64
import json
from datetime import datetime
from pathlib import Path

import pytest

from deployments.drill.run.judge import judge
from deployments.drill.run.scenario import scenario_names
from deployments.drill.world.keys import Keys
from deployments.drill.world.world import World
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.spec import ActionKind
from runbook.approvals.gates import Choice
from runbook.decision.severity import Severity
from runbook.incidents.events import (
    ApprovalAnswered,
    IncidentEscalated,
    IncidentResolved,
    PostmortemDrafted,
    ResponsePaused,
)
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome, State
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

CHANGES_NOTHING = ("blind", "false-alarm", "fix-in-between", "missing-scope")

ONE_OF_EACH_PATH = ("blind", "expired-key")
"""Too little known, and a Secret.

tests/real and `runbook drill` in tests/deployments run the outage; `make test-slow` runs the others here.
"""

SCENARIOS = [
    name if name in ONE_OF_EACH_PATH else pytest.param(name, marks=pytest.mark.slow)
    for name in scenario_names()
]


def approved_at(incident: Incident) -> dict[str, datetime]:
    """When each approved action was approved."""
    return {
        item.event.action_id: item.at
        for item in incident.journal
        if isinstance(item.event, ApprovalAnswered) and item.event.answer.choice is Choice.APPROVE
    }


def only_approved_changes(response: Case, incident: Incident) -> None:
    """Asserts that each change of the runbook's names its action, and came after the yes to it."""
    approved = approved_at(incident)
    changed = set()
    for request in response.changes():
        if response.world.scenario.commands and "fieldManager" not in request["query"]:
            continue  # a person's: `kubectl rollout undo` names no manager, the runbook always does
        text = json.dumps(request["body"])
        actions = [
            action
            for action in approved
            if f'{incident.id}/{action}"' in text or f"{incident.id}/{action}/" in text
        ]
        assert len(actions) == 1, f"{request} belongs to no approved action"
        assert datetime.fromisoformat(request["at"]) >= approved[actions[0]]
        changed.add(actions[0])
    changes = {
        key: item for key, item in incident.results.items() if item.action.spec.kind is ActionKind.CHANGE
    }
    outdated = {key for key, result in changes.items() if result.outdated}
    rejected = {key for key, result in changes.items() if result.outcome is ActionOutcome.REJECTED}
    assert changed == changes.keys() - outdated - rejected == approved.keys() - outdated


def without_secrets(response: Case, incident: Incident) -> None:
    """Asserts that none of the world's credentials is in any database, file, log or message."""
    evidence = [path for path in response.evidence.rglob("*") if path.is_file()]
    assert any(path.name == "incident-logs.txt" for path in evidence) or not incident.effects
    journal = list(response.folder.glob("incidents.db*"))
    places = [*response.engine.files, *journal, *evidence, response.receiver.log]
    drafted = incident.last(PostmortemDrafted)
    assert drafted is not None
    assert Path(drafted.path) in evidence
    told = json.dumps(
        [r["body"] for system in ("slack", "statuspage_api") for r in response.world.requests(system, None)]
    )
    contents = {str(path): path.read_bytes() for path in places} | {"messages": told.encode()}
    found = [
        f"{name} in {place}"
        for name, secret in secrets_of(response.world).items()
        for place, content in contents.items()
        if secret in content or base64.b64encode(secret) in content
    ]
    assert found == []


def secrets_of(world: World) -> dict[str, bytes]:
    """Every credential of a world."""
    return {name: getattr(world.keys, name).get_secret_value().encode() for name in Keys.model_fields}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_ends_as_it_expects(engine: Engine, name: str, tmp_path: Path) -> None:
    """Decision, actions and outcome are the scenario's; nothing changes without a yes; no secret leaks."""
    looks = {"look_again_seconds": 8, "look_again_limit_seconds": 8}
    async with case(engine, name, tmp_path, policy=looks) as response:
        await response.alert()
        incident = await response.follow("auto")

        # Nobody reads e-mails here, see `case`: the drills themselves judge what support is told.
        differences = judge(incident, response.world.scenario.expect.model_copy(update={"support": None}))
        assert not differences, (differences, [str(item.event)[:300] for item in incident.journal])
        only_approved_changes(response, incident)
        assert (response.changes() == []) == (name in CHANGES_NOTHING)
        without_secrets(response, incident)


async def test_a_rejection_changes_nothing_and_calls_a_person(engine: Engine, tmp_path: Path) -> None:
    """Someone says no: the cluster stays as it is, the outage goes on, and a person is paged about that.

    The incident stays open until somebody ends it, and nobody is told that anything is being monitored.
    """
    async with case(
        engine, "posthog-outage", tmp_path, policy={"watch_limit_seconds": 4, "look_again_seconds": 3}
    ) as response:
        await response.alert()
        incident = await response.follow("reject")

        assert incident.events(ResponsePaused)
        ended = incident.last(IncidentResolved)
        assert ended is not None
        assert (incident.outcome, ended.by) == (IncidentOutcome.NOT_OURS, "drill")
        assert State.MONITORING not in [told.state for told in incident.announcements]
        assert [result.outcome for result in incident.results.values()] == [ActionOutcome.REJECTED]
        assert response.changes() == []
        escalations = [event.because for event in incident.events(IncidentEscalated)]
        assert any("not over within the watch limit" in because for because in escalations)
        sent = [r["body"] for r in response.world.requests("pagerduty", None)]
        paged = [body["payload"]["summary"] for body in sent if body["event_action"] == "trigger"]
        assert any("not over within the watch limit" in summary for summary in paged)
        assert incident.severity is not None
        assert incident.severity.severity is Severity.P1
        without_secrets(response, incident)
