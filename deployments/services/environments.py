"""The other environments that the settings name with a service: whether the runbook can respond for them.

Their systems and their policy are the blocks that `runbook configure` has saved in Prefect under their name.
Their incidents have to lie in our store, where no service has two open ones.
"""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING

from blocks.store.own_store import address_digest
from blocks.transport.errors import OutsideError, Refused
from runbook.alerts.unrouted import Routing
from runbook.policy.permissions import Permissions

if TYPE_CHECKING:
    from pydantic import SecretStr

    from blocks.environment import Environment
    from runbook.incidents.incident import Incident
    from runbook.policy.policy import Policy

PREFECT_SECONDS = 15.0
"""How long Prefect may take to tell of one environment: its client would try for hours."""


def named_by(own: str, routing: Routing) -> frozenset[str]:
    """The environments whose incidents may be seen and acted upon: our own, and those of `[services]`."""
    return frozenset({own, *routing.elsewhere.values()})


async def load_environment(name: str, store_url: "SecretStr") -> "Environment":
    """The systems of another environment, once it is proved that its incidents lie in our store.

    Raises:
        Refused: it is not saved in Prefect, or has another store.
        Unavailable: Prefect cannot be reached, or does not answer in time.
    """
    await asyncio.to_thread(import_module, "tasks.caretaking.watchdog")  # its clients take a second to import
    from blocks.environment import Environment
    from blocks.transport.prefect_api import prefect_client

    async with prefect_client(within=PREFECT_SECONDS):
        try:
            found = await Environment.load(name)
        except (RuntimeError, ValueError) as error:  # a block of another release, or one edited by hand
            if "Failed to reach API" in str(error):
                raise
            cause = f"the blocks of environment {name!r} cannot be read ({type(error).__name__})"
            raise Refused("Prefect", cause, "Run `runbook configure` with its settings file") from None
    if address_digest(found.store.url) != address_digest(store_url):
        raise Refused(
            "incident store",
            f"environment {name!r} has another incident store than this one",
            "Give both settings files the same [store] url, or send its alerts to a receiver of its own",
        )
    return found


async def policy_of(incident: "Incident", own: str, policy: "Policy") -> "Policy":
    """The policy for an incident's environment: `policy` for our own, else the one that is saved now.

    Raises:
        Refused: none is saved.
        Unavailable: Prefect, which keeps the others, cannot be reached.
    """
    if incident.environment == own:
        return policy
    from blocks.environment import saved_policy

    return (await saved_policy(incident.environment, within=PREFECT_SECONDS)).policy


class OtherEnvironments:
    """The environments that the settings name beside ours, as the last look found them."""

    def __init__(
        self,
        routing: Routing,
        store_url: "SecretStr",
        load: "Callable[[str, SecretStr], Awaitable[Environment]]" = load_environment,
    ) -> None:
        self._store_url = store_url
        self._load = load
        self.names = tuple(sorted({*routing.elsewhere.values()}))
        self.routing = routing
        """Which services open incidents, and in which environment."""
        self.served: dict[str, Environment] = {}
        """Those that are responded for."""
        self.troubles: dict[str, OutsideError] = {}
        """Why the others are not, or why what is known of one may be old."""

    async def look(self) -> None:
        """Load each of them anew.

        While Prefect is away, what was known goes on: alerts are taken, and people paged.
        """
        for name in self.names:
            try:
                self.served[name] = await self._load(name, self._store_url)
            except OutsideError as error:
                self.troubles[name] = error
                if isinstance(error, Refused):
                    self.served.pop(name, None)
            else:
                self.troubles.pop(name, None)
        policies = {name: found.runbook_policy.policy for name, found in self.served.items()}
        permitted = {name: Permissions.of(policy) for name, policy in policies.items()}
        self.routing = self.routing.model_copy(update={"served": permitted})
