"""Writes the settings into Prefect: block types, blocks, the work pool and the deployments.

What is there already is compared first, so that a second time changes nothing and says so.
"""

import asyncio
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import BlockDocument, DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.filesystems import LocalFileSystem
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema
from prefect.workers.process import ProcessWorker
from pydantic import ValidationError

from blocks.environment import OPTIONAL, block_types
from blocks.policy import RunbookPolicy
from blocks.self_watch import SelfWatch
from blocks.store.block import IncidentStoreBlock
from blocks.transport.prefect_api import prefect_client
from deployments.prefect.definitions import Definition, definitions
from deployments.prefect.work_pool import fixed_template
from deployments.settings.settings import Settings

OF_ONE_RECEIVER = "self-watch"
"""The deployment that looks at the receiver itself, not at an environment's incidents."""


class Registration(StrEnum):
    """What became of an object in Prefect."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


@dataclass(frozen=True)
class Change:
    """An object in Prefect and what became of it. `kind` is block, work pool or deployment."""

    kind: str
    name: str
    outcome: Registration


async def configure(
    settings: Settings, *, deployments: list[Definition] | None = None, only_blocks: bool = False
) -> list[Change]:
    """Make Prefect hold what the settings say; running it again changes nothing.

    Optional blocks whose section was taken out of the settings are deleted, so that a run does not go on
    using them. `deployments` is what `prefect.yaml` defines unless given. With `only_blocks`, pool and
    deployments stay as they are: those are of the environment whose receiver responds for this one too.

    Raises:
        Unavailable: Prefect's server does not answer.
        Refused: it refused, or there is no address of it.
    """
    settings.make_folders()
    async with prefect_client() as client:
        environment = settings.prefect.environment
        # One after the other: Prefect on SQLite answers parallel writes ten times slower.
        ours = blocks(settings)
        saved = [await _save_block(client, block, environment) for block in ours.values()]
        removed = await _remove_blocks(client, environment, keep=ours)
        if only_blocks:
            return [*saved, *removed]
        pool = await _ensure_pool(client, settings.prefect.work_pool)
        wanted = definitions() if deployments is None else deployments
        others = await _saved_others(client, settings)
        deployed = [await _deploy(client, definition, settings, others) for definition in wanted]
    return [*saved, *removed, pool, *deployed]


def blocks(settings: Settings) -> dict[str, Block]:
    """The block of each system, by the name of its field in `Environment`."""
    kinds = block_types()
    systems = {name: kinds[name](**values) for name, values in settings.systems.items()}
    return {
        "runbook_policy": RunbookPolicy(policy=settings.policy),
        "store": IncidentStoreBlock(url=settings.store_url),
        "evidence": LocalFileSystem(basepath=str(settings.evidence_folder)),
        **systems,
        **_self_watch(settings),
    }


def _self_watch(settings: Settings) -> dict[str, Block]:
    own, token = settings.self_watch, settings.receiver.self_watch_token
    return {"self_watch": SelfWatch(**dict(own), token=token)} if own and token else {}


async def _save_block(client: PrefectClient, block: Block, name: str) -> Change:
    kind = type(block)
    label = f"{kind.get_block_type_slug()}/{name}"
    known = await _read_block(client, kind, name)
    if known is not None:
        await kind.aregister_type_and_schema(client=client)
        if known.block_schema_id == kind._block_schema_id and _holds(known, block):
            return Change("block", label, Registration.UNCHANGED)
    await block.asave(name, overwrite=True, client=client)  # registers the type too
    return Change("block", label, Registration.CREATED if known is None else Registration.UPDATED)


async def _read_block(client: PrefectClient, kind: type[Block], name: str) -> BlockDocument | None:
    try:
        return await client.read_block_document_by_name(
            name, kind.get_block_type_slug(), include_secrets=True
        )
    except ObjectNotFound:
        return None


def _holds(known: BlockDocument, block: Block) -> bool:
    """Whether a saved block has these values. Compared as values: a set has no order in JSON."""
    try:
        saved = type(block).model_validate(known.data)
    except ValidationError:
        return False
    return all(getattr(saved, field) == getattr(block, field) for field in type(block).model_fields)


async def _remove_blocks(client: PrefectClient, environment: str, *, keep: Container[str]) -> list[Change]:
    """Delete the block of each optional system that the settings do not have."""
    removed = []
    kinds = block_types()
    for field in OPTIONAL:
        known = await _read_block(client, kinds[field], environment)
        if known is not None and field not in keep:
            await client.delete_block_document(known.id)
            label = f"{kinds[field].get_block_type_slug()}/{known.name}"
            removed.append(Change("block", label, Registration.DELETED))
    return removed


async def _ensure_pool(client: PrefectClient, name: str) -> Change:
    """The pool, whose runs choose nothing; that of an earlier release, whose runs could, is updated."""
    template = fixed_template()
    try:
        await client.create_work_pool(
            WorkPoolCreate(name=name, type=ProcessWorker.type, base_job_template=template)
        )
    except ObjectAlreadyExists:
        known = await client.read_work_pool(name)
    else:
        return Change("work pool", name, Registration.CREATED)
    if known.type != ProcessWorker.type or known.base_job_template == template:
        return Change("work pool", name, Registration.UNCHANGED)
    await client.update_work_pool(name, WorkPoolUpdate(base_job_template=template))
    return Change("work pool", name, Registration.UPDATED)


async def _saved_others(client: PrefectClient, settings: Settings) -> list[str]:
    """The other environments of `[services]` that Prefect has: runs of one that it has not would fail."""
    names = sorted({*settings.routing.elsewhere.values()})
    return [name for name in names if await _read_block(client, RunbookPolicy, name) is not None]


async def _deploy(
    client: PrefectClient, definition: Definition, settings: Settings, others: Sequence[str]
) -> Change:
    flow: Flow[..., Any] = await asyncio.to_thread(load_flow_from_entrypoint, definition.entrypoint)
    wanted = _deployment(definition, flow, settings, others)
    label = f"{flow.name}/{definition.name}"
    known = await _read_deployment(client, label)
    if known is not None and _matches(known, wanted):
        return Change("deployment", label, Registration.UNCHANGED)
    await client.create_deployment(flow_id=await client.create_flow(flow), **wanted)  # creates or replaces
    return Change("deployment", label, Registration.CREATED if known is None else Registration.UPDATED)


def _deployment(
    definition: Definition, flow: Flow[..., Any], settings: Settings, others: Sequence[str]
) -> dict[str, Any]:
    interval = definition.interval and settings.intervals.get(definition.name, definition.interval)
    scheduled = (None, *(() if definition.name == OF_ONE_RECEIVER else others)) if interval else ()
    return {
        "name": definition.name,
        "entrypoint": definition.entrypoint,
        "description": definition.description,
        "version": flow.version,
        "tags": list(definition.tags),
        "parameters": definition.parameters | {"environment": settings.prefect.environment},
        "parameter_openapi_schema": parameter_schema(flow).model_dump(exclude_unset=True),
        "enforce_parameter_schema": True,
        "work_pool_name": settings.prefect.work_pool,
        "pull_steps": [],
        "job_variables": {},
        "schedules": [_every(interval or 0, name) for name in scheduled],
    }


def _every(seconds: int, other: str | None) -> DeploymentScheduleCreate:
    """The schedule of our environment, or of another one."""
    return DeploymentScheduleCreate(
        schedule=IntervalSchedule(interval=timedelta(seconds=seconds)),
        slug="due" if other is None else f"due-{other}",
        parameters={} if other is None else {"environment": other},
    )


async def _read_deployment(client: PrefectClient, label: str) -> DeploymentResponse | None:
    try:
        return await client.read_deployment_by_name(label)
    except ObjectNotFound:
        return None


def _matches(known: DeploymentResponse, wanted: dict[str, Any]) -> bool:
    # The version is a label: `prefect deploy` takes git's commit for it where the project has a remote.
    plain = wanted.keys() - {"name", "version", "schedules", "pull_steps"}
    if any(getattr(known, key) != wanted[key] for key in plain) or known.pull_steps:
        return False
    # The anchor is left out: it is the time at which the schedule was made. Prefect keeps no order.
    return sorted(map(_due, known.schedules)) == sorted(map(_due, wanted["schedules"]))


def _due(item: DeploymentSchedule | DeploymentScheduleCreate) -> tuple[str, timedelta]:
    return str(item.parameters.get("environment", "")), _interval(item.schedule) or timedelta(0)


def _interval(schedule: object) -> timedelta | None:
    return schedule.interval if isinstance(schedule, IntervalSchedule) else None
