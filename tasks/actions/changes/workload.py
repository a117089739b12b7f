"""What every change of the workload has in common: what it touches, and what it is made on."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from blocks.kubernetes.cluster import Cluster
from blocks.kubernetes.rollout import available_pods
from blocks.kubernetes.room import surge_words, why_no_room
from blocks.transport.errors import Conflict, OutsideError, Refused
from runbook.actions.catalogue import ChangePlan
from runbook.actions.specs.undo import UNDO
from runbook.incidents.effect_ids import EffectId
from runbook.kubernetes.diff import changed_lines, manifest_text, unified_diff
from runbook.kubernetes.fields import Setting
from runbook.kubernetes.keepers import foretold, git_patch
from runbook.kubernetes.ownership import CONTAINERS, SOMEBODY, FieldOwner, FieldPath, owners
from runbook.kubernetes.patches import last_effect, main_container, restarted, spec_patch
from tasks.actions.changes.base import Change, Step
from tasks.actions.changes.binding import place_of, require_bound
from tasks.effects import SINCE, Observe, Receipt

WORKLOAD = "workload"
"""The workload's name in a plan's basis and resource versions."""

Send = Callable[[str], Awaitable[dict[str, Any]]]
"""Sends a request that is bound to a resourceVersion."""

CONFLICTS = 10
"""How often somebody else's write of a status may come in between."""

PAUSED = "the workload is paused; resume it first (kubectl rollout resume)"


def version_of(item: Mapping[str, Any]) -> str:
    """The resourceVersion that a request is bound to."""
    return str(item["metadata"].get("resourceVersion", ""))


def spec_fingerprint(workload: Mapping[str, Any], *, with_replicas: bool = False) -> str:
    """What an approver relies on: the whole specification; no status, and no label or annotation of its own.

    The number of pods is left out where it is not the matter itself: an autoscaler changes it all the time.
    """
    return _sha256([_spec(workload, with_replicas=with_replicas)])


def earlier_fingerprint(workload: Mapping[str, Any], *, with_replicas: bool = False) -> str:
    """The fingerprint of the releases before, which had the labels in it."""
    labels = workload["metadata"].get("labels") or {}
    return _sha256([_spec(workload, with_replicas=with_replicas), labels])


def _spec(workload: Mapping[str, Any], *, with_replicas: bool) -> dict[str, Any]:
    return {key: value for key, value in workload["spec"].items() if with_replicas or key != "replicas"}


def _sha256(content: list[Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


async def as_planned(change: Change, plan: ChangePlan, send: Send) -> dict[str, Any]:
    """Send a request bound to the version of the workload, if that still is what the plan was made on.

    A new version with the same specification (a status was written) is taken; the compare still holds.

    Raises:
        Conflict: the workload has changed since the plan was made, or does not stop changing.
    """
    for _ in range(CONFLICTS):
        workload = await unchanged(change, plan)
        with suppress(Conflict):
            return await send(version_of(workload))
    raise Conflict("Kubernetes", f"{plan.action.target} keeps changing", "Find out who writes it")


async def unchanged(change: Change, plan: ChangePlan) -> dict[str, Any]:
    """The workload as it is now.

    Raises:
        Conflict: its specification is not what the plan was made on, or it is another workload.
    """
    workload = await change.environment.cluster.workload.read()
    require_bound(plan, await place_of(change, workload))
    now = {
        fingerprint(workload, with_replicas=with_replicas)
        for fingerprint in (spec_fingerprint, earlier_fingerprint)
        for with_replicas in (False, True)
    }
    if plan.basis[WORKLOAD] not in now:
        raise Conflict(
            "Kubernetes", f"{plan.action.target} has changed since the plan was made", "Check it again"
        )
    return workload


async def workload_plan(
    change: Change,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    put_back: Mapping[str, str | None] | None = None,
    setting: Setting | None = None,
    bound: Mapping[str, str] | None = None,
    affects: Iterable[str] = (),
    restarts: bool = True,
    give_back: tuple[FieldOwner, ...] = (),
    to_revision: str = "",
) -> ChangePlan:
    """The plan of a change of the workload alone; blocked where the cluster has no room for its pods."""
    room = await look_for_room(change, before, after)
    if room.blocked:
        return blocked(change, room.blocked)
    path = setting.field.path if setting else CONTAINERS if put_back else None
    taken_back = change.done is not None  # to what it was: nobody minds that
    warned = foretold(before, path, given_back=setting is not None) if path and not taken_back else ()
    return ChangePlan(
        action=change.action,
        diff=unified_diff(before, after, name=change.action.target),
        affects=(
            *warned,
            *affects,
            *await affected(change.environment.cluster, before, restarts=restarts),
            *room.affects,
        ),
        live=manifest_text(before),
        basis={WORKLOAD: spec_fingerprint(before, with_replicas=not restarts)},
        changes=changed_lines(before, after),
        earlier={WORKLOAD: earlier_fingerprint(before, with_replicas=not restarts)},
        resource_versions={WORKLOAD: version_of(before)},
        before=dict(put_back or {}),
        bound={**await place_of(change, before), **(bound or {})},
        setting=setting,
        available=available_pods(before),
        owned_by=appliers(before, path) if setting and path else (),
        give_back=give_back,
        in_git=git_patch(before, setting) if setting and warned else "",
        to_revision=to_revision,
    )


def appliers(workload: Mapping[str, Any], path: FieldPath) -> tuple[FieldOwner, ...]:
    """Those whose next server-side apply finds our value in their field."""
    return tuple(owner for owner in owners(workload, path) if owner.operation == "Apply")


@dataclass(frozen=True)
class Room:
    """Whether there is room for the pods of a change: why not, and what people should know of it."""

    blocked: str = ""
    affects: tuple[str, ...] = ()


async def look_for_room(change: Change, before: dict[str, Any], after: dict[str, Any]) -> Room:
    """Look at quotas and limit ranges before people are asked.

    A cluster that does not show them stops nothing; nor do they stop an undo, whose fields are put back even
    where its pods have to wait.
    """
    cluster = change.environment.cluster
    surge = tuple(filter(None, [surge_words(before, after)]))
    try:
        quotas, ranges = await asyncio.gather(cluster.limits.quotas(), cluster.limits.limit_ranges())
    except Refused as error:
        return Room(affects=(*surge, f"quotas and limit ranges could not be read: {error.detail}"))
    reason = why_no_room(before, after, quotas=quotas, limit_ranges=ranges)
    if reason and change.action.name == UNDO.name:
        return Room(affects=(*surge, reason))
    return Room(blocked=reason or "", affects=surge)


async def affected(
    cluster: Cluster, workload: dict[str, Any], *, restarts: bool = True, deletes: bool = False
) -> tuple[str, ...]:
    """What people should know before they say yes to a change of the workload, or to a pod's deletion."""
    replicas = workload["spec"].get("replicas", 1)
    status = workload.get("status", {})
    words = []
    if restarts and replicas:
        words.append(f"{replicas} pod{'s' if replicas != 1 else ''} restart, in a rolling update")
    if status.get("updatedReplicas", replicas) != replicas:
        words.append("another rollout is already under way")
    if workload["spec"].get("paused"):
        words.append("the workload is paused: nothing happens before it is resumed")
    if replicas == 0:
        words.append("the workload is scaled to zero: there is no pod to restart")
    return (*words, *await _budgets(cluster, deletes=deletes))


PAST_THE_BUDGET = "a deletion ignores it; an eviction might be refused"


async def _budgets(cluster: Cluster, *, deletes: bool) -> tuple[str, ...]:
    """Disruption budgets inform and do not decide, so a cluster that does not show them stops nothing."""
    try:
        budgets = await cluster.workload.disruption_budgets()
    except OutsideError as error:
        return (f"disruption budgets could not be read: {error.detail}",)
    words = []
    for item in budgets:
        allowed = item.get("status", {}).get("disruptionsAllowed", 0)
        past = f": {PAST_THE_BUDGET}" if deletes and not allowed else ""
        words.append(f"disruption budget {item['metadata']['name']}: {allowed} disruptions allowed now{past}")
    return tuple(words)


def blocked(change: Change, reason: str) -> ChangePlan:
    """A plan that cannot be carried out, and why."""
    return ChangePlan(action=change.action, blocked=reason)


def in_place(change: Change, reason: str) -> ChangePlan:
    """A plan that need not be carried out, and why."""
    return ChangePlan(action=change.action, in_place=reason)


def container_of(change: Change, workload: dict[str, Any]) -> str:
    """The container that the integration runs in.

    Raises:
        Refused: the configured container is not in the pod template.
    """
    try:
        return main_container(workload["spec"]["template"], change.environment.cluster.container)
    except LookupError as error:
        raise Refused("Kubernetes", str(error), "Correct `container` in [cluster]") from None


def traces_of(change: Change, effect_id: str) -> Observe:
    """Tells whether the workload, or one of its revisions, was written by this effect.

    It is noted on the workload, from where a Deployment's controller copies it to the revision that it makes.
    """

    async def traces() -> Receipt | None:
        cluster = change.environment.cluster
        written = [await cluster.workload.read(), *await cluster.workload.revisions()]
        found = any(last_effect(item) == effect_id for item in written)
        return {"effect": effect_id, SINCE: SOMEBODY} if found else None

    return traces


def restart_patch(change: Change, *, version: str) -> dict[str, Any]:
    """`kubectl rollout restart` at the time of the change, noted as its effect."""
    return spec_patch(restarted(change.since), effect_id=restart_effect(change), resource_version=version)


def restart_effect(change: Change) -> str:
    """The id of the restart's effect."""
    return EffectId.of_step(change.effect_id, "restart")


def restart_step(change: Change, plan: ChangePlan) -> Step:
    """`kubectl rollout restart`; the effect noted on the workload shows whether it has happened."""
    cluster = change.environment.cluster

    async def observe() -> Receipt | None:
        noted = last_effect(await cluster.workload.read())
        return {"effect": noted} if noted == restart_effect(change) else None

    async def act() -> Receipt:
        patched = await as_planned(
            change,
            plan,
            lambda version: cluster.changes.patch_workload(restart_patch(change, version=version)),
        )
        return {"effect": restart_effect(change), "resource_version": version_of(patched)}

    traces = traces_of(change, restart_effect(change))
    return Step("restart", change.action.target, "restart the pods", observe, act, traces)
