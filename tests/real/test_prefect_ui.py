"""What people see and do in Prefect's own UI, in a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from runbook.actions.catalogue import ActionOutcome
from runbook.actions.essence import decisive_lines, essence, for_a_form
from runbook.approvals.gates import Answer, Choice
from runbook.decision.severity import Severity
from tests.fixtures.cases import Case, case
from tests.fixtures.engine import Engine
from tests.fixtures.eventually import WITHIN_SECONDS
from tests.real.browser import browser_page, log_in

SUBMITS = 3

OPTION = ".p-select-option"
"""An open choice's options; Prefect's UI gives them no role."""

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page in a real browser."""
    async with browser_page() as opened:
        yield opened


@asynccontextmanager
async def shown_on_failure(page: Page, folder: Path) -> AsyncIterator[None]:
    """Keep a picture of the page where the test fails, and say where."""
    try:
        yield
    except BaseException as error:
        picture = folder / "failed.png"
        await page.screenshot(path=picture, full_page=True)
        error.add_note(f"The page is in {picture}")
        raise


@asynccontextmanager
async def at_the_gate(engine: Engine, folder: Path) -> AsyncIterator[Case]:
    """An outage of PostHog whose run sleeps at its first gate."""
    policy = {"watch_limit_seconds": 3}
    async with case(engine, "posthog-outage", folder, policy=policy, real_prometheus=False) as response:
        await response.alert()
        await response.gate()
        yield response


def field(form: Locator, label: str) -> Locator:
    """The field of a form with this label."""
    return form.locator(".schema-form-property").filter(has_text=label).first


async def open_choice(chosen: Locator) -> None:
    """Open a field's choice by the keyboard; a simulated click opens and closes it at once."""
    await chosen.locator("button.p-select-button__control").press("ArrowDown")


async def submit(form: Locator) -> None:
    """Submit a form; again if it stays: on a busy machine Prefect's UI has been seen to drop a submit."""
    for _ in range(SUBMITS):
        await form.get_by_role("button", name="Submit").click()
        with suppress(AssertionError):
            await expect(form).to_be_hidden(timeout=WITHIN_SECONDS / SUBMITS * 1000)
            return
    raise AssertionError("the form is not taken")


async def test_prefect_s_ui_is_enough_for_a_person(engine: Engine, page: Page, tmp_path: Path) -> None:
    """A run's form explains itself, a decision shows its reasons, and a change is approved where it is shown.

    One incident for all of it: each would need a run that sleeps at its gate.
    """
    async with at_the_gate(engine, tmp_path) as response, shown_on_failure(page, tmp_path):
        await log_in(page, engine.server)
        await finds_the_fields_of_a_run_by_hand(page, response)
        await sees_the_decision(page, response)
        await approves_the_change(page, response)


async def finds_the_fields_of_a_run_by_hand(page: Page, response: Case) -> None:
    """The fields in order, each with its description, and the severity a choice of four."""
    deployment = await response.client.read_deployment_by_name("respond/respond")
    await page.goto(f"{response.engine.server.ui_url}/deployments/deployment/{deployment.id}/run")
    labels = page.locator(".schema-form-property__label")
    names = ["service", "summary", "severity", "incident", "requested_by", "dry_run", "environment"]
    await expect(labels).to_have_text([f"{name} (Optional)" for name in names])
    descriptions = page.locator(".schema-form-property__description")
    await expect(descriptions).to_have_count(len(names))
    await expect(descriptions.first).to_have_text("The service that is in trouble.")

    severity = field(page.locator("form"), "severity (Optional)")
    await severity.get_by_role("button", name="Severity", exact=True).click()
    await open_choice(severity)
    await expect(page.locator(OPTION)).to_have_text([item.value for item in Severity])


async def sees_the_decision(page: Page, response: Case) -> None:
    """The decision's artifact shows the tree, drawn by the browser, and the reasons in words."""
    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[f"{response.incident_id}-decision"]))
    (artifact,) = await response.client.read_artifacts(artifact_filter=wanted)
    await page.goto(f"{response.engine.server.ui_url}/artifacts/artifact/{artifact.id}")

    picture = page.locator(".markdown-renderer img")
    await expect(picture).to_have_count(1)
    assert await picture.evaluate("img => img.decode().then(() => img.naturalWidth)") > 0
    decision = (await response.read()).decision
    assert decision is not None
    for reason in decision.because:
        await expect(page.locator("article").filter(has=page.locator("img"))).to_contain_text(reason)


async def approves_the_change(page: Page, response: Case) -> None:
    """Resume shows what changes; the form becomes the answer, its approver a claim, and the run goes on."""
    gate = await response.gate()
    plan = (await response.read()).previews[gate.action_id]
    await page.goto(f"{response.engine.server.ui_url}/runs/flow-run/{gate.flow_run_id}")
    await page.get_by_role("button", name="Resume").click()
    form = page.get_by_role("dialog")
    await expect(form.locator("pre")).to_have_text(for_a_form(decisive_lines(plan.diff).text))
    await expect(field(form, "Decision")).to_contain_text(essence(plan))
    await expect(form).to_contain_text(plan.digest[:12])

    await open_choice(field(form, "Decision"))
    await page.locator(OPTION).get_by_text("approve", exact=True).click()
    await field(form, "Approver").locator("textarea").fill("ana")
    await field(form, "Reason").locator("textarea").fill("users wait")
    await submit(form)

    incident = await response.until(lambda it: gate.action_id in it.results)
    assert incident.closed_gates == {
        gate.gate: Answer(
            choice=Choice.APPROVE,
            approver="ana",
            reason="users wait",
            channel="prefect-ui",
            identity_proven=False,
        )
    }
    assert incident.results[gate.action_id].outcome is ActionOutcome.RECOVERED
    assert len(response.changes()) == 1
