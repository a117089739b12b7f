"""An incident's triage looks up PostHog's name where the team has a resolver."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from blocks.checks.resolution import Resolver
from blocks.environment import OPTIONAL, Environment, block_types
from deployments.drill.world.posthog.resolver import Resolver as Server
from deployments.drill.world.servers.wire import listening
from runbook.channels.impact import unknown_checks
from runbook.checks.catalogue import CHECKS, check_title
from runbook.checks.findings import Status
from runbook.checks.recovery import LASTING, incident_over, lasting
from runbook.checks.specs.resolution import RESOLUTION, ResolutionFacts
from runbook.decision.severity import Severity
from runbook.decision.verdict import Verdict
from runbook.incidents.events import TriageCompleted, TriageStarted
from tasks.checks.decide import decide_response
from tasks.checks.triage import checks_of, make_checks, triage_incident
from tasks.incident import OpenIncident
from tests.runbook.findings_samples import EVERYWHERE
from tests.runbook.journals import decision
from tests.tasks.environments import NOWHERE, environment, open_incident

HOST = "us.posthog.example"


@pytest.fixture
async def server() -> Server:
    """A resolver that knows PostHog's host."""
    return Server(us_posthog_example="203.0.113.7")


@pytest.fixture
async def incident(server: Server, tmp_path: Path) -> AsyncIterator[OpenIncident]:
    """An incident of a team with this resolver, whose other systems are not there."""
    opened = await open_incident(tmp_path, check_deadline_seconds=3)
    async with listening(server.app) as url:
        resolver = Resolver(url=f"{url}/resolve", host=HOST)
        at_work = dataclasses.replace(opened.environment, readers=(resolver,))
        yield OpenIncident(id=opened.id, environment=at_work)


async def test_triage_makes_the_check_and_journals_it(incident: OpenIncident, server: Server) -> None:
    """It is the last of seven, in the journal as all are, and its facts are its own model."""
    findings = await triage_incident(incident)
    assert [item.check for item in findings.items] == [*EVERYWHERE, RESOLUTION.name]
    assert findings.facts(RESOLUTION) == ResolutionFacts(host=HOST, response_code=0, addresses=1)
    assert findings[RESOLUTION.name].summary == f"{HOST} has 1 address"
    assert server.asked == 1
    journal = await incident.read()
    assert journal.events(TriageStarted)[0].checks == (*EVERYWHERE, RESOLUTION.name)
    assert journal.events(TriageCompleted)[0].findings == findings
    assert RESOLUTION.name not in {item.check for item in unknown_checks(journal)}


async def test_a_name_without_an_address_is_a_complete_outage(incident: OpenIncident, server: Server) -> None:
    """The lines in the severity rules: they decide before what was merely not known."""
    server.addresses.clear()
    findings = await triage_incident(incident)
    assert findings.status(RESOLUTION.name) is Status.BAD
    decided = await decide_response(incident, findings)
    assert decided.severity.severity is Severity.P1
    assert decided.severity.because == f"complete outage: {HOST} has no address"


async def test_a_resolver_that_fails_says_nothing(incident: OpenIncident, server: Server) -> None:
    """Its failure is not PostHog's."""
    server.failure = 2
    findings = await make_checks(incident.environment, (RESOLUTION.name,))
    assert findings.status(RESOLUTION.name) is Status.UNKNOWN
    assert findings[RESOLUTION.name].summary == f"the resolver fails for {HOST} (code 2)"


async def test_a_resolver_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    """With the check's own words for who did not answer."""
    resolver = Resolver(url=NOWHERE, host=HOST)
    at_work = dataclasses.replace(environment(tmp_path, check_deadline_seconds=2), readers=(resolver,))
    findings = await make_checks(at_work, (RESOLUTION.name,))
    assert findings.status(RESOLUTION.name) is Status.UNKNOWN
    assert "Resolver" in findings[RESOLUTION.name].summary


async def test_an_incident_waits_for_it_only_where_it_is_made(incident: OpenIncident, tmp_path: Path) -> None:
    """A team without the block loses nothing."""
    outage = decision(Verdict.POSTHOG_OUTAGE)
    with_it, without = checks_of(incident.environment), checks_of(environment(tmp_path))
    assert RESOLUTION.name in LASTING[Verdict.POSTHOG_OUTAGE]
    assert RESOLUTION.name in lasting(outage.verdict, among=with_it)
    assert (RESOLUTION.name in without, without) == (False, EVERYWHERE)
    findings = await make_checks(incident.environment, (RESOLUTION.name,))
    assert incident_over(outage, findings, among=with_it).recovered is None


def test_the_block_is_optional_and_people_read_its_title(tmp_path: Path) -> None:
    """The settings section `[resolution]` makes the block of every environment."""
    assert block_types()["resolution"] is Resolver
    assert "resolution" in OPTIONAL
    at_work = environment(tmp_path)
    kept = (
        "store",
        "evidence",
        "status_page",
        "posthog",
        "integration",
        "prometheus",
        "cluster",
    )
    blocks = {name: getattr(at_work, name) for name in (*kept, "runbook_policy")}
    resolver = Resolver(url=NOWHERE, host=HOST)
    loaded = Environment.of("test", {**blocks, "resolution": resolver})
    assert loaded.readers == (resolver,)
    assert list(CHECKS)[-1] == RESOLUTION.name
    assert check_title(RESOLUTION.name) == "Name resolution"
