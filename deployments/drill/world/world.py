"""A simulated world: every outside system of the runbook on loopback, with causes and effects."""

import asyncio
import random
import secrets
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp

from deployments.drill.cluster import kubeconfig, serve
from deployments.drill.run.alert import alert_payload, send_alert
from deployments.drill.run.scenario import Event, Scenario
from deployments.drill.world.channels import slack
from deployments.drill.world.channels.mail import smtp_listening
from deployments.drill.world.channels.read_page import read_page
from deployments.drill.world.channels.slack_page import channel_page
from deployments.drill.world.clock import utc_now
from deployments.drill.world.control import AlertOrder, SlackOrder, control_app
from deployments.drill.world.endpoints import Endpoints
from deployments.drill.world.events import Course
from deployments.drill.world.faults import Faults
from deployments.drill.world.integration import manifests
from deployments.drill.world.integration.leak import Memory
from deployments.drill.world.integration.release import break_newest_release, mend_release, release
from deployments.drill.world.keys import Keys
from deployments.drill.world.prometheus.prometheus import RunningPrometheus, prometheus
from deployments.drill.world.servers.record import Recorder
from deployments.drill.world.servers.wire import Authority, all_listening
from deployments.drill.world.state import cluster_requests, world_state
from deployments.drill.world.systems import Systems
from deployments.drill.world.whereabouts import whereabouts


class World:
    """A running world; use it as an async context manager.

    ``state`` receives the kubeconfig, the endpoints and Prometheus's files. ``real_prometheus=False``
    uses the imitation even if the binary is there.
    """

    endpoints: Endpoints

    def __init__(
        self,
        scenario: Scenario,
        state: Path,
        *,
        real_prometheus: bool = True,
        source: random.Random | None = None,
        opened: Callable[[Endpoints], None] | None = None,
    ) -> None:
        """Prepare the world of ``scenario``; keys are made up from ``source``.

        ``opened`` is told the endpoints as soon as all listens, some seconds before the trouble begins.
        """
        self.scenario = scenario
        self.keys = Keys.generated(source or secrets.SystemRandom())
        self.recorder = Recorder()
        self.clock = utc_now
        self.systems = Systems(self.keys, self.recorder, self.clock)
        self.faults = Faults()
        self.history: list[dict[str, str]] = []
        self.started_at = self.clock()
        self.began_at: datetime | None = None
        self._opened = opened
        self._state = state
        self._real_prometheus = real_prometheus
        self._stack = AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] | None = None
        self._urls: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        """Start everything and return when all is ready and the scenario's faults are in force."""
        try:
            scraping = await self._open()
            if self._opened is not None:
                self._opened(self.endpoints)
            await self._begin(scraping)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything. Raises the error of a part of the world that failed."""
        await self._stop()
        if error is None and self._failed is not None and self._failed.done():
            self._failed.result()

    async def failed(self) -> None:
        """Wait until a part of the world fails, and raise its error."""
        assert self._failed is not None  # noqa: S101  only of a started world
        await asyncio.shield(self._failed)

    async def change(self, patch: Mapping[str, Any], *, who: str, what: str) -> None:
        """Patch the faults; a release that breaks, or that is the fix of one, is rolled out first.

        Raises ``pydantic.ValidationError`` for a patch that fits no system.
        """
        before, faults = self.faults, self.faults.patched(patch)
        self.faults = faults
        self._note(who, what)
        self.systems.set_faults(before, faults)
        if faults.cluster.bad_release and not before.cluster.bad_release:
            await break_newest_release(self.systems.cluster, self._urls["posthog"])
        elif before.cluster.bad_release and not faults.cluster.bad_release:
            mend_release(self.systems.cluster)
        if faults.cluster.fixed_release and not before.cluster.fixed_release:
            await release(self.systems.cluster, self._urls["posthog"], manifests.FIXED_IMAGE)

    async def alert(self, order: AlertOrder) -> dict[str, Any]:
        """Send the scenario's alert to a receiver and return ``{status, body}`` of its answer."""
        others, number = self.scenario.others, order.other
        if number is not None and number >= len(others):
            return {"error": f"there are {len(others)} alerts of other services"}
        text = self.scenario.alert if number is None else others[number]
        self._note("Alertmanager", f"sends {text.alertname}, {order.status}")
        payload = alert_payload(
            text,
            status=order.status,
            starts_at=self.started_at,
            now=self.clock(),
            prometheus_url=self._urls["prometheus"],
        )
        return await send_alert(order.url, order.token or self.keys.alert_token.get_secret_value(), payload)

    async def in_slack(self, order: SlackOrder) -> dict[str, Any]:
        """Have a person act in Slack and return ``{status, body, seconds}`` of the app's answer."""
        return await self.systems.slack.people.act(
            order.url, order.user, order.action_id, order.containing, order.fields
        )

    def slack_page(self) -> str:
        """Return the incident channel as people see it, in HTML."""
        return channel_page(
            slack.CHANNEL_NAME, self.systems.slack.messages, self.systems.slack.files.contents
        )

    def read_page(self) -> str:
        """Return the e-mails and the messages in Teams as people read them, in HTML."""
        return read_page(self.systems.mail.taken, self.systems.teams.values())

    def state(self) -> dict[str, Any]:
        """Return what is true now, without secrets."""
        return world_state(self)

    def requests(self, system: str | None, since: datetime | None) -> list[dict[str, Any]]:
        """Return the recorded requests, of one system if named, from a time on, in order of arrival."""
        kept = self.recorder.all() if system is None else self.recorder.of(system)
        found = [received.as_json() for received in kept if since is None or received.at >= since]
        if system in (None, "cluster"):
            asked = [
                request for request in self.systems.cluster.requests if since is None or request.at >= since
            ]
            found += cluster_requests(asked, self.keys)
        return sorted(found, key=lambda request: str(request["at"]))

    async def _open(self) -> RunningPrometheus:
        """Everything listens and is well."""
        self._failed = asyncio.get_running_loop().create_future()
        self._state.mkdir(parents=True, exist_ok=True)
        authority = Authority()
        await self._listen(self.systems.doors)
        await self._listen(self.systems.doors_by_tls, authority)
        await self._stack.enter_async_context(smtp_listening(self.systems.mail))
        scraping = await self._start_prometheus()
        self.systems.status_page.url = self._urls["status_page"]
        self.systems.slack.url = self._urls["slack"]
        served = await self._stack.enter_async_context(serve(self.systems.cluster))
        self._run(self.systems.cluster.run())
        self.systems.cluster.apply(manifests.secret(self.keys))
        if (mode := self.scenario.faults.cluster.mode_in_git) is None:
            await release(self.systems.cluster, self._urls["posthog"])
        else:
            await self.systems.gitops.begin(self._urls["posthog"], mode)
        self._run(self.systems.gitops.run(self._urls["posthog"]))
        self._run(self.systems.integration.run())
        self._run(Memory(self.systems.cluster, self.systems.integration, clock=self.clock).run())
        self._urls["kubernetes"] = served.url
        await self._listen({"control": control_app(self)})
        config = kubeconfig(
            served.url, served.ca_pem, self.keys.kubernetes_token.get_secret_value(), manifests.NAMESPACE
        )
        self._write_private("kubeconfig", config)
        self._write_private("authority.pem", authority.pem)
        self.endpoints = whereabouts(
            self.scenario.name, self._state, self._urls, self.keys, self.systems.teams, self.systems.mail.port
        )
        self._write_private("endpoints.json", self.endpoints.model_dump_json())
        return scraping

    async def _begin(self, scraping: RunningPrometheus) -> None:
        """The trouble begins, once Prometheus has seen how it was before."""
        if self.scenario.faults.prometheus.mode == "ok":
            await scraping.until_scraped()
        await self.change(self.scenario.faults.model_dump(mode="json"), who="scenario", what="begins")
        self.started_at = self.began_at = self.clock()
        self._run(self._course())

    async def _start_prometheus(self) -> RunningPrometheus:
        running = await self._stack.enter_async_context(
            prometheus(self._urls["integration"], self._state, real=self._real_prometheus)
        )
        await self._listen(self.systems.metrics_doors(running.app))
        return running

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def _listen(self, apps: Mapping[str, ASGIApp], authority: Authority | None = None) -> None:
        listening = all_listening(list(apps.values()), authority=authority)
        urls = await self._stack.enter_async_context(listening)
        self._urls |= dict(zip(apps, urls, strict=True))

    def _run(self, part: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(part)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _note(self, who: str, what: str) -> None:
        self.history.append({"at": self.clock().isoformat(), "who": who, "what": what})

    async def _course(self) -> None:
        course = Course(self.systems.cluster, self.systems.slack, self._happen)
        await course.run(self.scenario.events)

    def _happen(self, event: Event) -> None:
        self._run(self.change(event.patch, who=event.who, what=event.what))

    def _write_private(self, name: str, text: str) -> None:
        path = self._state / name
        path.touch(mode=0o600)
        path.write_text(text)
