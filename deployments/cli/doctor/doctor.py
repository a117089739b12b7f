"""`runbook doctor`: whether the runbook has its rights, its settings fit, and access is closed."""

import asyncio
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from deployments.cli.doctor.rows import CheckRow, State, print_rows
from deployments.cli.errors import ExitCode
from deployments.cli.options import ConfigOption, EnvironmentOption, JsonOption
from deployments.cli.output import console, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from blocks.environment import Environment
    from blocks.kubernetes.access.permissions import AccessLevel, Permission
    from blocks.kubernetes.cluster import Cluster
    from blocks.self_watch import SelfWatch
    from blocks.transport.errors import OutsideError
    from deployments.cli.sources import Sources


@dataclass(frozen=True)
class Right:
    """One right, whether the cluster gives it, and whether the configured access makes use of it."""

    level: "AccessLevel"
    permission: "Permission"
    allowed: bool
    needed: bool

    @property
    def verdict(self) -> str:
        """What the table says."""
        if self.needed:
            return "allowed" if self.allowed else "missing"
        return "allowed, not needed" if self.allowed else "not needed"


async def doctor(
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = None,
    send_test: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    json: JsonOption = False,
) -> int:
    """Check every system that the runbook uses, its rights in the cluster, and who is told when it stops.

    Asks each system with our credentials, asks the cluster about each right and for the workload, container,
    pods, Secret and key of the settings, and asks Prefect as a stranger would. Tells of secret files that
    others can read. A check that fails keeps no other from being made; a table and what to do come last.
    Exits with 1 if something is wrong, with 4 if nothing is but a system cannot be reached, else with 0; what
    is not configured is told, and is no failure.

    Parameters
    ----------
    send_test
        Send a marked message through each channel, and page with a marked event that is resolved at once.
    """
    from blocks.transport.errors import OutsideError
    from deployments.cli.doctor.prefect_exposure import exposures
    from deployments.cli.doctor.prefect_row import prefect_rows
    from deployments.cli.doctor.sending import send_tests
    from deployments.cli.doctor.systems import cluster_clock
    from deployments.cli.doctor.target_settings import misfits
    from deployments.cli.sources import find_sources

    sources = find_sources(config, environment)
    exposed, systems = sources.settings_warnings(), await _made(sources)
    open_ways = await exposures(sources.config, sources.work_pool())
    cluster, unwatched = systems.cluster, unwatched_because(systems.self_watch)
    uncalled = uncalled_because(systems)
    rights: list[Right] | None = None  # None where the cluster does not say
    unanswered: OutsideError | None = None
    wrong: list[str] = []
    try:
        rights = await examine(cluster)
        wrong = await misfits(cluster, {right.permission for right in rights if right.allowed})
    except OutsideError as error:
        unanswered = error
    checked = [
        *await prefect_rows(sources.config, sources.work_pool()),
        _cluster_row(cluster, rights, wrong, unanswered),
        cluster_clock(cluster, datetime.now(UTC)),
        *await _system_rows(systems, unanswered, send_test=send_test),
        *(await send_tests(systems) if send_test else ()),
        *await _socket_rows(sources.config),
        *_missing_rows(sources.config, systems),
    ]
    cluster.client.disconnect()
    grave = any(each.grave for each in open_ways)
    missing = None if rights is None else missing_rules(rights)
    if json:
        prefect = [asdict(each) for each in open_ways]
        document = _document(cluster, rights, missing)
        told = {"uncalled": uncalled, "unwatched": unwatched, "settings": exposed, "prefect": prefect}
        ok = document["ok"] and not (grave or wrong) and not _code(checked)
        print_json(
            document
            | {"ok": ok, "settings_that_do_not_fit": wrong}
            | told
            | {"systems": [asdict(row) for row in checked]}
        )
    else:
        for line in (*exposed, *map(str, open_ways)):
            console().print(line, markup=False, soft_wrap=True)
        for line in filter(None, (uncalled, unwatched)):
            console().print(line, markup=False)  # [self_watch] is no style
        if rights is not None and missing is not None:
            _print(console(), cluster, rights, missing)
        for line in wrong:
            console().print(line, markup=False, soft_wrap=True)
        print_rows(console(), checked)
    if unanswered is not None:
        raise unanswered
    return ExitCode.FAILED if missing or grave or wrong else _code(checked)


async def _made(sources: "Sources") -> "Environment":
    """The systems, once the folders of the settings are there, as at every start."""
    if sources.config is not None:
        await sources.store()
    return await sources.systems()


def _code(rows: list[CheckRow]) -> ExitCode:
    states = {row.state for row in rows}
    if State.WRONG in states:
        return ExitCode.FAILED
    return ExitCode.UNREACHABLE if State.UNREACHABLE in states else ExitCode.OK


def _cluster_row(
    cluster: "Cluster", rights: list[Right] | None, wrong: list[str], unanswered: "OutsideError | None"
) -> CheckRow:
    from deployments.cli.doctor.systems import failed

    if unanswered is not None:
        return failed("cluster", unanswered)
    if rights is not None and missing_rules(rights):
        advice = "Add the rules above to the runbook's Role"
        return CheckRow("cluster", State.WRONG, f"{cluster.target}: rights are missing", advice)
    if wrong:
        return CheckRow("cluster", State.WRONG, wrong[0], "Correct [cluster]")
    detail = f"{cluster.target} is there, with pods that the selector finds, and {cluster.access} access"
    return CheckRow("cluster", State.OK, detail)


async def _system_rows(
    systems: "Environment", unanswered: "OutsideError | None", *, send_test: bool
) -> list[CheckRow]:
    """The rows of the systems, without the error of the cluster, which its own row tells."""
    from deployments.cli.doctor.sending import tried
    from deployments.cli.doctor.systems import WITHOUT_KEY, check_systems

    rows = await check_systems(systems)
    rows = tried(rows) if send_test else rows
    if unanswered is None:
        return rows
    detail = f"{WITHOUT_KEY}: the cluster was not read"
    return [replace(row, detail=detail) if row.detail.startswith(WITHOUT_KEY) else row for row in rows]


async def _socket_rows(config: "Path | None") -> list[CheckRow]:
    from deployments.cli.doctor.slack_socket import socket_rows

    return await socket_rows(config)


def _missing_rows(config: "Path | None", systems: "Environment") -> list[CheckRow]:
    """What is not configured, with what follows from it. Without a file only the systems are known."""
    from deployments.cli.sources import read_settings
    from deployments.settings.missing import missing, missing_channels, missing_people, missing_watch

    if config is not None:
        found = missing(read_settings(config), systems)
    else:
        policy = systems.runbook_policy.policy
        found = [
            *missing_channels(systems),
            *missing_watch(systems.self_watch),
            *missing_people(policy),
        ]
    rows = [CheckRow(each.name, State.MISSING, f"{each.what}: {each.so}", each.next_step) for each in found]
    return [row for row in rows if row.system != "cluster"]


async def examine(cluster: "Cluster") -> list[Right]:
    """Every right of the table, as the cluster answers a SelfSubjectAccessReview.

    Raises:
        Unavailable: the cluster does not answer.
        Refused: the credentials are not accepted.
    """
    needed = cluster.permitted()
    asked = [(level, each) for level, added in cluster.permissions().items() for each in added]
    allowed = await asyncio.gather(*(cluster.client.holds(permission) for _, permission in asked))
    return [
        Right(level, permission, answer, permission in needed)
        for (level, permission), answer in zip(asked, allowed, strict=True)
    ]


def uncalled_because(systems: "Environment") -> str:
    """Why the runbook could not page a person; empty if it can."""
    if not (systems.paging_channels or systems.speakers):
        return "Nobody can be paged: set [pager], [slack], [email] or [teams]."
    return ""


def unwatched_because(watch: "SelfWatch | None") -> str:
    """What would go unnoticed if the runbook itself stopped; empty if nothing would."""
    if watch is None:
        return "The runbook itself is not monitored: set [self_watch]."
    if watch.ping_url is None and watch.alertmanager_url is None:
        return "If the worker and the receiver both stop, nobody is notified: set [self_watch] ping_url."
    return ""


def missing_rules(rights: list[Right]) -> list[str]:
    """The rules that an admin must add, a line of YAML each."""
    from blocks.kubernetes.access.permissions import rule_lines

    return rule_lines(right.permission for right in rights if right.needed and not right.allowed)


def _document(cluster: "Cluster", rights: list[Right] | None, missing: list[str] | None) -> dict[str, Any]:
    return {
        "target": cluster.target,
        "access": cluster.access,
        "ok": missing == [],
        "rights": None if rights is None else [_facts(right) for right in rights],
        "missing_rules": missing,
    }


def _facts(right: Right) -> dict[str, Any]:
    return {
        "level": right.level,
        "verb": right.permission.verb,
        "group": right.permission.group,
        "resource": right.permission.resource,
        "name": right.permission.name,
        "allowed": right.allowed,
        "needed": right.needed,
    }


def _print(out: "Console", cluster: "Cluster", rights: list[Right], missing: list[str]) -> None:
    out.print(f"{cluster.target}, access {cluster.access}")
    out.print()
    out.print(_table(rights))
    out.print()
    if not missing:
        out.print("All needed permissions are granted.")
        return
    out.print(f"Escalate to an admin: add to the runbook's Role in namespace {cluster.namespace}")
    for line in missing:
        out.print(f"  - {line}", soft_wrap=True)  # to be pasted, so it is never broken


def _table(rights: list[Right]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    styles = {"allowed": "green", "missing": "bold red"}
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("level", "verb", "resource", ""):
        table.add_column(name, no_wrap=name != "resource")
    before = ""
    for right in rights:
        permission = right.permission
        resource = f"{permission.resource}.{permission.group}" if permission.group else permission.resource
        table.add_row(
            right.level if right.level != before else "",
            permission.verb,
            f"{resource} {permission.name}".rstrip(),
            Text(right.verdict, style=styles.get(right.verdict, "dim")),
        )
        before = right.level
    return table
