"""The form of a gate in both of Prefect's UIs, as people have it before them at a desk and on a phone."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Locator, Page, expect

from deployments.prefect.server import PrefectServer
from runbook.actions.essence import decisive_lines, essence, for_a_form
from runbook.actions.spec import ActionSpec
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.raise_memory_limit import RAISE_MEMORY_LIMIT
from tests.real.browser import browser_page, log_in
from tests.real.gate_forms import SIZES, open_classic, open_current, run_at_gate
from tests.tasks.mitigation_bench import Bench
from tests.tasks.planned_actions import action, bench

__all__ = ["bench"]

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

Opens = Callable[[Page, PrefectServer, UUID], Awaitable[Locator]]

SEEN = """element => {
  const box = element.getBoundingClientRect();
  const points = [[box.left + 2, box.top + 2], [box.left + 2, box.bottom - 3]];
  return points.every(([x, y]) => {
    const there = document.elementFromPoint(x, y);
    return there !== null && (element.contains(there) || there.contains(element));
  }) && box.height > 0;
}"""
"""Whether an element is there from its top to its bottom, with nothing over it and no scrolling to it."""


@pytest.mark.parametrize("opens", [open_classic, open_current])
@pytest.mark.parametrize(
    ("spec", "parameters"),
    [(ENABLE_FALLBACK, {}), (RAISE_MEMORY_LIMIT, {"memory": "512Mi"})],
    ids=["switch", "edit"],
)
async def test_what_is_decided_is_seen_without_scrolling(
    opens: Opens,
    spec: ActionSpec,
    parameters: dict[str, str],
    bench: Bench,
    prefect_api: PrefectServer,
    tmp_path: Path,
) -> None:
    """The change in one line, and every line of it that changes, at each size and in each UI.

    A picture of each is left in the test's folder.
    """
    plan = await bench.preview(action(spec.name, **parameters))
    run = await run_at_gate(plan, f"{plan.action.id}-1-9f86d081884c7d65")
    async with browser_page() as page:
        await log_in(page, prefect_api)
        for size, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            form = await opens(page, prefect_api, run)
            in_one_line = form.get_by_text(essence(plan), exact=True).first
            lines = form.locator("pre").first
            await expect(lines).to_contain_text(for_a_form(decisive_lines(plan.diff).text).splitlines()[-1])
            await page.wait_for_timeout(500)  # the form slides in
            await page.screenshot(path=tmp_path / f"{size}.png")
            for part in (in_one_line, lines):
                assert await part.evaluate(SEEN), f"{size}: see {tmp_path}"
