"""A real browser for tests, and the way into Prefect's UI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, async_playwright, expect

from deployments.prefect.server import PrefectServer
from tests.conftest import require_binary
from tests.fixtures.eventually import WITHIN_SECONDS

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def browser_page(*flags: str) -> AsyncIterator[Page]:
    """A page in a headless Chromium that waits generously."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=require_binary("chromium"), args=[*FLAGS, *flags]
        )
        context = await browser.new_context(viewport={"width": 1300, "height": 1100})
        page = await context.new_page()
        page.set_default_timeout(WITHIN_SECONDS * 1000)
        expect.set_options(timeout=WITHIN_SECONDS * 1000)
        try:
            yield page
        finally:
            await browser.close()


async def log_in(page: Page, server: PrefectServer) -> None:
    """Log into the classic UI as a person does, with the password that `runbook up` prints."""
    await page.goto(f"{server.ui_url}/runs")
    await page.locator("input[type=password]").fill(server.access.login(terminal=True))
    await page.get_by_role("button", name="Login").click()
    await page.wait_for_url(f"{server.ui_url}/runs**")
