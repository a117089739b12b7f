"""What publishing on a status page means, whoever hosts it."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from pydantic import JsonValue, SecretStr

from blocks.transport.errors import Refused, Unreadable
from blocks.transport.http import exchange, json_body
from blocks.transport.translating import refusal
from runbook.incidents.state import State
from runbook.public.refreshing import OVER
from runbook.value import Value

ComponentStatus = Literal["degraded_performance", "partial_outage", "full_outage"]


class ComponentSet(Value):
    """A component that we have set, from what it was `before`, in the provider's words."""

    id: str
    before: str
    set: str


WORSE = ("operational", "degraded_performance", "partial_outage", "major_outage", "full_outage")
"""The statuses of components, worst last. Maintenance is none of them: it is nobody's fault."""


def is_milder(shown: str | None, ours: str) -> bool:
    """Whether a component shows something that ours is worse than, so that ours may take its place."""
    return shown in WORSE and WORSE.index(shown) < WORSE.index(ours)


class PublishedIncident(Value):
    """An incident on our public status page. `status` is what it shows, in the provider's words."""

    id: str
    url: str = ""
    status: str = ""
    components: tuple[ComponentSet, ...] = ()


class PublishedUpdate(Value):
    """An update of an incident on our public status page."""

    id: str
    incident_id: str
    components: tuple[ComponentSet, ...] = ()
    title_kept: bool = False
    """The incident has kept its title, although it was given another."""


class Namesake(Value):
    """An open incident of our page that has the title of ours, and is not ours as far as the page tells."""

    id: str
    title: str
    link: str = ""


class Written(Value):
    """An update as the page shows it; `at` is aware UTC."""

    id: str
    status: str
    text: str
    at: datetime | None


class OurPage(Value):
    """Our page at a provider, and how incidents are to look on it.

    `component_ids` are those that are affected now, `held` what we have set components to before.
    """

    id: str
    component_ids: tuple[str, ...] = ()
    component_status: ComponentStatus = "degraded_performance"
    held: dict[str, str] = {}
    notify_subscribers: bool = False


class Provider(Protocol):
    """A host of status pages."""

    async def missing_components(self) -> tuple[str, ...] | None:
        """The configured components that the page does not have; None where they cannot be listed."""

    async def find_incident(self, effect_id: str) -> PublishedIncident | None:
        """The unresolved incident that was created as this effect, where the provider shows that."""

    async def create_incident(
        self, name: str, message: str, state: State, *, effect_id: str
    ) -> PublishedIncident:
        """Publish an incident."""

    async def find_update(
        self, incident_id: str, *, effect_id: str, state: State | None, digests: Collection[str] = ()
    ) -> PublishedUpdate | None:
        """The update that was posted as this effect or has one of these texts, or else one to that state."""

    async def written(self, incident_id: str) -> tuple[Written, ...]:
        """The incident's updates, oldest first."""

    async def post_update(
        self, incident_id: str, message: str, state: State, *, effect_id: str, name: str = ""
    ) -> PublishedUpdate:
        """Add an update to an incident, under another name where its provider takes one for it.

        One that is over is not opened again.
        """

    async def namesakes(self, name: str) -> tuple[Namesake, ...]:
        """The open incidents of this name that do not show the runbook's mark, where it has a place."""

    async def may_be_open(self, name: str, *, since: datetime) -> bool:
        """Whether an incident of this name is open that was published since then (aware UTC)."""


def moment(told: object) -> datetime | None:
    """A time of a provider's, aware UTC; `None` for what is none."""
    try:
        at = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def require_open(system: str, shown: str, state: State) -> None:
    """Make sure that an update does not open again what a person has resolved on the page.

    Raises:
        Refused: `shown`, the incident's own status, says that it is over.
    """
    if shown in OVER and state is not State.RESOLVED:
        over = f"somebody set the incident to {shown}; and the runbook does not reopen it for {state.lower()}"
        raise Refused(system, over, "Reopen it on the status page if it is not over")


class Connection:
    """A provider's API with our key."""

    def __init__(
        self, system: str, base_url: str, *, scheme: str, api_key: SecretStr, timeout_seconds: float
    ) -> None:
        self.system = system
        self._base_url = base_url.rstrip("/")
        self._scheme = scheme
        self._api_key = api_key
        self._timeout_seconds = timeout_seconds

    async def send(
        self,
        method: str,
        path: str,
        body: JsonValue = None,
        *,
        params: Mapping[str, str] | None = None,
    ) -> JsonValue:
        """One request; the JSON of its successful answer.

        Raises:
            Unavailable: the provider cannot be reached, fails, or asks to slow down.
            Refused: it does not accept the key or the request.
        """
        key = self._api_key.get_secret_value()
        response = await exchange(
            self.system,
            method,
            f"{self._base_url}{path}",
            headers={"Authorization": f"{self._scheme} {key}"},
            params=params,
            body=body,
            timeout_seconds=self._timeout_seconds,
            secrets=[key],
        )
        if not response.is_success:
            raise refusal(response, system=self.system, secrets=[key])
        return json_body(self.system, response)

    def objects(self, value: JsonValue) -> list[dict[str, Any]]:
        """The value as a list of objects.

        Raises:
            Unreadable: it is none.
        """
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Unreadable(self.system, "the answer is not a list of objects", "Check the base URL")
        return [item for item in value if isinstance(item, dict)]

    def id_of(self, value: Mapping[str, Any]) -> str:
        """The object's id.

        Raises:
            Unreadable: it has none.
        """
        if not value.get("id"):
            raise Unreadable(self.system, "the answer has no id", "Check the base URL")
        return str(value["id"])

    def member(self, value: JsonValue, name: str | None = None) -> dict[str, Any]:
        """The value, or the value's member of that name, as an object.

        Raises:
            Unreadable: it is none.
        """
        found = value.get(name) if name is not None and isinstance(value, dict) else value
        if not isinstance(found, dict):
            raise Unreadable(self.system, f"the answer contains no {name or 'object'}", "Check the base URL")
        return found
