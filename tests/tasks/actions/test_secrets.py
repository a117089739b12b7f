"""No secret gets out of the cluster: not into the journal, a plan, a result, an artifact or a log."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from prefect.client.orchestration import get_client
from pytest_httpserver import HTTPServer

from deployments.drill.cluster.faults import Fault
from runbook.actions.catalogue import ActionOutcome, PlannedAction
from runbook.actions.specs.fallback import ENABLE_FALLBACK
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.incidents.events import PlanDrifted
from tests.blocks.cluster_world import KEY, deployment
from tests.tasks.changes import DEPLOYMENT, ONE_OF_EACH_KIND, KnownChange, administer
from tests.tasks.mitigation_bench import NEW_KEY, Bench, mitigation_bench, save_replacement_key

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("engineless")]

PASSWORD = "c4naryQ7zX4bV9nM2kL8wE3rT6y"
"""Of no known shape: only the name of its variable gives it away."""

OTHER_PASSWORD = PASSWORD[::-1]
SECRETS = (NEW_KEY, KEY, PASSWORD, OTHER_PASSWORD)
REPLACE = PlannedAction(
    id="1-replace-api-key",
    name=REPLACE_API_KEY.name,
    target=f"default/deployment/{DEPLOYMENT}",
    because="a test",
)


@pytest.fixture
async def bench(
    tmp_path: Path,
    httpserver: HTTPServer,
    engineless: object,  # noqa: ARG001  Prefect keeps the key
) -> AsyncIterator[Bench]:
    """A cluster whose workload has a password in a variable."""
    manifest = deployment()
    app = manifest["spec"]["template"]["spec"]["containers"][0]
    app["env"].insert(1, {"name": "DB_PASSWORD", "value": PASSWORD})  # beside the switch, so in its diff
    block = await save_replacement_key()
    async with mitigation_bench(
        tmp_path, httpserver, manifest=manifest, replacement_key_block=block
    ) as running:
        yield running


def encodings(secret: str) -> set[str]:
    """The secret as it may turn up; of base64 what does not depend on where in a text it begins."""
    shifted = {base64.b64encode(b"x" * n + secret.encode()).decode()[4:-4] for n in range(3)}
    return {secret, quote(secret), *shifted}


def assert_clean(text: str) -> None:
    """No secret is in the text."""
    for secret in SECRETS:
        found = [form for form in encodings(secret) if form in text]
        assert not found, f"…{text[max(0, text.find(found[0]) - 200) :][:300]}…"


def database(folder: Path) -> list[str]:
    """The store's files, as they are."""
    return [file.read_bytes().decode(errors="replace") for file in folder.glob("incidents.db*")]


async def everything(bench: Bench, folder: Path, caplog: pytest.LogCaptureFixture) -> str:
    """All that is kept and shown: the database's files, the artifacts, the log."""
    files = await asyncio.to_thread(database, folder)
    async with get_client() as client:
        artifacts: list[Any] = await client.read_artifacts(limit=200)
    assert files
    assert any(f"{bench.incident.id}-plan" in str(item.key) for item in artifacts)
    return "\n".join([*files, *(str(item.data) for item in artifacts), caplog.text])


@pytest.mark.parametrize("change", ONE_OF_EACH_KIND, ids=lambda change: change.name)
async def test_a_change_and_its_undo_show_no_secret(
    tmp_path: Path, bench: Bench, caplog: pytest.LogCaptureFixture, change: KnownChange
) -> None:
    """Whatever is changed, and although it does not help and is undone."""
    caplog.set_level(logging.INFO)
    action = await change.planned(bench.world)
    await bench.quiet()
    await bench.approve(action)
    bench.signals.mood = "ill"
    result = await bench.take(action)

    assert result.outcome in (ActionOutcome.NOT_RECOVERED, ActionOutcome.RECOVERED)
    assert len(bench.writes()) >= len(change.steps)
    assert_clean(await everything(bench, tmp_path, caplog))


async def test_a_secret_that_drifts_shows_neither_of_its_values(
    tmp_path: Path, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """People learn that something has changed which is masked, and not what."""
    await bench.approve(REPLACE)
    administer(bench.world, env=[{"name": "DB_PASSWORD", "value": OTHER_PASSWORD}])
    await bench.world.until("complete")
    await bench.approve(REPLACE)

    (drifted,) = (await bench.incident.read()).events(PlanDrifted)
    assert drifted.voided == ("ada",)
    assert drifted.because
    await bench.take(REPLACE)
    assert_clean(await everything(bench, tmp_path, caplog))


IN_BASE64 = base64.b64encode(NEW_KEY.encode()).decode()


@pytest.mark.parametrize("form", [NEW_KEY, IN_BASE64], ids=["plain", "base64"])
async def test_a_server_that_quotes_the_request_does_not_leak_it(
    tmp_path: Path, bench: Bench, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    """A webhook repeats what it refuses: the error, the result and the call for a person do not."""
    await bench.approve(REPLACE)
    words = f"admission webhook denied the request: {{data: {{api-key: {form}}}}} is not allowed here, {form}"
    dry_run = Fault(path="/secrets/", method="PATCH")
    refused = Fault(path="/secrets/", method="PATCH", status=403, reason="Forbidden", message=words)
    bench.world.imitation.faults.extend((dry_run, refused))

    result = await bench.take(REPLACE)

    assert result.outcome is ActionOutcome.FAILED
    assert "is not allowed here" in result.detail
    assert_clean(await everything(bench, tmp_path, caplog))


async def test_a_switch_whose_value_is_like_a_secret_is_left_alone(
    tmp_path: Path, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """The journal keeps what the undo puts back, so a person has to change this one."""
    administer(bench.world, env=[{"name": "POSTHOG_FALLBACK", "value": KEY}])
    await bench.world.until("complete")
    action = PlannedAction(
        id="1-enable-fallback",
        name=ENABLE_FALLBACK.name,
        target=f"default/deployment/{DEPLOYMENT}",
        because="a test",
    )
    result = await bench.take(action)

    assert result.outcome is ActionOutcome.BLOCKED
    assert "env POSTHOG_FALLBACK of app looks like a secret" in result.detail
    assert not bench.writes()
    assert_clean("\n".join([*await asyncio.to_thread(database, tmp_path), caplog.text]))
