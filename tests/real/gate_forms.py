"""A run that sleeps at a gate, and its form in each of Prefect's two UIs."""

from typing import Any
from uuid import UUID

from playwright.async_api import Locator, Page
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.input.run_input import keyset_from_base_key
from prefect.states import Suspended

from deployments.prefect.server import PrefectServer
from flows.gate_form import form_of
from runbook.actions.catalogue import ChangePlan
from runbook.incidents.report import gate_question

SIZES = {"laptop": (1440, 900), "desktop": (1920, 1080), "phone": (390, 844)}
"""Width and height of the windows that people answer in, in pixels."""


WIDE = 640
"""Pixels from which on the classic UI shows its buttons."""


@flow
async def sleeping() -> None:
    """Stand in for a response."""


async def run_at_gate(plan: ChangePlan, gate: str) -> UUID:
    """A suspended run with the form and the question of this gate, saved as the gate saves them."""
    form = form_of(plan, gate).with_initial_data(description=gate_question(plan))
    async with get_client() as client:
        run = await client.create_flow_run(sleeping, name="posthog-integration-burns")
        keys = keyset_from_base_key(f"suspended-{gate}")
        await form.asave(keys, flow_run_id=run.id)
        state: State[Any] = Suspended(pause_key=gate)
        state.state_details.run_input_keyset = {str(key): value for key, value in keys.items()}
        await client.set_flow_run_state(run.id, state, force=True)
    return run.id


async def open_classic(page: Page, server: PrefectServer, run: UUID) -> Locator:
    """The form in the classic UI; a narrow window has Resume in a menu."""
    await page.goto(f"{server.ui_url}/runs/flow-run/{run}")
    resume = page.get_by_role("button", name="Resume").first
    if page.viewport_size and page.viewport_size["width"] < WIDE:
        await page.locator(".page-heading-flow-run .p-icon-button-menu button").first.click()
        resume = page.get_by_text("Resume", exact=True).first
    await resume.click()
    return page.get_by_role("dialog")


async def open_current(page: Page, server: PrefectServer, run: UUID) -> Locator:
    """The form in the current UI, which has Resume in a menu."""
    await page.goto(f"{server.ui_url}/v2/runs/flow-run/{run}")
    await (
        page.get_by_role("button", name="Open menu")
        .or_(page.locator("main button[aria-haspopup=menu]").first)
        .first.click()
    )
    await page.get_by_role("menuitem", name="Resume").click()
    return page.get_by_role("dialog")
