"""Every system that people are told by × every fault: nothing is lost silently, doubled or told too early."""

import asyncio
import dataclasses
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from blocks.channels.pager import Pager
from blocks.channels.slack import Slack
from blocks.channels.status_page_publisher import StatusPagePublisher
from blocks.environment import Environment
from deployments.drill.world.channels.incident_io import STATUS_PAGE_ID, IncidentIoApi
from deployments.drill.world.channels.pagerduty import PagerDuty
from deployments.drill.world.channels.slack import CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.channels.statuspage import PAGE_ID, StatuspageApi
from deployments.drill.world.clock import utc_now
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import all_listening
from runbook.incidents.effects import SUCCEEDED, Effect, EffectOutcome
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.events import DecisionMade, IncidentResolved
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome, State
from tasks.channels.communicate import announce
from tasks.channels.page import escalate, page_on_opening, resolve_page
from tasks.incident import OpenIncident
from tests.fixtures.faulty_server import SHIFT, WireFault, faulty
from tests.runbook.journals import decision
from tests.tasks.degradation_table import CLOCKS, FAULTS, NEVER_THERE, WITHOUT_END, System, row_of
from tests.tasks.environments import environment, open_incident

KEYS = Keys.generated(random.Random(17))  # noqa: S311 - repeatable on purpose
KIND = {
    System.SLACK: "slack",
    System.STATUSPAGE: "status-page",
    System.INCIDENT_IO: "status-page",
    System.PAGERDUTY: "pager",
}
PATIENT, IMPATIENT = 10.0, 1.0
"""Seconds for what answers on a busy machine, and for what never ends."""

OFF = {WireFault.CLOCK_BEHIND: -SHIFT, WireFault.CLOCK_AHEAD: SHIFT}

NO_DECISION = Escalation(kind=EscalationKind.NO_DECISION)
NEED = "nobody can tell what is wrong"


class Audience:
    """Everyone who is told, where they are reached, and what they have seen."""

    def __init__(self, system: System, fault: WireFault) -> None:
        self.system = system
        off = OFF.get(fault, timedelta()) if system is System.SLACK else timedelta()
        self.slack = Workspace(KEYS, clock=lambda: utc_now() + off)  # its times are its messages' names
        self.pager = PagerDuty(KEYS)
        at_statuspage = system is not System.INCIDENT_IO
        self.page: StatuspageApi | IncidentIoApi = (StatuspageApi if at_statuspage else IncidentIoApi)(KEYS)
        self.urls: dict[str, str] = {}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Have them all listen."""
        async with all_listening([self.slack.app, self.page.app, self.pager.app]) as urls:
            self.urls = dict(zip(("slack", "status-page", "pager"), urls, strict=True))
            yield

    def told_by(
        self, at_work: Environment, proxy: str | None = None, patience: float = PATIENT
    ) -> Environment:
        """The environment with these, the one with the fault by way of the proxy if there is one."""
        kind = KIND[self.system]
        urls = {**self.urls, kind: proxy or self.urls[kind]}
        seconds = {name: patience if name == kind else PATIENT for name in urls}
        statuspage = isinstance(self.page, StatuspageApi)
        return dataclasses.replace(
            at_work,
            slack=Slack(
                token=KEYS.slack_token,
                channel=CHANNEL_ID,
                base_url=f"{urls['slack']}/api/",
                timeout_seconds=seconds["slack"],
            ),
            status_page_publisher=StatusPagePublisher(
                provider="statuspage" if statuspage else "incident_io",
                api_key=KEYS.statuspage_key if statuspage else KEYS.incident_io_key,
                page_id=PAGE_ID if statuspage else STATUS_PAGE_ID,
                base_url=f"{urls['status-page']}{'/v1' if statuspage else ''}",
                timeout_seconds=seconds["status-page"],
            ),
            pager=Pager(
                routing_key=KEYS.pagerduty_routing_key,
                base_url=urls["pager"],
                timeout_seconds=seconds["pager"],
            ),
        )

    def public(self) -> list[str]:
        """The states of the incidents on our status page."""
        if isinstance(self.page, StatuspageApi):
            return [str(item["status"]) for item in self.page.incidents]
        return [str(item["incident_status"]) for item in self.page.status_page_incidents]

    def posted(self) -> Counter[str]:
        """How often the message of each effect is in Slack."""
        return Counter(str(item["metadata"]["event_payload"]["effect_id"]) for item in self.slack.messages)


async def tell(incident: OpenIncident) -> bool:
    """What a run tells people until a person is called for; whether that call got through everywhere."""
    await announce(incident, State.INVESTIGATING)
    await incident.record(DecisionMade(round=1, decision=decision()))
    await page_on_opening(incident)
    await announce(incident, State.IDENTIFIED)
    return await escalate(incident, NO_DECISION, NEED)


async def tell_the_end(incident: OpenIncident) -> None:
    """What it tells when the recovery is verified."""
    await announce(incident, State.MONITORING)
    await incident.record(IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("all is well",)))
    await announce(incident, State.RESOLVED)
    await resolve_page(incident)


def of_kind(journal: Incident, kind: str) -> list[Effect]:
    """The effects on one system."""
    return [effect for effect in journal.effects.values() if effect.kind == kind]


async def past_the_fault(audience: Audience, fault: WireFault, folder: Path) -> str:
    """Tell everyone past a fault, and hold the journal and the systems against the table."""
    named, kind = f"{audience.system} × {fault}", KIND[audience.system]
    opened = await open_incident(folder)
    async with faulty(audience.urls[kind], fault, since="POST") as proxy:
        patience = IMPATIENT if fault in WITHOUT_END else PATIENT
        past = audience.told_by(opened.environment, proxy.url, patience)
        incident = OpenIncident(opened.id, past)
        through = await tell(incident)
        with pytest.raises(ValueError, match="RESOLVED"):
            await announce(incident, State.RESOLVED)
        assert proxy.asked or fault in (WireFault.REFUSED, WireFault.WRONG_CERTIFICATE), named
    journal = await incident.read()
    assert "resolved" not in audience.public(), named
    outcomes = {effect.outcome for effect in of_kind(journal, kind)}
    if fault in CLOCKS:
        assert outcomes == {EffectOutcome.APPLIED}, named
    elif fault in NEVER_THERE or kind == "pager":
        assert outcomes == {EffectOutcome.FAILED}, (named, of_kind(journal, kind))
    else:
        assert outcomes == {EffectOutcome.UNSETTLED}, (named, of_kind(journal, kind))
    assert through is (fault in CLOCKS or kind == "status-page"), named
    assert all(effect.outcome in SUCCEEDED for effect in journal.effects.values() if effect.kind != kind), (
        named
    )
    assert all(effect.detail for effect in of_kind(journal, kind) if effect.outcome not in SUCCEEDED), named
    return f"{named} | {row_of(audience.system, fault).does} | {sorted(map(str, outcomes))}"


async def after_the_fault(audience: Audience, incident: OpenIncident, named: str) -> None:
    """All is well again: what was not told is told, once, and the end too."""
    assert await escalate(incident, NO_DECISION, NEED), named
    await tell_the_end(incident)
    assert audience.public() == ["resolved"], named
    assert set(audience.posted().values()) == {1}, (named, audience.posted())
    assert [page.state for page in audience.pager.pages if page.state != "resolved"] == [], named
    assert any(NEED in page.summary for page in audience.pager.pages), named


@pytest.mark.proof
@pytest.mark.timeout(120)
@pytest.mark.parametrize("system", KIND)
async def test_who_cannot_be_told_is_journalled_and_the_others_are_told(
    tmp_path: Path, system: System
) -> None:
    """A message is failed or unsettled, never taken for sent; once the fault is over it is told once."""

    async def cell(number: int, fault: WireFault) -> str:
        audience, folder = Audience(system, fault), tmp_path / str(number)
        folder.mkdir()
        async with audience.listening():
            observed = await past_the_fault(audience, fault, folder)
            again = await reopened(folder, audience)
            await after_the_fault(audience, again, f"{system} × {fault}")
        return observed

    observed = await asyncio.gather(*(cell(number, fault) for number, fault in enumerate(FAULTS)))
    print("", *observed, sep="\n")


async def reopened(folder: Path, audience: Audience) -> OpenIncident:
    """The same incident where the fault is over."""
    return OpenIncident("inc-1", audience.told_by(environment(folder)))
