"""Our own public status page, on Atlassian Statuspage or incident.io.

Nothing is published twice: each effect is looked for before it is published (`find_…` before its verb).
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, SecretStr

from blocks.channels.channel import Audience, Post, Receipt
from blocks.channels.providers import ProviderName, provider_at
from blocks.channels.published_receipts import held_by, receipt_of
from blocks.channels.publishing import (
    ComponentStatus,
    Namesake,
    OurPage,
    Provider,
    PublishedIncident,
    PublishedUpdate,
    Written,
)
from blocks.transport.errors import Refused, Unreadable
from runbook.channels.messages import EXTERNAL, ExternalMessage, MessageFacts, external_message
from runbook.incidents.effects import Effect
from runbook.incidents.state import State
from runbook.outside_text.plain import plain, plain_line
from runbook.public.areas import ProductArea
from runbook.public.written import CLOCKS_APART

log = logging.getLogger("runbook.status_page")
_SYSTEM = "status page"


class StatusPagePublisher(Block):
    """Where our users are told."""

    model_config = ConfigDict(hide_input_in_errors=True)

    _block_type_name: ClassVar[str] = "Runbook status page publisher"
    _block_type_slug: ClassVar[str] = "runbook-status-page-publisher"
    kind: ClassVar[str] = "status-page"
    audience: ClassVar[Audience] = Audience.PUBLIC

    _description: ClassVar[str] = "Our own public status page, on Atlassian Statuspage or incident.io."

    provider: ProviderName = Field(
        title="Provider", description="Who hosts the page: Atlassian Statuspage or incident.io."
    )
    api_key: SecretStr = Field(title="API key", description="Key that may manage the page's incidents.")
    page_id: str = Field(title="Page ID", description="The page's ID at the provider.")
    base_url: str | None = Field(
        default=None,
        title="Base URL",
        description="The provider's API or a relay of it: https://api.statuspage.io/v1 or https://api.incident.io.",
    )
    component_ids: list[str] = Field(
        default=[],
        title="Component IDs",
        description="Components of the page that are affected in each incident.",
    )
    components: dict[ProductArea, str] = Field(
        default={},
        title="Components by area",
        description="IDs of the components that are affected where an area of PostHog's product is.",
    )
    component_status: ComponentStatus = Field(
        default="degraded_performance",
        title="Component status",
        description="What the components are shown as until the incident is resolved.",
    )
    notify_subscribers: bool = Field(
        default=False, title="Notify subscribers", description="Whether the page's subscribers are notified."
    )
    timeout_seconds: float = Field(
        default=10, gt=0, title="Timeout", description="Seconds that one request may take."
    )

    templates: dict[str, str] = Field(
        default={},
        title="Templates",
        description="The team's own template of public texts: `runbook configure` reads it from the folder "
        "of [templates].",
    )

    async def find_sent(self, post: Post) -> Receipt | None:
        """The public incident that was created as this announcement, or the update that was posted as it.

        Raises:
            OutsideError: the page cannot be asked, or does not show whose an incident is.
        """
        reference = await self._public_incident(post)
        if reference is None and post.tried and self.creates_once:  # it is created once more instead
            raise Unreadable(_SYSTEM, "it does not show who created an incident", "Check the status page")
        if reference is None:
            found = await self.find_incident(post.id)
            return receipt_of(found.id, found) if found else None
        state = None if post.repeats else _state(post)
        posted = await self.find_update(reference, effect_id=post.id, state=state, digests=post.digests)
        return receipt_of(reference, posted) if posted else None

    def headline(self, facts: MessageFacts) -> str:
        """The title and the state."""
        return f"{self.public_text(facts).title}: {facts.state}"

    async def announce(self, facts: MessageFacts, post: Post) -> Receipt:
        """Create the public incident with the first announcement, and update it with the others.

        Raises:
            OutsideError: the page cannot be reached or refuses it, or has no incident of ours to be resolved.
        """
        message, state = self.public_text(facts), facts.state
        if message.fallback:
            log.warning("%s cannot be used, so the shipped one is: %s", EXTERNAL, message.fallback)
        reference = await self._public_incident(post)
        if reference is None:
            doubtful = next(iter(post.others_in_doubt()), None) if self.creates_once else None
            perhaps = doubtful.id if doubtful else None
            if state is State.RESOLVED and not (doubtful and await self._may_be_there(doubtful, post)):
                raise Refused(_SYSTEM, "it shows no incident of ours to resolve", "Check the status page")
            created = await self.create_incident(
                message.title, message.body, state, effect_id=perhaps or post.id, areas=facts.affected_areas
            )
            if perhaps is None or created.status == state.lower():
                return receipt_of(created.id, created)
            reference = created.id  # it was there already
        posted = await self.post_update(
            reference,
            message.body,
            state,
            effect_id=post.id,
            areas=facts.affected_areas,
            held=held_by(post),
            name=message.title if message.renamed else "",
        )
        return receipt_of(reference, posted)

    def public_text(self, facts: MessageFacts) -> ExternalMessage:
        """What the public would read, by the team's own template where there is one that can be used."""
        return external_message(facts, self.templates)

    def reference(self, receipt: Receipt) -> str:
        """The id of the public incident."""
        return str(receipt.get("incident", ""))

    async def _public_incident(self, post: Post) -> str | None:
        """The public incident to update: the announced one, or one whose publication nobody could see.

        Raises:
            OutsideError: the page cannot be asked; publishing another incident might be one too many.
        """
        if post.announced is not None:
            return post.announced
        for effect in post.others_in_doubt():
            if found := await self.find_incident(effect.id):
                return found.id
        return None

    async def _may_be_there(self, doubtful: Effect, post: Post) -> bool:
        """Whether the page may have the incident that an earlier run was about to create."""
        title = doubtful.summary.rpartition(": ")[0]
        return await self.may_be_open(title, since=post.first_tried[doubtful.id] - CLOCKS_APART)

    @property
    def creates_once(self) -> bool:
        """Whether an incident that is created as the same effect again is the same incident."""
        return self.provider == "incident_io"

    async def find_incident(self, effect_id: str) -> PublishedIncident | None:
        """The unresolved incident that was created as this effect; another of the same name is not ours.

        incident.io does not give its idempotency key back: there nothing is found, see `creates_once`.

        Raises:
            Unavailable: the provider cannot be reached, fails, or asks to slow down.
            Refused: the key or the page is not accepted.
        """
        return await self._api().find_incident(effect_id)

    async def create_incident(
        self, name: str, message: str, state: State, *, effect_id: str, areas: Sequence[ProductArea] = ()
    ) -> PublishedIncident:
        """Publish an incident. Look for it first: Statuspage publishes a second one as gladly.

        The components of these areas are set, beside those that always are; but of a Statuspage only what
        shows something milder. Where `creates_once`, an incident that is there already is given back in the
        state that it is in.

        Raises:
            Unavailable: the provider cannot be reached, fails, or asks to slow down.
            Refused: the key, the page or the incident is not accepted.
        """
        return await self._api(areas).create_incident(
            plain_line(name), plain(message), state, effect_id=effect_id
        )

    async def written(self, reference: str) -> tuple[Written, ...]:
        """The updates of the incident with this id, oldest first, whoever wrote them.

        Raises:
            OutsideError: the page cannot be asked, or has no such incident.
        """
        return await self._api().written(reference)

    async def find_update(
        self, incident_id: str, *, effect_id: str, state: State | None, digests: Collection[str] = ()
    ) -> PublishedUpdate | None:
        """The update that was posted as this effect or has one of these texts, or else one to that state.

        Each state is announced once, and the incident's creation is its first update. What is said again is
        known by its words alone, which tell the time.

        Raises:
            Unavailable: the provider cannot be reached, fails, or asks to slow down.
            Refused: the key is not accepted, or there is no such incident.
        """
        return await self._api().find_update(incident_id, effect_id=effect_id, state=state, digests=digests)

    async def post_update(
        self,
        incident_id: str,
        message: str,
        state: State,
        *,
        effect_id: str,
        areas: Sequence[ProductArea] = (),
        held: Mapping[str, str] = MappingProxyType({}),
        name: str = "",
    ) -> PublishedUpdate:
        """Add an update to an incident. Look for it first: neither provider recognises a repeat.

        The components follow the areas. `held` is what we have set each to, by the journal; Statuspage has it
        on the page, too. With a `name`, the
        incident is called so from now on, where the provider takes one: Statuspage does.

        Raises:
            Unavailable: the provider cannot be reached, fails, or asks to slow down.
            Refused: the key or the update is not accepted, there is no such incident, or somebody has
                resolved it on the page.
        """
        return await self._api(areas, held).post_update(
            incident_id, plain(message), state, effect_id=effect_id, name=plain_line(name)
        )

    async def may_be_open(self, name: str, *, since: datetime) -> bool:
        """Whether an incident of this name is open that was published since then (aware UTC).

        It need not be ours. That there is none shows that nothing of ours is left to be resolved.

        Raises:
            Unavailable: the provider cannot be reached, fails, or asks to slow down.
            Refused: the key or the page is not accepted.
        """
        return await self._api().may_be_open(plain_line(name), since=since)

    async def namesakes(self, facts: MessageFacts) -> tuple[Namesake, ...]:
        """The open incidents that have the title of the announced one; ours is one where `creates_once`.

        Raises:
            OutsideError: the page cannot be asked.
        """
        return await self._api().namesakes(plain_line(self.public_text(facts).title))

    async def missing_components(self) -> tuple[str, ...] | None:
        """The configured components that the page does not have; None where the provider does not list them.

        Raises:
            OutsideError: the page cannot be asked, or is not there.
        """
        return await self._api(tuple(ProductArea)).missing_components()

    def _api(
        self, areas: Sequence[ProductArea] = (), held: Mapping[str, str] = MappingProxyType({})
    ) -> Provider:
        of_areas = (self.components[area] for area in areas if area in self.components)
        page = OurPage(
            id=self.page_id,
            component_ids=tuple(dict.fromkeys((*self.component_ids, *of_areas))),
            component_status=self.component_status,
            notify_subscribers=self.notify_subscribers,
            held=dict(held),
        )
        return provider_at(
            self.provider,
            page,
            base_url=self.base_url,
            api_key=self.api_key,
            timeout_seconds=self.timeout_seconds,
        )


def _state(post: Post) -> State:
    if post.state is None:
        raise ValueError(f"{post.id} does not announce a state")
    return post.state
