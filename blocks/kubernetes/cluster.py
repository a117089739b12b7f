"""The cluster that the integration runs in: what the runbook does with kubectl, through the API."""

import asyncio
from typing import ClassVar

from prefect.blocks.core import Block

from blocks.kubernetes.access.connection import ClusterClient
from blocks.kubernetes.access.errors import SYSTEM
from blocks.kubernetes.changes import Changes
from blocks.kubernetes.events import Events, asked_about
from blocks.kubernetes.logs import Logs
from blocks.kubernetes.objects import workload_reading
from blocks.kubernetes.pods import pods_of
from blocks.kubernetes.revisions import revisions
from blocks.kubernetes.room import Limits
from blocks.kubernetes.secret import Secret
from blocks.kubernetes.settings import ClusterSettings
from blocks.kubernetes.workload import Workload
from blocks.transport.errors import NotFound
from runbook.checks.readings import WorkloadReading


class Cluster(ClusterSettings, Block):
    """The integration's workload, its pods and its Secret."""

    _block_type_name: ClassVar[str] = "Runbook cluster"
    _block_type_slug: ClassVar[str] = "runbook-cluster"
    _description: ClassVar[str] = "The Kubernetes cluster that the PostHog integration runs in."

    @property
    def client(self) -> ClusterClient:
        """The connection to it, and what our credentials may do there."""
        return ClusterClient(self)

    @property
    def workload(self) -> Workload:
        """Reading the workload."""
        return Workload(self.client)

    @property
    def events(self) -> Events:
        """Reading events."""
        return Events(self.client)

    @property
    def logs(self) -> Logs:
        """Reading logs."""
        return Logs(self.workload)

    @property
    def secret(self) -> Secret:
        """Reading the Secret."""
        return Secret(self.client)

    @property
    def limits(self) -> Limits:
        """Reading quotas and limit ranges."""
        return Limits(self.client)

    @property
    def changes(self) -> Changes:
        """Everything that changes something."""
        return Changes(self.workload)

    async def read_workload(self) -> WorkloadReading:
        """Replicas, pods, switches and revisions of the workload, and its newest warnings.

        Events are decoration: where they may not be read, the reading says so in their place.
        """
        workload, pods, items = await asyncio.gather(
            self.workload.read(), self.workload.pods(), self.workload.revisions()
        )
        own = revisions(workload, items)
        mine = pods_of(workload, own, pods)
        uids = {revision.uid for revision in own}
        names = asked_about(
            workload, [item for item in items if item["metadata"].get("uid") in uids], mine.living
        )
        events = await self.events.warnings(names, living={pod["metadata"]["name"] for pod in pods})
        try:
            return workload_reading(
                self.target,
                workload,
                pods=mine,
                own=own,
                events=events,
                container=self.container,
                switches=self.switches,
                at=self.client.server_time(),
                waits_for=self.workload.rollout_of(workload, own, mine).waits_for,
            )
        except LookupError as error:
            raise NotFound(SYSTEM, f"{self.target}: {error}", "Correct `container` in [cluster]") from None
