"""The artifacts of an incident in Prefect's UI: nothing is lost, at a desk, beside a terminal, on a phone."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from prefect.artifacts import acreate_markdown_artifact

from deployments.prefect.server import PrefectServer
from runbook.checks.findings import Findings
from runbook.incidents.events import EvidenceCollected
from runbook.incidents.report import (
    decision_markdown,
    evidence_markdown,
    plan_markdown,
    timeline_markdown,
    triage_markdown,
)
from runbook.postmortem.draft import ImpactFigures, draft_postmortem
from tests.deployments.journal_samples import EVENTS, OPENED_AT, PLAN, incident
from tests.real.browser import browser_page, log_in

pytestmark = [pytest.mark.real, pytest.mark.proof, pytest.mark.timeout(300)]

SIZES = {"desk": (1440, 900), "beside": (900, 900), "phone": (390, 844)}

MARKS = {
    "triage": "Does our integration say that it is healthy?",
    "timeline": "Incident opened by",
    "evidence": "Manifest (SHA-256)",
    "decision": "What would change the verdict",
    "plan": "Approval:",
    "postmortem": "Action Items",
}
"""A text of each artifact, which is there once it is shown."""

HIDDEN = """() => [...document.querySelectorAll('table, main ul, main ol')].flatMap(table => {
  const right = document.documentElement.clientWidth;
  const cut = [...table.querySelectorAll('th, td, li')].filter(cell => {
    const box = cell.getBoundingClientRect();
    let seen = right;
    for (let each = cell.parentElement; each; each = each.parentElement)
      if (getComputedStyle(each).overflowX !== 'visible')
        seen = Math.min(seen, each.getBoundingClientRect().right);
    return box.right > seen + 1 || cell.scrollWidth > cell.clientWidth + 1;
  });
  return cut.map(cell => cell.textContent.trim().slice(0, 40));
})"""
"""The cells and items of lists that reach out of what is seen without scrolling sideways, or are cut off."""


def samples() -> tuple[Findings, EvidenceCollected]:
    """Findings and evidence as an incident has them."""
    told = incident(EVENTS)
    findings, collected = told.findings, told.last(EvidenceCollected)
    assert findings is not None
    assert collected is not None
    files = {
        name: f"{number:x}" * 64
        for number, name in enumerate(
            ("logs/posthog-integration-7d4b9c6f5-x2x9q.previous.log", "metrics.json", "deployment.yaml"),
            start=10,
        )
    }
    return findings, collected.model_copy(update={"files": files, "manifest_sha256": "ab" * 32})


async def published() -> dict[str, str]:
    """Artifacts as the flows make them: the id of each, by its name."""
    findings, collected = samples()
    told = incident(EVENTS)
    assert told.decision is not None
    made: dict[str, str] = {}
    for name, markdown in {
        "triage": triage_markdown(findings),
        "timeline": timeline_markdown(told, time_zone="Europe/Berlin"),
        "evidence": evidence_markdown(collected),
        "decision": decision_markdown(told.decision),
        "plan": plan_markdown(PLAN, told.decision, "one person's approval"),
        "postmortem": draft_postmortem(told, ImpactFigures(), now=OPENED_AT),
    }.items():
        made[name] = str(await acreate_markdown_artifact(markdown, key=name, description=name))
    return made


Opens = Callable[[Page, PrefectServer, str], Awaitable[None]]


async def classic(page: Page, server: PrefectServer, artifact: str) -> None:
    """The artifact in the classic UI."""
    await page.goto(f"{server.ui_url}/artifacts/artifact/{artifact}")


async def current(page: Page, server: PrefectServer, artifact: str) -> None:
    """The artifact in the current UI."""
    await page.goto(f"{server.ui_url}/v2/artifacts/artifact/{artifact}")


@pytest.mark.parametrize("opens", [classic, current])
async def test_no_column_is_lost(opens: Opens, prefect_api: PrefectServer, tmp_path: Path) -> None:
    """No cell and no item reaches out of its page. A picture of each is left in the test's folder."""
    artifacts = await published()
    lost: dict[str, list[str]] = {}
    async with browser_page() as page:
        await log_in(page, prefect_api)
        for size, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            for name, artifact in artifacts.items():
                await opens(page, prefect_api, artifact)
                await expect(page.get_by_text(MARKS[name]).first).to_be_visible()
                await page.wait_for_timeout(700)
                await page.screenshot(path=tmp_path / f"{name}-{size}.png")
                found = await page.evaluate(HIDDEN)
                if found:
                    lost[f"{name} at {width}"] = found
    assert lost == {}, tmp_path
