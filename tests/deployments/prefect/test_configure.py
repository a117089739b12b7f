"""Configuring: what stands in the settings stands in Prefect, and a second time changes nothing."""

import asyncio
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.flows import load_flow_from_entrypoint
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.callables import parameter_schema

from blocks.environment import Environment
from blocks.transport.errors import Refused, Unavailable
from deployments.prefect.configure import Registration, configure
from deployments.prefect.definitions import definitions
from deployments.prefect.server import PrefectServer
from deployments.processes.process import free_port
from deployments.settings.settings import PrefectSettings, SelfWatchSettings, Settings, check_settings
from flows.self_watch import OFF, self_watch

ROOT = Path(__file__).parents[3]
WITHIN_SECONDS = 90.0
DEPLOY = (str(Path(sys.executable).parent / "prefect"), "deploy", "--all")
NAMES = {
    "respond/respond",
    "triage/triage",
    "act-on-incident/act-on-incident",
    "clean-up/clean-up",
    "collect-evidence/collect-evidence",
    "draft-postmortem/draft-postmortem",
    "remind/remind",
    "watchdog/watchdog",
}

pytestmark = [pytest.mark.proof, pytest.mark.real]


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """The smallest settings, with one optional system."""
    monkeypatch.setenv("PAGER_KEY", "first-key")
    return {
        "integration": {"health_url": "http://127.0.0.1:1/health"},
        "pager": {"routing_key": {"env": "PAGER_KEY"}},
    }


def settings(tables: dict[str, dict[str, Any]], folder: Path, **prefect: Any) -> Settings:
    """These settings, as an environment named after the folder of the test."""
    name = folder.name.replace("_", "-").strip("-").lower()
    return check_settings(
        tables | {"prefect": {"environment": name, "work_pool": name} | prefect},
        origin=folder / "runbook.toml",
    )


@pytest.mark.usefixtures("prefect_api")
async def test_what_is_configured_can_be_loaded(tables: dict[str, Any], tmp_path: Path) -> None:
    """A flow run that names the environment gets the values of the settings, secrets included."""
    wanted = settings(tables, tmp_path)
    await configure(wanted)
    loaded = await Environment.load(wanted.prefect.environment)
    assert loaded.integration.health_url == "http://127.0.0.1:1/health"
    assert loaded.store.url == wanted.store_url
    assert loaded.evidence.basepath == str(tmp_path / ".runbook" / "evidence")
    assert loaded.runbook_policy.policy == wanted.policy
    assert loaded.pager is not None
    assert loaded.pager.routing_key.get_secret_value() == "first-key"
    assert loaded.slack is None


@pytest.mark.usefixtures("prefect_api")
async def test_configuring_again_changes_nothing(tables: dict[str, Any], tmp_path: Path) -> None:
    """The second time, every object is the one of the first time, down to its revision."""
    first = await configure(settings(tables, tmp_path))
    async with get_client() as client:
        before = {name: await client.read_deployment_by_name(name) for name in NAMES}
        second = await configure(settings(tables, tmp_path))
        after = {name: await client.read_deployment_by_name(name) for name in NAMES}
    assert {change.name for change in first} == {change.name for change in second}
    assert {change.outcome for change in second} == {Registration.UNCHANGED}
    assert before == after


@pytest.mark.usefixtures("prefect_api")
async def test_another_process_changes_nothing_either(
    tables: dict[str, Any], tmp_path: Path, prefect_api: PrefectServer
) -> None:
    """What is compared does not depend on the order that a process happens to give a set."""
    await configure(settings(tables, tmp_path))
    name = settings(tables, tmp_path).prefect.environment
    (tmp_path / "runbook.toml").write_text(
        f'[prefect]\nenvironment = "{name}"\nwork_pool = "{name}"\n'
        '[integration]\nhealth_url = "http://127.0.0.1:1/health"\n'
        '[pager]\nrouting_key = { env = "PAGER_KEY" }\n'
    )
    script = (
        "import asyncio, sys, pathlib\n"
        "from deployments.prefect.configure import configure\n"
        "from deployments.settings.settings import load_settings\n"
        "settings = load_settings(pathlib.Path(sys.argv[1]))\n"
        "for change in asyncio.run(configure(settings)): print(change.outcome)\n"
    )
    result = subprocess.run(  # noqa: ASYNC221  nothing else is to happen meanwhile
        [sys.executable, "-c", script, str(tmp_path / "runbook.toml")],
        env=prefect_api.client_environment(tmp_path) | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(result.stdout.split()) == {"unchanged"}


@pytest.mark.usefixtures("prefect_api")
async def test_a_changed_setting_updates_its_block_alone(
    tables: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that was rotated is a change too."""
    await configure(settings(tables, tmp_path))
    monkeypatch.setenv("PAGER_KEY", "second-key")
    changes = await configure(settings(tables, tmp_path))
    [updated] = [change for change in changes if change.outcome is not Registration.UNCHANGED]
    assert (updated.kind, updated.outcome) == ("block", Registration.UPDATED)
    assert updated.name.startswith("runbook-pager/")


@pytest.mark.usefixtures("prefect_api")
async def test_a_system_that_was_taken_out_is_deleted(tables: dict[str, Any], tmp_path: Path) -> None:
    """Runs do not go on paging with a key that is no longer in the settings."""
    await configure(settings(tables, tmp_path))
    del tables["pager"]
    wanted = settings(tables, tmp_path)
    changes = await configure(wanted)
    assert [change.name for change in changes if change.outcome is Registration.DELETED] == [
        f"runbook-pager/{wanted.prefect.environment}"
    ]
    assert (await Environment.load(wanted.prefect.environment)).pager is None


@pytest.mark.usefixtures("prefect_api")
async def test_the_deployments_follow_the_settings(tables: dict[str, Any], tmp_path: Path) -> None:
    """Environment, pool and interval come from the settings, everything else from prefect.yaml."""
    wanted = settings(
        tables,
        tmp_path,
        collect_evidence_every=120,
        remind_every=20,
        clean_up_every=7200,
        watchdog_every=45,
    )
    every = {
        "clean-up/clean-up": [7200],
        "collect-evidence/collect-evidence": [120],
        "remind/remind": [20],
        "watchdog/watchdog": [45],
    }
    await configure(wanted)
    async with get_client() as client:
        found = {name: await client.read_deployment_by_name(name) for name in NAMES}
    for name, deployment in found.items():
        assert deployment.entrypoint in {definition.entrypoint for definition in definitions()}
        assert deployment.work_pool_name == wanted.prefect.work_pool
        assert deployment.parameters["environment"] == wanted.prefect.environment
        assert intervals(deployment) == every.get(name, [])


def test_the_intervals_of_the_settings_are_those_of_prefect_yaml() -> None:
    """Every deployment with a schedule has its setting, whose default `prefect deploy` uses as well."""
    scheduled = {item.name: item.interval for item in definitions() if item.interval}
    assert scheduled == {**PrefectSettings().intervals, "self-watch": SelfWatchSettings().every}


@pytest.mark.usefixtures("prefect_api")
async def test_the_self_watch_is_on_where_it_is_configured(
    tables: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its interval and the receiver's own address and token; without its section it is off."""
    monkeypatch.setenv("ALERT_TOKEN", "a-token-of-some-length")
    monkeypatch.setenv("PING_URL", "https://ping.example/secret")
    tables["receiver"] = {"host": "0.0.0.0", "port": 8300, "token": {"env": "ALERT_TOKEN"}}  # noqa: S104
    tables["self_watch"] = {"every": 30, "ping_url": {"env": "PING_URL"}}
    wanted = settings(tables, tmp_path)
    await configure(wanted)
    block = (await Environment.load(wanted.prefect.environment)).self_watch
    assert block is not None
    assert (block.every, block.receiver_url) == (30, "http://127.0.0.1:8300")
    assert block.token.get_secret_value() == "a-token-of-some-length"
    assert block.ping_url is not None
    assert block.ping_url.get_secret_value() == "https://ping.example/secret"

    async with get_client() as client:
        assert intervals(await client.read_deployment_by_name("self-watch/self-watch")) == [30]
        del tables["self_watch"]
        changes = await configure(settings(tables, tmp_path))
        assert intervals(await client.read_deployment_by_name("self-watch/self-watch")) == []
    assert await self_watch(wanted.prefect.environment) == OFF
    deleted = [change.name for change in changes if change.outcome is Registration.DELETED]
    assert deleted == [f"runbook-self-watch/{wanted.prefect.environment}"]


async def test_an_unreachable_prefect_is_one_line(tables: dict[str, Any], tmp_path: Path) -> None:
    """The line has the address that was tried and what to do."""
    url = f"http://127.0.0.1:{free_port()}/api"
    with temporary_settings({PREFECT_API_URL: url}), pytest.raises(Unavailable) as refused:
        await configure(settings(tables, tmp_path))
    assert str(refused.value) == (
        f"Prefect: no answer at {url}. Start it (`runbook up`), or correct PREFECT_API_URL"
    )


async def test_without_an_address_no_server_is_made_up(tables: dict[str, Any], tmp_path: Path) -> None:
    """Prefect would start a throw-away server of its own; blocks saved there would be lost."""
    with temporary_settings(restore_defaults={PREFECT_API_URL}), pytest.raises(Refused) as refused:
        await configure(settings(tables, tmp_path))
    assert "PREFECT_API_URL is not set" in str(refused.value)


@pytest.mark.usefixtures("prefect_api")
async def test_prefect_deploy_makes_the_same_deployments(
    tables: dict[str, Any], tmp_path: Path, prefect_api: PrefectServer
) -> None:
    """`prefect deploy --all` with prefect.yaml asks nothing, and agrees with `runbook configure`.

    But for the self-watch: only the settings say that it is off, and has no schedule.
    """
    wanted = settings(tables, tmp_path, environment="default", work_pool="runbook")
    await configure(wanted)
    async with get_client() as client:
        ours = {name: await client.read_deployment_by_name(name) for name in NAMES}
        for deployment in ours.values():
            await client.delete_deployment(deployment.id)
        environment = prefect_api.client_environment(tmp_path) | {"PATH": os.environ["PATH"]}
        status, said = await asyncio.to_thread(deployed_at_a_terminal, environment)
        assert status == 0, said
        theirs = {name: await client.read_deployment_by_name(name) for name in NAMES}
    assert {name: entrypoint(theirs[name]) for name in NAMES} == {
        name: entrypoint(ours[name]) for name in NAMES
    }
    again = await configure(wanted)
    changed = [change for change in again if change.outcome is not Registration.UNCHANGED]
    assert [change.name for change in changed] == ["self-watch/self-watch"]


def deployed_at_a_terminal(environment: dict[str, str]) -> tuple[int, str]:
    """The exit status and the output of the command, which could ask a person; nobody answers."""
    ours, theirs = pty.openpty()
    said = b""
    with subprocess.Popen(
        [*DEPLOY, "--prefect-file", "deployments/prefect.yaml"],
        cwd=ROOT,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        ends = time.monotonic() + WITHIN_SECONDS
        while time.monotonic() < ends:
            if select.select([ours], [], [], 0.5)[0]:
                try:
                    said += os.read(ours, 65_536)
                except OSError:  # the other end is closed
                    break
        else:
            process.kill()
    os.close(ours)
    return process.returncode, said.decode(errors="replace")


def intervals(deployment: DeploymentResponse) -> list[float]:
    """How often a deployment runs by itself, in seconds."""
    schedules = [item.schedule for item in deployment.schedules]
    return [item.interval.total_seconds() for item in schedules if isinstance(item, IntervalSchedule)]


def entrypoint(deployment: DeploymentResponse) -> str | None:
    """What a deployment runs."""
    return deployment.entrypoint


async def test_every_parameter_is_described() -> None:
    """The form in Prefect's UI explains each parameter of each flow."""
    bare = [
        f"{definition.name}.{name}"
        for definition in definitions()
        for name, field in parameter_schema(
            load_flow_from_entrypoint(definition.entrypoint)
        ).properties.items()
        if not field.get("description")
    ]
    assert bare == []
