"""What people look at in Prefect: an artifact for each step. The journal holds the truth; these show it."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

import httpx
from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from blocks.logs import own_lines
from runbook.actions.catalogue import ChangePlan
from runbook.approvals.approvals import approval_words
from runbook.checks.findings import Findings
from runbook.clocks.response import response_clock, response_words
from runbook.decision.verdict import Decision
from runbook.evidence.manifest import gap_before_change
from runbook.incidents.events import ArtifactPublished, EvidenceCollected
from runbook.incidents.report import (
    decision_markdown,
    evidence_markdown,
    plan_markdown,
    timeline_markdown,
    triage_markdown,
)
from tasks.incident import OpenIncident, now

PUBLISHING_SECONDS = 10.0
"""How long the response waits for one artifact: Prefect's locked database must not hold up a mitigation."""

log = own_lines(logging.getLogger("runbook.artifacts"))


@task(name="publish triage", task_run_name="publish triage", cache_policy=NO_CACHE)
async def publish_triage(incident: OpenIncident, findings: Findings, *, round: int = 1) -> None:
    """What triage has found, one for each round."""
    key = _of_round(f"{incident.id}-triage", round)
    await _markdown(incident, key, triage_markdown(findings), "Quick Triage")


@task(name="publish decision", task_run_name="publish decision", cache_policy=NO_CACHE)
async def publish_decision(incident: OpenIncident, decision: Decision, *, round: int = 1) -> None:
    """The decision with the picture of the tree, one for each round."""
    key = _of_round(f"{incident.id}-decision", round)
    within = incident.policy.response_within(decision.severity.severity)
    await _markdown(incident, key, decision_markdown(decision, respond_within=within), "Decision")


def _of_round(key: str, round: int) -> str:
    return key if round == 1 else f"{key}-{round}"


@task(name="publish plan", task_run_name="publish plan", cache_policy=NO_CACHE)
async def publish_plan(incident: OpenIncident, plan: ChangePlan) -> None:
    """The exact change that is up for approval; a plan that changed is published again."""
    key = f"{incident.id}-plan-{plan.action.id}"
    journal = await incident.read()
    known = [event.plan_digest for event in journal.events(ArtifactPublished) if event.key == key]
    if plan.digest not in known:
        who = approval_words(journal, plan, incident.policy)
        creating = acreate_markdown_artifact(
            plan_markdown(plan, journal.decision, who, gap_before_change(journal)),
            key=key,
            description=plan.action.spec.title,
        )
        if await _published(key, creating):
            await incident.record(ArtifactPublished(key=key, kind="markdown", plan_digest=plan.digest))


@task(name="publish timeline", task_run_name="publish timeline", cache_policy=NO_CACHE)
async def publish_timeline(incident: OpenIncident) -> None:
    """The journal as a timeline."""
    journal, zone = await incident.read(), incident.policy.calendar.time_zone
    response = response_words(response_clock(journal, incident.policy), now(), zone)
    markdown = timeline_markdown(journal, time_zone=zone, response=response)
    await _markdown(incident, f"{incident.id}-timeline", markdown, "Timeline")


@task(name="publish evidence", task_run_name="publish evidence", cache_policy=NO_CACHE)
async def publish_evidence(incident: OpenIncident, collected: EvidenceCollected, chart: str | None) -> None:
    """The list of evidence with its hashes and the chart of the error rate (a data URI)."""
    key = f"{incident.id}-evidence-{collected.collection}"
    await _markdown(incident, key, evidence_markdown(collected, chart), f"Evidence: {collected.collection}")


@task(name="publish post-mortem", task_run_name="publish post-mortem", cache_policy=NO_CACHE)
async def publish_postmortem(incident: OpenIncident, markdown: str) -> None:
    """The draft of the post-mortem."""
    await _markdown(incident, f"{incident.id}-postmortem", markdown, "Post-mortem draft")


@task(name="publish look", task_run_name="publish look", cache_policy=NO_CACHE)
async def publish_look(environment: str, findings: Findings, decision: Decision) -> None:
    """A triage without an incident."""
    await acreate_markdown_artifact(triage_markdown(findings), key=f"triage-{environment}")
    await acreate_markdown_artifact(decision_markdown(decision), key=f"decision-{environment}")


async def _markdown(incident: OpenIncident, key: str, markdown: str, description: str) -> None:
    if await _is_new(incident, key):
        creating = acreate_markdown_artifact(markdown, key=key, description=description)
        if await _published(key, creating):
            await _note(incident, key, "markdown")


async def _published(key: str, creating: Awaitable[Any]) -> bool:
    """Whether Prefect took the artifact in time; if not, it is tried again when the run starts again."""
    try:
        async with asyncio.timeout(PUBLISHING_SECONDS):
            await creating
    except (TimeoutError, httpx.HTTPError) as error:
        log.warning("artifact %s was not published (%s)", key, type(error).__name__)
        return False
    return True


async def _is_new(incident: OpenIncident, key: str) -> bool:
    return key not in (await incident.read()).artifacts


async def _note(incident: OpenIncident, key: str, kind: str) -> None:
    await incident.record_once(ArtifactPublished(key=key, kind=kind))
