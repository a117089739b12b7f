"""Responses as the receiver needs them: started and woken in Prefect, or a person paged without it."""

import asyncio
import os
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING
from uuid import UUID

from blocks.store.alerts import untold_alerts
from blocks.store.journal import IncidentStore
from blocks.transport.errors import OutsideError, Refused
from blocks.transport.prefect_api import prefect_client
from deployments.services.environments import OtherEnvironments
from deployments.settings.settings import Settings, load_settings
from runbook.incidents.escalations import Escalation, EscalationKind
from runbook.incidents.incident import Incident
from tasks.caretaking.runs import continue_run, start_run

if TYPE_CHECKING:
    from blocks.environment import Environment

PATIENCE_SECONDS = 5.0
"""How long Prefect may take to say that it is there."""


class PrefectResponses:
    """The responses in Prefect. `settings` say how a person is paged while Prefect is down.

    `others` are the other environments that are responded for, as they were last found.
    """

    def __init__(
        self, store: IncidentStore, settings: Settings, others: OtherEnvironments | None = None
    ) -> None:
        self._store = store
        self._settings = settings
        self._others = others or OtherEnvironments(settings.routing, settings.store_url)

    async def start(self, incident: Incident) -> str:
        """Start the response, see `start_run`."""
        return await start_run(incident, store=self._store)

    async def wake(self, incident: Incident) -> bool:
        """Resume a run that waits for an answer although all alerts are resolved: it withdraws its question.

        That is no answer: no form is filled in. Where an alert fires again first, the run sleeps on at the
        same question.

        Raises:
            Refused: Prefect refused.
            Unavailable: Prefect cannot be reached.
        """
        gate = incident.needless_gate
        if gate is None:
            return False
        async with prefect_client() as client:
            run = await client.read_flow_run(UUID(gate.flow_run_id))
            if run.state is None or not run.state.is_paused():
                return False  # it is about to sleep, or awake: look again later
            await continue_run(client, gate.flow_run_id)
        return True

    async def page(self, incident: Incident, because: str) -> None:
        """Page a person by the pager and in the channel, as a run would.

        Raises:
            Refused: nobody can be paged: there is neither a pager nor a channel, or both refuse.
            Unavailable: the incident store cannot be reached.
        """
        environment = await self._environment_of(incident)
        from tasks.channels.page import escalate
        from tasks.evidence.paper import how_to_go_on, leave_paper
        from tasks.incident import OpenIncident

        # The task's own function: Prefect, which the task would report to, is what does not answer.
        opened = OpenIncident(id=incident.id, environment=environment)
        what = Escalation(kind=EscalationKind.NOT_STARTED)
        paged = await escalate(opened, what, f"{because}. {how_to_go_on(opened)}")
        await leave_paper(opened)
        if not paged:
            raise Refused("pager", "nobody could be paged", "Set [pager] or [slack]; see the journal")

    async def page_about_the_runbook(self, because: str) -> bool:
        """Page a person because the runbook itself is silent, once; whether that got through everywhere."""
        from tasks.caretaking.self_watch import page_a_person

        return await page_a_person(await self._environment(), because)

    async def page_about_the_store(self, because: str, since: datetime) -> bool:
        """Page a person because alerts cannot be kept since then; whether that got through everywhere."""
        environment = await self._environment()
        from tasks.channels.direct_pages import page_about_the_store

        return await page_about_the_store(environment, because, since=since)

    async def end_the_page_about_the_store(self, since: datetime) -> bool:
        """Tell those who were paged that alerts are kept again; whether that got through everywhere."""
        environment = await self._environment()
        from tasks.channels.direct_pages import end_the_page_about_the_store

        return await end_the_page_about_the_store(environment, since=since)

    async def look_after(self) -> list[str]:
        """Look after the runs of all open incidents, and start what housekeeping is due; says what was done.

        Those of the other environments that are responded for come after ours. See
        `tasks.caretaking.watchdog` and `tasks.caretaking.due`.

        Raises:
            Unavailable: the incident store cannot be reached.
        """
        if not await self._store.incidents(limit=1) and not await untold_alerts(self._store, limit=1):
            return []
        own = await self._environment()
        from tasks.caretaking.unrouted import tell_of_unrouted

        done = await self._look_after(own)
        done += await tell_of_unrouted(own, self._others.routing)
        for other in list(self._others.served.values()):
            done += await self._look_after(other)
        return done

    async def start_due(self) -> list[str]:
        """Start what housekeeping is due now, without a look at the runs; says what was started.

        Raises:
            OutsideError: the incident store or Prefect cannot be reached.
        """
        own = await self._environment()
        from tasks.caretaking.due import start_due_runs
        from tasks.incident import now

        done = await start_due_runs(own, now())
        for other in list(self._others.served.values()):
            done += await start_due_runs(other, now())
        return done

    async def _look_after(self, environment: "Environment") -> list[str]:
        from tasks.caretaking.due import start_due_runs
        from tasks.caretaking.watchdog import look_after
        from tasks.incident import now
        from tasks.lease import exclusively

        async with exclusively(environment, "watchdog", f"receiver {os.getpid()}") as ours:
            if not ours:
                return []
            done = await look_after(environment)
            try:
                return [*done, *await start_due_runs(environment, now())]
            except OutsideError as error:  # what was done is told all the same
                return [*done, f"housekeeping that is due was not started: {error}"]

    async def _environment_of(self, incident: Incident) -> "Environment":
        """The systems of an incident's environment.

        Where those of another one are not known, as after a start without Prefect, it is our people who are
        paged about it.
        """
        own, name = await self._environment(), incident.environment
        if name in self._others.served:
            return self._others.served[name]
        return replace(own, name=name) if name in self._others.names else own

    async def _environment(self) -> "Environment":
        """All systems. Imported when they are needed: their clients would take most of a restart.

        In a thread: it takes more than a second, in which the receiver has to answer.
        """
        await asyncio.to_thread(import_module, "tasks.caretaking.watchdog")
        from blocks.environment import Environment
        from deployments.prefect.configure import blocks

        settings = await asyncio.to_thread(load_settings, self._settings.origin)
        return Environment.of(settings.prefect.environment, blocks(settings))

    async def reachable(self) -> bool:
        """Whether Prefect answers in time."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), prefect_client() as client:
                return await client.api_healthcheck() is None
        except (OutsideError, TimeoutError):
            return False
