"""`runbook state`, `resolve`, `reopen` and `merge`: how far an incident is, by a person's word."""

from typing import Annotated, Literal

from cyclopts import Parameter

from deployments.cli.options import BY_DEFAULT, ActOptions, Reference
from deployments.cli.people.acts import do

Resolution = Literal["recovered", "not-ours", "false-positive"]


async def resolve(
    incident: Reference,
    /,
    *,
    outcome: Resolution,
    reason: str,
    done: str = "",
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Say that an incident is over, whatever the checks show.

    An open question is withdrawn, pages end, the team is told, and the post-mortem is drafted. A change that
    is being made is not interrupted. Switches that are still on are named.

    Parameters
    ----------
    outcome
        recovered: it works again. not-ours: somebody else has to solve it. false-positive: nothing was
        wrong.
    reason
        Why it is over.
    done
        What was done by hand, for the timeline and the post-mortem.
    """
    return await do(
        incident,
        "resolve",
        "resolution",
        options,
        {"outcome": outcome, "reason": reason, "done": done},
        outcome=outcome,
        text=reason,
        done=done,
    )


async def state(
    incident: Reference,
    told: Literal["identified", "monitoring"],
    /,
    *,
    reason: str,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Say the state of an incident before the runbook has proved it.

    The runbook says IDENTIFIED with a verdict, and MONITORING once something was done. On your word the team,
    support and, through its gate, the public are told earlier: each message to colleagues says that it is
    yours, and not proved by the runbook. It holds until the runbook is as far itself or decides anew.

    Parameters
    ----------
    told
        identified: the cause is known. monitoring: something was done, and is being watched.
    reason
        How you know.
    """
    return await do(
        incident,
        "state",
        "state",
        options,
        {"state": told, "reason": reason},
        state=told,
        text=reason,
    )


async def reopen(
    incident: Reference,
    /,
    *,
    reason: str,
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Go on with an incident that was closed, under its number and in its thread.

    The runbook triages and decides again. Its own alert reopens an incident by itself, see
    `[receiver] reopen_within_minutes`.

    Parameters
    ----------
    reason
        What is wrong again.
    """
    return await do(
        incident,
        "reopen",
        "reopening",
        options,
        {"reason": reason},
        text=reason,
    )


async def merge(
    incident: Reference,
    into: Annotated[str, Parameter(help="The incident that it is part of: its id or the beginning of it.")],
    /,
    *,
    reason: str = "",
    options: ActOptions = BY_DEFAULT,
) -> int:
    """Merge an incident into another one, where the response goes on.

    This one is closed, its pages end, and its alerts belong to the other one as long as that is open.

    Parameters
    ----------
    reason
        Why they are one.
    """
    return await do(
        incident,
        "merge",
        "merger",
        options,
        {"into": into, "reason": reason},
        into=into,
        text=reason,
    )
