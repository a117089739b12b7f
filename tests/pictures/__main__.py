"""Make the README's pictures: a real response to a simulated outage, stopped at its question.

`make pictures` writes them into `docs/pictures/`. Everything in them is what a person sees: the command in a
terminal, Prefect's form, an artifact, the receiver's page, and the channel in the imitated Slack.
"""

import argparse
import asyncio
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Page
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from rich.console import Console
from rich.text import Text

from deployments.cli.prefect_settings import chosen_prefect
from deployments.drill.run.settings import write_settings
from deployments.drill.world.process import running_world
from deployments.processes.stack import Stack
from deployments.settings.settings import load_settings
from tests.real.browser import browser_page

FOLDER = Path("docs/pictures")
SCENARIO = "posthog-outage"
MOST_BYTES = 150_000
TROUBLE_SHOWS_SECONDS, GATE_SECONDS = 6.0, 60.0
COLUMNS = 98
SOON_REMINDED = {"nearing_share": 0.05}
"""45 seconds of the quarter of an hour: soon enough to wait for, after the other pictures."""

PHONE, PHONE_SHOWS = 390, 900
"""Pixels of a phone: its width, and how much of a long page a column of the picture shows."""

FONTS_ELSEWHERE = re.compile(r"@font-face\s*\{[^}]*\}")
"""Rich's picture asks another server for its fonts; the browser's own do as well."""

RUNBOOK = [sys.executable, "-c", "import sys; from deployments.cli import main; sys.exit(main())"]


async def make(folder: Path) -> None:
    """Have an incident ask its question, and take all pictures of it."""
    with tempfile.TemporaryDirectory() as temporary:
        state = Path(temporary)
        async with running_world(SCENARIO, state) as world:
            url = f"sqlite+aiosqlite:///{state / 'incidents.db'}"
            config = write_settings(
                world.endpoints, state, store_url=url, evidence=state / "evidence", policy=SOON_REMINDED
            )
            settings = load_settings(config, systems=False)
            async with Stack(settings, config=config, state=state) as stack, browser_page() as page:
                await asyncio.sleep(TROUBLE_SHOWS_SECONDS)
                await world.send_alert(f"{stack.receiver_url}/alerts/alertmanager")
                incident = await asked(config)
                await terminal(page, folder, config)
                await receiver(page, folder, stack.receiver_url)
                await in_slack(page, folder, world.endpoints.control_url)
                await prefect(page, folder, stack, config, incident)
                await reminder(page, folder, world.endpoints.control_url)


async def asked(config: Path) -> dict[str, Any]:
    """The incident, once it asks for an approval.

    Raises:
        TimeoutError: it does not.
    """
    until = time.monotonic() + GATE_SECONDS
    while time.monotonic() < until:
        seen = await asyncio.to_thread(command, config, "incidents", "--waiting", "--json")
        if '"answer"' in seen:
            shown = await asyncio.to_thread(command, config, "incident", "latest", "--json")
            facts: dict[str, Any] = json.loads(shown)
            return facts
        await asyncio.sleep(1)
    raise TimeoutError("the incident asks nothing")


def command(config: Path, *words: str) -> str:
    """What a command prints in a terminal with colours."""
    environment = os.environ | {
        "RUNBOOK_CONFIG": str(config),
        "COLUMNS": str(COLUMNS),
        "FORCE_COLOR": "1",
        "COLORTERM": "truecolor",
        "TERM": "xterm-256color",
    }
    done = subprocess.run([*RUNBOOK, *words], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


async def terminal(page: Page, folder: Path, config: Path) -> None:
    """`runbook incident latest`, as a terminal shows it."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "dim"), "runbook incident latest"))
    shown = await asyncio.to_thread(command, config, "incident", "latest")
    console.print(Text.from_ansi(shown), soft_wrap=True)
    svg = FONTS_ELSEWHERE.sub("", console.export_svg(title="runbook incident latest"))
    await page.set_viewport_size({"width": 1250, "height": 900})
    await page.set_content(f"<body style='margin:0'>{svg}</body>")
    await save(folder / "terminal.png", await page.locator("svg").first.screenshot())


async def receiver(page: Page, folder: Path, url: str) -> None:
    """The receiver's first page, with what waits."""
    await page.set_viewport_size({"width": 1100, "height": 800})
    await page.goto(url)
    await page.wait_for_timeout(500)
    await save(folder / "receiver.png", await page.screenshot())


async def in_slack(page: Page, folder: Path, control_url: str) -> None:
    """The channel, as the imitated Slack shows it."""
    await page.set_viewport_size({"width": 1000, "height": 500})
    await page.goto(f"{control_url}/slack")
    await page.get_by_role("button", name="Approve").wait_for()
    await save(folder / "slack.png", await page.screenshot(full_page=True))
    await page.set_viewport_size({"width": PHONE, "height": PHONE_SHOWS})
    await save(folder / "slack-phone.png", in_columns(await page.screenshot(full_page=True)))


def in_columns(png: bytes) -> bytes:
    """A long page of a phone as columns side by side, as three looks at it."""
    page = Image.open(io.BytesIO(png))
    number = min(3, -(-page.height // PHONE_SHOWS))
    columns = Image.new("RGB", (3 * PHONE + 2 * 24, PHONE_SHOWS), "#d0d0d0")
    for column in range(number):
        top = column * PHONE_SHOWS
        shown = page.crop((0, top, PHONE, min(page.height, top + PHONE_SHOWS)))
        columns.paste("white", (column * (PHONE + 24), 0, column * (PHONE + 24) + PHONE, PHONE_SHOWS))
        columns.paste(shown, (column * (PHONE + 24), 0))
    made = io.BytesIO()
    columns.save(made, "PNG")
    return made.getvalue()


async def reminder(page: Page, folder: Path, control_url: str) -> None:
    """The reminder of a clock, with its buttons, once it is there."""
    await page.set_viewport_size({"width": 1000, "height": 160})
    until = time.monotonic() + GATE_SECONDS
    about = page.locator("article", has=page.get_by_role("button", name="Snooze")).first
    while not await about.count():
        if time.monotonic() > until:
            raise TimeoutError("nobody is reminded")
        await page.wait_for_timeout(1000)
        await page.goto(f"{control_url}/slack")
    await about.evaluate(
        "it => document.querySelectorAll('article').forEach(each => each === it || each.remove())"
    )
    await page.set_viewport_size({"width": 1000, "height": 10})
    await save(folder / "reminder.png", await page.screenshot(full_page=True))


async def prefect(page: Page, folder: Path, stack: Stack, config: Path, incident: dict[str, Any]) -> None:
    """The form of the question, and the decision with the picture of the tree."""
    if stack.access is None:
        raise RuntimeError("the pictures need a Prefect server of their own")
    ui, access = stack.access.ui_url, stack.access
    await page.set_viewport_size({"width": 1300, "height": 860})
    await page.goto(f"{ui}/runs")
    await page.locator("input[type=password]").fill(access.login(terminal=True))
    await page.get_by_role("button", name="Login").click()
    await page.wait_for_url(f"{ui}/runs**")
    await page.goto(str(incident["flow_run"]))
    await page.get_by_role("button", name="Resume").first.click()
    await page.get_by_role("dialog").get_by_text(incident["gate"]["essence"]).first.wait_for()
    await page.wait_for_timeout(800)  # the form slides in
    await save(folder / "form.png", await page.screenshot())
    key = f"{incident['incident']}-decision"
    with chosen_prefect(config):
        async with get_client() as client:
            [artifact] = await client.read_artifacts(
                artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
            )
    await page.goto(f"{ui}/artifacts/artifact/{artifact.id}")
    await page.get_by_text("PostHog API returning errors?").first.wait_for()
    await page.wait_for_timeout(500)
    await save(folder / "artifact.png", await page.screenshot())


async def save(path: Path, png: bytes) -> None:
    """Write a picture, with as many colours as it needs to be small.

    Raises:
        ValueError: it is too large for the repository.
    """
    small = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(colors=96, dither=Image.Dither.NONE)
    picture.save(small, "PNG", optimize=True)
    if len(small.getvalue()) > MOST_BYTES:
        raise ValueError(f"{path} has {len(small.getvalue())} bytes, more than {MOST_BYTES}")
    await asyncio.to_thread(path.write_bytes, small.getvalue())
    print(f"{path}: {len(small.getvalue())} bytes")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(make(folder))


if __name__ == "__main__":
    main()
