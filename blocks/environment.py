"""Everything that a run needs to reach the outside: one block per system, all under one name.

`runbook configure FILE` saves them; a flow run names the environment and loads them.
"""

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import BlockDocument
from prefect.filesystems import LocalFileSystem

from blocks.ahead import Ahead
from blocks.channels.channel import Announcer, Channel, Editor, PagingChannel, Sided, Speaker
from blocks.channels.pager import Pager
from blocks.channels.registry import CHANNELS
from blocks.channels.slack import Slack
from blocks.channels.status_page_publisher import StatusPagePublisher
from blocks.checks.reader import Reader
from blocks.checks.registry import READERS
from blocks.integration import IntegrationService
from blocks.kubernetes.cluster import Cluster
from blocks.policy import RunbookPolicy
from blocks.posthog import PostHogApi
from blocks.prometheus.metrics import Prometheus
from blocks.saved import blocks_of, saved_blocks, saved_documents
from blocks.self_watch import SelfWatch
from blocks.status_page.page import StatusPage
from blocks.store.block import IncidentStoreBlock
from blocks.store.journal import IncidentStore
from blocks.store.own_store import require_own_store
from blocks.transport.errors import Refused
from blocks.transport.prefect_api import prefect_client
from runbook.value import Value

OPTIONAL = (*CHANNELS, *READERS, "self_watch")
"""Systems that a team may not have; without one, its messages are left out and the journal says so, and its
check is not made.

Without a self-watch nobody watches the runbook.
"""


@dataclass(frozen=True, repr=False)
class Environment:
    """The blocks of one environment. `name` is the name that all of them are saved under."""

    name: str
    runbook_policy: RunbookPolicy
    store: IncidentStore
    evidence: LocalFileSystem
    status_page: StatusPage
    posthog: PostHogApi
    integration: IntegrationService
    prometheus: Prometheus
    cluster: Cluster
    slack: Slack | None = None
    status_page_publisher: StatusPagePublisher | None = None
    pager: Pager | None = None
    self_watch: SelfWatch | None = None
    more_channels: tuple[Channel, ...] = ()
    """The other channels that are registered and that this environment has."""
    readers: tuple[Reader, ...] = ()
    """The blocks that were made for one check and that this environment has."""
    more_blocks: tuple[Block, ...] = ()
    """The blocks that the other channels and the readers are made of, with their secrets."""
    policy_source: Callable[[], Awaitable[RunbookPolicy]] | None = None
    """Reads the policy anew; without one it is as it was loaded."""
    policy_read_at: float = field(default=-math.inf, compare=False)
    """When the policy was read, on the clock of `time.monotonic`."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every way to tell people that there is here."""
        ours: tuple[Channel | None, ...] = (self.slack, self.status_page_publisher, self.pager)
        return (*(channel for channel in ours if channel is not None), *self.more_channels)

    @property
    def announcers(self) -> tuple[Announcer, ...]:
        """The channels that are told the state of an incident."""
        return tuple(channel for channel in self.channels if isinstance(channel, Announcer))

    @property
    def speakers(self) -> tuple[Speaker, ...]:
        """The channels in which the team can be told anything."""
        return tuple(channel for channel in self.channels if isinstance(channel, Speaker))

    @property
    def editors(self) -> tuple[Editor, ...]:
        """The channels whose messages can be changed where they stand."""
        return tuple(channel for channel in self.channels if isinstance(channel, Editor))

    @property
    def paging_channels(self) -> tuple[PagingChannel, ...]:
        """The channels that wake a person."""
        return tuple(channel for channel in self.channels if isinstance(channel, PagingChannel))

    @classmethod
    def of(
        cls,
        name: str,
        blocks: Mapping[str, Any],
        policy_source: Callable[[], Awaitable[RunbookPolicy]] | None = None,
    ) -> "Environment":
        """The environment of these blocks, each by the name of its system; `None` where there is none."""
        own = {each.name for each in fields(cls)}
        more = [block for system, block in blocks.items() if system not in own and block is not None]
        readers = tuple(block for block in more if isinstance(block, Reader))
        others = (block for block in more if not isinstance(block, Reader))
        channels = tuple(
            side for block in others for side in (block.sides if isinstance(block, Sided) else (block,))
        )
        present = {system: block for system, block in blocks.items() if system in own}
        if isinstance(kept := present.get("store"), IncidentStoreBlock):
            present["store"] = kept.store
        return cls(
            name=name,
            more_channels=channels,
            readers=readers,
            more_blocks=tuple(more),
            policy_source=policy_source,
            **present,
        )

    async def with_current_policy(self, *, within: float = 0.0) -> "Environment":
        """The environment with the policy that is saved now: people and rights may have been taken away.

        One that was read within so many seconds is not read again.

        Raises:
            Refused: no policy is saved any more.
            Unavailable: Prefect cannot be reached.
        """
        begun = time.monotonic()
        if self.policy_source is None or begun - self.policy_read_at < within:
            return self
        return replace(self, runbook_policy=await self.policy_source(), policy_read_at=begun)

    @classmethod
    async def load(cls, name: str) -> "Environment":
        """Load all blocks of an environment, if they were not loaded ahead, see `load_ahead`.

        Raises:
            Refused: a block that cannot be left out is missing, or its store is not the one that the worker's
                own settings name.
        """
        return await _AHEAD.take(name) or await cls._load(name)

    @classmethod
    async def _load(cls, name: str, read: "ReadDocuments | None" = None) -> "Environment":
        wanted = block_types()
        if read is None:
            async with get_client() as client:
                read = await read_documents(name, client)
        found = await blocks_of(read.documents, wanted, name)
        missing = [kind for kind, block in found.items() if block is None and kind not in OPTIONAL]
        if missing:
            raise Refused(
                "Prefect",
                f"environment {name!r} has no {', '.join(missing)} block",
                "Run `runbook configure FILE`",
            )
        store = found["store"]
        if isinstance(store, IncidentStoreBlock):
            require_own_store(store.url, environment=name)
        loaded = cls.of(name, found, partial(saved_policy, name))
        return replace(loaded, policy_read_at=read.at)


_AHEAD: Ahead[Environment] = Ahead()


class ReadDocuments(Value):
    """The saved documents of an environment, as they were read; written as JSON, its secrets are in it."""

    documents: tuple[BlockDocument, ...]
    at: float
    """When they were asked for, on the clock of `time.monotonic`, which all processes of a machine share."""


async def read_documents(name: str, client: PrefectClient) -> ReadDocuments:
    """Read the documents of an environment, for `load_ahead` here or in another process of this machine.

    Raises:
        Refused: the answer cannot be read.
        prefect.exceptions.PrefectHTTPStatusError: Prefect refused, or does not answer well.
    """
    at = time.monotonic()
    return ReadDocuments(documents=tuple(await saved_documents(block_types(), name, client)), at=at)


async def load_ahead(name: str, read: ReadDocuments | None = None) -> Environment:
    """Load an environment for a flow that begins within seconds, which then gets the same one.

    `read` are its documents, where somebody has read them already.

    Raises:
        OutsideError: see `Environment.load`; the flow tries again.
    """
    return await _AHEAD.begin(name, Environment._load(name, read))


def block_types() -> dict[str, type[Block]]:
    """The block class of each system, by the name of its field."""
    return {
        "runbook_policy": RunbookPolicy,
        "store": IncidentStoreBlock,
        "evidence": LocalFileSystem,
        "status_page": StatusPage,
        "posthog": PostHogApi,
        "integration": IntegrationService,
        "prometheus": Prometheus,
        "cluster": Cluster,
        **CHANNELS,
        **READERS,
        "self_watch": SelfWatch,
    }


async def saved_policy(name: str, *, within: float | None = None) -> RunbookPolicy:
    """The policy that is saved now for an environment; `within` is how many seconds Prefect may take.

    Raises:
        Refused: none is saved.
        Unavailable: Prefect cannot be reached.
    """
    async with prefect_client(within=within) as client:
        found = (await saved_blocks({"policy": RunbookPolicy}, name, client))["policy"]
    if not isinstance(found, RunbookPolicy):
        raise Refused("Prefect", f"environment {name!r} has no policy block", "Run `runbook configure FILE`")
    return found
