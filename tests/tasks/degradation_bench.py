"""A simulated world with a fault before one of its systems, and what is found and decided past it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prefect.filesystems import LocalFileSystem
from pydantic import SecretStr

from blocks.environment import Environment
from blocks.integration import IntegrationService
from blocks.kubernetes.cluster import Cluster
from blocks.policy import RunbookPolicy
from blocks.posthog import PostHogApi
from blocks.prometheus.metrics import Prometheus
from blocks.status_page.page import StatusPage
from blocks.store.journal import IncidentStore
from deployments.drill.run.settings import RATE_WINDOW
from deployments.drill.world.endpoints import Endpoints
from runbook.actions.spec import ActionKind, ActionName
from runbook.checks.findings import Findings, Status
from runbook.checks.recovery import LASTING, incident_over
from runbook.checks.spec import CheckName
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.health import HEALTH
from runbook.checks.specs.logs import LOGS
from runbook.checks.specs.probe import PROBE
from runbook.checks.specs.status_page import STATUS_PAGE
from runbook.checks.specs.workload import WORKLOAD
from runbook.decision.decide import decide
from runbook.decision.verdict import Decision
from runbook.policy.policy import Policy
from tasks.checks.triage import make_checks
from tests.fixtures.faulty_server import FaultyServer, WireFault, faulty
from tests.runbook.findings_samples import EVERYWHERE
from tests.tasks.degradation_table import FAULTS, WITHOUT_END, Row, System, row_of

ASKED_IN = {
    System.STATUS_PAGE: "status_page_url",
    System.STATUS_PAGE_MIRRORED: "status_page_url",
    System.POSTHOG: "posthog_app_url",
    System.INTEGRATION: "integration_url",
    System.PROMETHEUS: "prometheus_url",
    System.PROMETHEUS_BACKED_UP: "prometheus_url",
    System.KUBERNETES: "kubernetes_url",
}

SERVES = {
    System.STATUS_PAGE: (STATUS_PAGE.name,),
    System.STATUS_PAGE_MIRRORED: (STATUS_PAGE.name,),
    System.POSTHOG: (PROBE.name,),
    System.INTEGRATION: (HEALTH.name,),
    System.PROMETHEUS: (ERROR_RATE.name,),
    System.PROMETHEUS_BACKED_UP: (ERROR_RATE.name,),
    System.KUBERNETES: (LOGS.name, WORKLOAD.name, PROBE.name),
}
"""Which checks ask the system."""

BY_STATUS_OF = (System.POSTHOG, System.INTEGRATION)
BY_STATUS = (HEALTH.name, PROBE.name)
"""Systems and checks of which the HTTP status of a refusal says enough, whatever its body."""

PATIENT, IMPATIENT = 10.0, 0.6
"""Seconds for what answers on a busy machine, and for what never ends."""

DEADLINE = 6.0
AT_ONCE = 6

POLICY = Policy(check_deadline_seconds=DEADLINE, log_window_seconds=8)


@dataclass(frozen=True)
class Ways:
    """The addresses in a world, one of them by way of a proxy with a fault."""

    world: Endpoints
    system: System
    proxy: FaultyServer | None = None

    def to(self, field: str) -> str:
        """The address as it is configured."""
        address = str(getattr(self.world, field))
        return self.proxy.address(address) if self.proxy and ASKED_IN[self.system] == field else address

    def patience(self, *systems: System) -> float:
        """The timeout for a system."""
        endless = self.proxy and self.proxy.fault in WITHOUT_END
        return IMPATIENT if endless and self.system in systems else PATIENT


def environment(ways: Ways, folder: Path) -> Environment:
    """Real blocks on a world, set as the drill sets them."""
    world = ways.world
    kubeconfig = world.kubeconfig.read_text().replace(world.kubernetes_url, ways.to("kubernetes_url"))
    mirrored, backed_up = System.STATUS_PAGE_MIRRORED, System.PROMETHEUS_BACKED_UP
    return Environment(
        name="test",
        runbook_policy=RunbookPolicy(policy=POLICY),
        store=IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{folder}/incidents.db")),
        evidence=LocalFileSystem(basepath=str(folder)),
        status_page=StatusPage(
            url=ways.to("status_page_url"),
            fallback_urls=[world.status_page_url] if ways.system is mirrored else [],
            regions=["US Cloud"],
            timeout_seconds=ways.patience(System.STATUS_PAGE, mirrored),
        ),
        posthog=PostHogApi(
            app_url=ways.to("posthog_app_url"),
            ingest_url=ways.to("posthog_app_url"),
            api_key=world.posthog_personal_key,
            timeout_seconds=ways.patience(System.POSTHOG),
        ),
        integration=IntegrationService(
            health_url=f"{ways.to('integration_url')}/health",
            timeout_seconds=ways.patience(System.INTEGRATION),
        ),
        prometheus=Prometheus(
            url=ways.to("prometheus_url"),
            backup_urls=[world.prometheus_backup_url] if ways.system is backed_up else [],
            window=RATE_WINDOW,
            timeout_seconds=ways.patience(System.PROMETHEUS, backed_up),
        ),
        cluster=Cluster(
            kubeconfig_yaml=SecretStr(kubeconfig),
            namespace=world.namespace,
            workload_name=world.deployment,
            container=world.container,
            selector=world.selector,
            secret_name=world.secret_name,
            secret_key=world.secret_key,
            timeout_seconds=ways.patience(System.KUBERNETES),
        ),
    )


@asynccontextmanager
async def looking_past(
    world: Endpoints, system: System, fault: WireFault, folder: Path
) -> AsyncIterator[Environment]:
    """The environment with a fault before one system."""
    async with faulty(str(getattr(world, ASKED_IN[system])), fault) as proxy:
        at_work = environment(Ways(world, system, proxy), folder)
        try:
            yield at_work
        finally:
            at_work.cluster.client.disconnect()


def statuses(findings: Findings) -> dict[CheckName, Status]:
    """The status of each check."""
    return {item.check: item.status for item in findings.items}


def changes(decision: Decision) -> set[ActionName]:
    """The changes that a decision plans."""
    return {action.name for action in decision.plan if action.spec.kind is ActionKind.CHANGE}


@dataclass(frozen=True)
class Cell:
    """What was found in a world past a fault, beside what is found there without it."""

    row: Row
    fault: WireFault
    without: Findings
    findings: Findings

    def check(self) -> None:
        """Hold what was found against the table, and the decision against the one without the fault."""
        named = f"{self.row.system} × {self.fault}"
        told = [f"{item.check}: {item.status} {item.summary}" for item in self.findings.items]
        assert statuses(self.findings) == self._expected, (named, told)
        for item in self.findings.unknowns:
            assert _names_its_system(item.summary), (named, item.summary)
        usual, decision = (decide(it, claimed=None, policy=POLICY) for it in (self.without, self.findings))
        assert changes(decision) <= changes(usual) | self.row.changes, (named, decision.plan)
        if Status.BAD in statuses(self.without).values():
            assert incident_over(usual, self.findings).recovered is not True, named
        else:
            self._check_recovery(usual, named)

    @property
    def _expected(self) -> dict[CheckName, Status]:
        usual = statuses(self.without)
        refused = {check: usual[check] for check in BY_STATUS if usual[check] is Status.BAD}
        by_status = refused if self.fault is WireFault.CUT_SHORT and self.row.system in BY_STATUS_OF else {}
        return {**usual, **self.row.statuses, **by_status}

    def _check_recovery(self, usual: Decision, named: str) -> None:
        """All else is well: what is not known keeps the incident open, under every verdict that needs it."""
        for verdict, needed in LASTING.items():
            over = incident_over(usual.model_copy(update={"verdict": verdict}), self.findings)
            hidden = [check for check in needed if self.findings.status(check) is not Status.OK]
            assert (over.recovered is True) == (not hidden), (named, verdict, over)

    @property
    def observed(self) -> str:
        """One line for people who run this with `pytest -s`."""
        decision = decide(self.findings, claimed=None, policy=POLICY)
        odd = "; ".join(f"{item.check}: {item.summary[:100]}" for item in self.findings.unknowns)
        planned = ", ".join(sorted(changes(decision))) or "no change"
        return f"{self.row.system} | {self.fault} | {decision.verdict}: {planned} | {odd}"


def _names_its_system(summary: str) -> bool:
    systems = ("Status page", "status page", "PostHog", "posthog", "Integration", "integration")
    return any(name in summary for name in (*systems, "Prometheus", "Kubernetes", "cannot be reached from"))


async def found(world: Endpoints, folder: Path) -> Findings:
    """What is found without any fault."""
    ways = Ways(world, System.STATUS_PAGE)
    at_work = environment(ways, folder)
    try:
        return await make_checks(at_work, EVERYWHERE)
    finally:
        at_work.cluster.client.disconnect()


async def cells(
    world: Endpoints, system: System, folder: Path, *, checks: tuple[CheckName, ...]
) -> list[Cell]:
    """What these checks find past each fault; the others are taken to find what they find without it."""
    turn, without = asyncio.Semaphore(AT_ONCE), await found(world, folder)

    async def cell(fault: WireFault) -> Cell:
        async with turn, looking_past(world, system, fault, folder) as at_work:
            findings = without
            for finding in (await make_checks(at_work, checks)).items:
                findings = findings.replacing(finding)
        return Cell(row_of(system, fault), fault, without, findings)

    observed = await asyncio.gather(*map(cell, FAULTS))
    print("", *(cell.observed for cell in observed), sep="\n")
    return list(observed)
