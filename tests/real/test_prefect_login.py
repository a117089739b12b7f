"""Who follows a link to a run is asked for the password, and comes to the run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from prefect import flow
from prefect.client.orchestration import get_client

from deployments.prefect.server import PrefectServer
from tests.real.browser import browser_page

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A browser that has never been here."""
    async with browser_page() as one:
        yield one


@flow
async def burning() -> None:
    """Stand in for a response."""


async def some_run() -> tuple[str, str]:
    """The id and the name of a run that is there."""
    async with get_client() as client:
        run = await client.create_flow_run(burning, name="posthog-integration-burns")
    return str(run.id), run.name


@pytest.mark.parametrize("known", ["", "cnVuYm9vazphbm90aGVyLXBhc3N3b3Jk"], ids=["none", "of another server"])
async def test_a_link_to_a_run_leads_over_the_login_to_the_run(
    prefect_api: PrefectServer, page: Page, known: str, tmp_path: Path
) -> None:
    """Whether the browser knows no password, or that of a server which had this port before."""
    run, name = await some_run()
    await page.goto(f"{prefect_api.ui_url}/v2/ui-settings")
    if known:
        await page.evaluate("known => localStorage.setItem('prefect-password', known)", known)
    link = f"{prefect_api.ui_url}/runs/flow-run/{run}"

    await page.goto(link)
    password = page.locator("input[type=password]")
    await expect(password).to_be_visible()
    await page.screenshot(path=tmp_path / "login.png")
    await password.fill(prefect_api.access.login(terminal=True))
    await page.get_by_role("button", name="Login").click()

    await page.wait_for_url(f"{link}**")
    await expect(page.get_by_text(name).first).to_be_visible()
    await page.screenshot(path=tmp_path / "run.png")
    await page.reload()
    await expect(page.get_by_text(name).first).to_be_visible()
    assert page.url.startswith(link)
