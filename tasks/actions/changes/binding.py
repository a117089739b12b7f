"""What is made is what was approved: where it is made, and every value that it takes from outside.

A plan has both in `bound`. Between the yes and the change the configuration may be edited, a wait may be long
and the process another one; what differs by then is a conflict, and so another plan and another question.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from blocks.transport.errors import Conflict
from runbook.actions.catalogue import FINGERPRINT, ChangePlan
from tasks.actions.changes.base import Change, Step
from tasks.effects import Receipt

TARGET = "target"
UID = "workload uid"

_LETTERS = 32


async def place(change: Change) -> dict[str, str]:
    """Where the configuration says that the change is made, and by what its pods are found.

    Raises:
        Refused: the credentials of the cluster cannot be read.
    """
    cluster = change.environment.cluster
    return {"cluster": await cluster.client.address(), TARGET: cluster.target, "selector": cluster.selector}


async def place_of(change: Change, workload: Mapping[str, Any]) -> dict[str, str]:
    """Where a change of this workload is made: a uid is given once, in whichever cluster.

    Raises:
        Refused: the credentials of the cluster cannot be read.
    """
    return {**await place(change), UID: str(workload["metadata"].get("uid", ""))}


def at_its_place(change: Change, plan: ChangePlan, step: Step) -> Step:
    """The step, which neither looks nor acts anywhere else than where the plan is for.

    Its functions then also raise `Conflict`.
    """

    async def observe() -> Receipt | None:
        require_bound(plan, await place(change))
        return await step.observe()

    async def act() -> Receipt:
        require_bound(plan, await place(change))
        return await step.act()

    return replace(step, observe=observe, act=act)


def require_bound(plan: ChangePlan, present: Mapping[str, str]) -> None:
    """Make sure that values from outside are those of the plan. One of an earlier release binds fewer.

    Raises:
        Conflict: one of them is another; which, and never its value.
    """
    for name, value in present.items():
        if name in plan.bound and plan.bound[name] != value:
            raise Conflict("the plan", f"{name} has changed since the approval", "Check it again")


def fingerprint(content: object) -> str:
    """Stands for a value that is too long to show, or may hold a password among much else."""
    text = json.dumps(content, sort_keys=True)
    return f"{FINGERPRINT}{sha256(text.encode()).hexdigest()[:_LETTERS]}"
