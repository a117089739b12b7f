"""The work pool leaves a run no choice, in whichever worker, and `configure` puts the pool right."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import PrefectHTTPStatusError
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker

from deployments.prefect.configure import Registration, configure
from deployments.prefect.definitions import PREFECT_FILE
from deployments.prefect.work_pool import fixed_template
from deployments.settings.settings import Settings, check_settings

CHOICES: dict[str, Any] = {
    "command": "touch /tmp/injected",
    "env": {"INJECTED": "yes"},
    "env.INJECTED": "yes",
    "working_dir": "/tmp",  # noqa: S108  is not used
    "stream_output": False,
    "labels": {"injected": "yes"},
    "name": "injected",
    "image": "injected",
}


pytestmark = [pytest.mark.proof, pytest.mark.real, pytest.mark.usefixtures("prefect_api")]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The smallest settings, with a pool of their own."""
    name = f"pool-{uuid4().hex[:8]}"
    tables = {
        "prefect": {"environment": name, "work_pool": name},
        "integration": {"health_url": "http://127.0.0.1:1/health"},
    }
    return check_settings(tables, origin=tmp_path / "runbook.toml")


async def job(template: dict[str, Any], variables: dict[str, Any]) -> ProcessJobConfiguration:
    """What a stock worker makes of a pool's template and a run's job variables."""
    async with get_client() as client:
        made: ProcessJobConfiguration = await ProcessJobConfiguration.from_template_and_values(
            template, variables, client=client
        )
    return made


@pytest.mark.parametrize("name", CHOICES)
async def test_a_job_variable_reaches_no_stock_worker_s_job(name: str) -> None:
    """What Prefect makes of the template is the same with and without it."""
    chosen = await job(fixed_template(), {name: CHOICES[name]})
    assert chosen == await job(fixed_template(), {})
    assert (chosen.command, chosen.env, chosen.working_dir) == (None, {}, None)


async def test_prefect_s_own_template_would_take_them() -> None:
    """So that the test above shows something."""
    chosen = await job(ProcessWorker.get_default_base_job_template(), CHOICES)
    assert (chosen.command, chosen.env) == ("touch /tmp/injected", {"INJECTED": "yes"})


def test_prefect_yaml_brings_no_job_variables() -> None:
    """`prefect deploy` would write them into the deployments."""
    entries = yaml.safe_load(PREFECT_FILE.read_text())["deployments"]
    assert {tuple(entry["work_pool"]) for entry in entries} == {("name",)}
    assert {tuple(entry.get("pull", ())) for entry in entries} == {()}


async def test_the_pool_of_an_earlier_release_is_put_right(settings: Settings) -> None:
    """Its limits stay. Then the server itself refuses job variables, and a second time nothing changes."""
    pool = settings.prefect.work_pool
    async with get_client() as client:
        await client.create_work_pool(
            WorkPoolCreate(
                name=pool,
                type="process",
                base_job_template=ProcessWorker.get_default_base_job_template(),
                concurrency_limit=7,
            )
        )
        changes = {change.name: change.outcome for change in await configure(settings)}
        known = await client.read_work_pool(pool)
        assert changes[pool] is Registration.UPDATED
        assert known.base_job_template == fixed_template()
        assert known.concurrency_limit == 7
        deployment = await client.read_deployment_by_name("triage/triage")
        for variables in ({"command": "touch /tmp/injected"}, {"env": {"INJECTED": "yes"}}):
            with pytest.raises(PrefectHTTPStatusError) as refused:
                await client.create_flow_run_from_deployment(deployment.id, job_variables=variables)
            assert refused.value.response.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert {change.outcome for change in await configure(settings)} == {Registration.UNCHANGED}


async def test_what_was_written_into_a_deployment_is_put_right(settings: Settings) -> None:
    """Job variables, pull steps and another entrypoint go again when the settings are saved."""
    await configure(settings)
    async with get_client() as client:
        known = await client.read_deployment_by_name("triage/triage")
        open_again = WorkPoolUpdate(base_job_template=ProcessWorker.get_default_base_job_template())
        for change in (
            DeploymentUpdate(job_variables={"command": "touch /tmp/injected"}),
            DeploymentUpdate(
                pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": "/"}}]
            ),
            DeploymentUpdate(entrypoint="injected.flow"),
        ):
            await client.update_work_pool(settings.prefect.work_pool, open_again)
            await client.update_deployment(known.id, change)
            changes = await configure(settings)
            assert {each.name for each in changes if each.outcome is Registration.UPDATED} >= {
                "triage/triage"
            }
            put_right = await client.read_deployment(known.id)
            assert (put_right.job_variables, put_right.pull_steps or []) == ({}, [])
            assert put_right.entrypoint == known.entrypoint
