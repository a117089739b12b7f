"""Reading incidents through the receiver that RUNBOOK_URL names, from a machine that reaches nothing else."""

from typing import TYPE_CHECKING, Any

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.people.door import Door, DoorAway, nobody_there

if TYPE_CHECKING:
    from runbook.approvals.awaited import Awaited
    from runbook.channels.next_up import NextUp
    from runbook.clocks.response import ResponseClock
    from runbook.incidents.events import Recorded
    from runbook.incidents.incident import Incident

MOST = 100
"""More incidents than that the receiver does not list."""


async def read_list(door: Door, *, only_open: bool, limit: int) -> list[dict[str, Any]]:
    """The headlines of the newest incidents.

    Raises:
        ActRefused: the receiver refused.
        CommandError: it cannot be reached, or is of another release.
    """
    query = {"open": "true" if only_open else "false", "limit": str(limit)}
    try:
        answer = await door.read(**query)
    except DoorAway as away:
        raise nobody_there(door, away) from None
    found = answer.get("incidents")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise _another_release(door)
    return found


async def read_one(door: Door, reference: str) -> dict[str, Any]:
    """One incident in full, as `runbook incident --json` prints it.

    Raises:
        ActRefused: the receiver refused; there is no such incident.
        CommandError: it cannot be reached.
    """
    try:
        return await door.read(reference)
    except DoorAway as away:
        raise nobody_there(door, away) from None


async def read_newer(door: Door, incident: str, seq: int) -> "list[Recorded]":
    """The events of an incident after this place in its journal.

    Raises:
        DoorAway: the receiver is not there.
        ActRefused: the receiver refused.
        CommandError: it cannot be reached, or is of another release.
    """
    from runbook.incidents.events import Recorded

    answer = await door.read(incident, "events", after=str(seq))
    try:
        return [Recorded.model_validate(item) for item in answer["journal"]]
    except (KeyError, TypeError, ValueError):
        raise _another_release(door) from None


def awaited_of(answer: dict[str, Any]) -> "Awaited | None":
    """What the open question of an answer waits for; `None` where an older receiver does not say."""
    from runbook.approvals.awaited import Awaited

    gate = answer.get("gate")
    try:
        return Awaited.model_validate(gate["approvals"]) if gate else None
    except (KeyError, TypeError, ValueError):
        return None


def coming_of(answer: dict[str, Any]) -> "tuple[NextUp, ...]":
    """What comes next in the incident of an answer; nothing where an older receiver does not say."""
    from runbook.channels.next_up import NextUp

    try:
        return tuple(NextUp.model_validate(item) for item in answer["next"])
    except (KeyError, TypeError, ValueError):
        return ()


def response_of(answer: dict[str, Any]) -> "ResponseClock | None":
    """The response clock of an answer; `None` where an older receiver does not say."""
    from runbook.clocks.response import ResponseClock

    try:
        return ResponseClock.model_validate(answer["response"])
    except (KeyError, ValueError):
        return None


def told_of(answer: dict[str, Any]) -> str:
    """What people are told instead of the state; empty where that is told, or an older receiver answers."""
    return str(answer.get("told") or "")


def incident_of(door: Door, answer: dict[str, Any]) -> "Incident":
    """The incident of an answer.

    Raises:
        CommandError: the receiver is of another release.
    """
    from runbook.incidents.events import Recorded
    from runbook.incidents.incident import Incident

    try:
        journal = [Recorded.model_validate(item) for item in answer["journal"]]
        return Incident.from_events(str(answer["incident"]), journal)
    except (KeyError, TypeError, ValueError):
        raise _another_release(door) from None


def left_out(answer: dict[str, Any]) -> int:
    """How many events of the journal the receiver has left out."""
    number = answer.get("journal_left_out", 0)
    return number if isinstance(number, int) else 0


def _another_release(door: Door) -> CommandError:
    return CommandError(
        f"the receiver at {door.where} sends incidents in the format of a different release",
        "use --json, or install the same release as the receiver",
        code=ExitCode.FAILED,
    )
