"""Incidents by what a person types: an id, the beginning of one, or `latest`."""

from typing import TYPE_CHECKING

from deployments.cli.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from blocks.store import IncidentStore
    from runbook.incident import Incident

SEARCHED = 1000
"""How many of the newest incidents the beginning of an id is looked for in."""


async def find_incident(store: "IncidentStore", reference: str) -> "Incident":
    """The incident that is meant.

    Raises:
        CommandError: none matches, or more than one does.
        Unavailable: the store cannot be reached.
    """
    if reference == "latest":
        newest = await store.incidents(limit=1)
        if not newest:
            raise CommandError(
                "there is no incident yet",
                "`runbook drill` makes one, `runbook respond` opens one",
                code=ExitCode.NOTHING,
            )
        return newest[0]
    matches = [item for item in await store.incidents(limit=SEARCHED) if item.id.startswith(reference)]
    exact = [item for item in matches if item.id == reference]
    if len(exact or matches) == 1:
        return (exact or matches)[0]
    if not matches:
        raise CommandError(
            f"no incident {reference!r}", "`runbook incidents` lists them", code=ExitCode.NOTHING
        )
    shown = ", ".join(item.id for item in matches[:5])
    raise CommandError(
        f"{reference!r} is the beginning of {len(matches)} ids: {shown}",
        "give more of the one you mean",
        code=ExitCode.USAGE,
    )


def require_own(found: "Incident", environment: str) -> None:
    """Make sure that an incident is acted upon with the policy and the systems that it was opened with.

    Raises:
        CommandError: it belongs to another environment.
    """
    if found.environment != environment:
        raise CommandError(
            f"{found.id} belongs to environment {found.environment!r}, not to {environment!r}",
            f"give --environment {found.environment}, or the settings file of that environment",
            code=ExitCode.USAGE,
        )
