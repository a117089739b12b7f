"""`kubectl rollout undo`: the pod template of an earlier revision; undone, the one that was replaced."""

from typing import Any

from blocks.kubernetes.cluster import Cluster
from blocks.kubernetes.revisions import Revision, revisions
from blocks.kubernetes.rollout import available_pods
from blocks.transport.errors import Refused, Unavailable
from runbook.actions.catalogue import ChangePlan
from runbook.actions.specs.roll_back import FROM_REVISION, ROLL_BACK
from runbook.kubernetes.ownership import CONTAINERS, last_written
from runbook.kubernetes.patches import EFFECT_ANNOTATION, last_effect
from runbook.kubernetes.reversals import Reversal
from runbook.kubernetes.revision_choice import why_kept
from tasks.actions.changes.base import Change, Mitigations, Step
from tasks.actions.changes.binding import fingerprint, require_bound
from tasks.actions.changes.earlier_revisions import choose_among
from tasks.actions.changes.workload import (
    PAUSED,
    as_planned,
    blocked,
    in_place,
    traces_of,
    version_of,
    workload_plan,
)
from tasks.effects import Receipt

REPLACED = "replaced revision"
CHOSEN = "chosen revision"
"""What a plan remembers of the two revisions: their marks, which their pods carry as a label, and a
fingerprint of their content."""


class RollBack:
    """Put the pod template of the newest healthy revision back."""

    async def preview(self, change: Change) -> ChangePlan:
        """The present pod template against that of the newest revision that was healthy."""
        before, own = await _read_revisions(change)
        if before["spec"].get("paused"):
            return blocked(change, PAUSED)
        if reason := _outdated(change, own):
            return ChangePlan(action=change.action, blocked=reason, outdated=True)
        if len(own) < 2:
            return blocked(change, "there is no earlier revision to go back to")
        choice = await choose_among(change.environment.cluster, before, own)
        chosen = next((item for item in own if item.mark == choice.mark), None)
        if chosen is None:
            return blocked(change, choice.because)
        why = (f"revision {chosen.name}: {choice.because}", *(f"not {item}" for item in choice.passed_over))
        return await _plan(change, before, replaced=own[-1], chosen=chosen, why=why)

    def steps(self, change: Change, plan: ChangePlan) -> tuple[Step, ...]:
        """One replacement of the pod template; the effect noted on the workload shows that it happened."""
        return (_step(change, plan),)

    async def preview_undo(self, change: Change, done: ChangePlan) -> ChangePlan:
        """The revision that was replaced, if nobody has rolled out another one since.

        It failed, so it is put back only where the roll back has made it worse.
        """
        before, own = await _read_revisions(change)
        if before["spec"].get("paused"):
            return blocked(change, PAUSED)
        replaced = next((item for item in own if item.mark == done.before[REPLACED]), None)
        if replaced is None:
            return blocked(change, "the revision that was replaced is gone from the history")
        if own[-1].mark == replaced.mark:
            return in_place(change, "the workload is at the revision that was replaced")
        if own[-1].mark != done.before[CHOSEN]:
            return blocked(change, f"somebody has rolled out revision {own[-1].name} since, which is kept")
        if fingerprint(replaced.template) != done.bound.get(REPLACED, fingerprint(replaced.template)):
            return blocked(change, "somebody has rewritten the revision that was replaced")
        if why := why_kept(available=available_pods(before), before=done.available):
            words = f"revision {own[-1].name} stays: {why}"
            return ChangePlan(action=change.action, in_place=words, kept=True)
        return await _plan(change, before, replaced=own[-1], chosen=replaced)

    def undo_steps(self, change: Change, plan: ChangePlan, done: ChangePlan) -> tuple[Step, ...]:  # noqa: ARG002  what to put back is in the plan
        """One replacement, forward again."""
        return (_step(change, plan),)

    async def reversal(self, cluster: Cluster, plan: ChangePlan) -> Reversal | None:
        """Only what the pods run counts: a restart writes into the template, too."""
        workload = await cluster.workload.read()
        own = {item.mark: item for item in revisions(workload, await cluster.workload.revisions())}
        chosen, replaced = own.get(plan.before[CHOSEN] or ""), own.get(plan.before[REPLACED] or "")
        live = workload["spec"]["template"]["spec"]
        if chosen is None or chosen.template["spec"] == live:
            return None
        put_back = replaced is not None and replaced.template["spec"] == live
        images = ", ".join(str(item.get("image", "")) for item in live["containers"])
        what = "the replaced revision is back" if put_back else "another pod template is in place"
        return Reversal(
            writing=last_written(workload, CONTAINERS), detail=f"{what} ({images})", put_back=put_back
        )


MITIGATIONS: Mitigations = {ROLL_BACK: RollBack()}


def _outdated(change: Change, own: list[Revision]) -> str:
    """Why what triage saw is no longer so: somebody has rolled out since, perhaps the very fix.

    Plans of earlier releases name no suspect.
    """
    suspect = change.action.parameters.get(FROM_REVISION)
    newest = own[-1].name if own else ""
    if suspect in (None, newest):
        return ""
    return (
        f"somebody has rolled out revision {newest} since triage saw revision {suspect} fail: "
        "the runbook decides again"
    )


async def _read_revisions(change: Change) -> tuple[dict[str, Any], list[Revision]]:
    """The workload and its revisions.

    Raises:
        Unavailable: the newest revision is not known yet. `observedGeneration` is the specification that the
            controller has acted upon: behind `generation`, the revisions are those of the one before.
    """
    workload = await change.environment.cluster.workload.read()
    seen = (workload.get("status") or {}).get("observedGeneration", 0)
    if seen < workload["metadata"].get("generation", 0):
        behind = "the controller has not acted upon the newest specification yet"
        raise Unavailable("Kubernetes", behind, "Try again in a moment")
    return workload, revisions(workload, await change.environment.cluster.workload.revisions())


async def _plan(
    change: Change,
    before: dict[str, Any],
    *,
    replaced: Revision,
    chosen: Revision,
    why: tuple[str, ...] = (),
) -> ChangePlan:
    after = await _replace(change, chosen, version=version_of(before), dry_run=True)
    return await workload_plan(
        change,
        before,
        after,
        put_back={REPLACED: replaced.mark, CHOSEN: chosen.mark},
        bound={REPLACED: fingerprint(replaced.template), CHOSEN: fingerprint(chosen.template)},
        affects=(f"to the pod template of revision {chosen.name}", *why),
        to_revision=chosen.name,
    )


def _step(change: Change, plan: ChangePlan) -> Step:
    async def observe() -> Receipt | None:
        workload = await change.environment.cluster.workload.read()
        return {"effect": change.effect_id} if last_effect(workload) == change.effect_id else None

    async def act() -> Receipt:
        _, own = await _read_revisions(change)
        chosen = next((item for item in own if item.mark == plan.before[CHOSEN]), None)
        if chosen is None:
            raise Refused("Kubernetes", "the revision to go to is gone", "Deploy a good version")
        require_bound(plan, {CHOSEN: fingerprint(chosen.template)})
        replaced = await as_planned(
            change, plan, lambda version: _replace(change, chosen, version=version, dry_run=False)
        )
        return {"effect": change.effect_id, "resource_version": version_of(replaced)}

    return Step(
        "roll-back",
        change.action.target,
        "put another revision in place",
        observe,
        act,
        traces_of(change, change.effect_id),
    )


async def _replace(change: Change, revision: Revision, *, version: str, dry_run: bool) -> dict[str, Any]:
    return await change.environment.cluster.changes.replace_pod_template(
        revision.template,
        resource_version=version,
        annotations={EFFECT_ANNOTATION: change.effect_id},
        dry_run=dry_run,
    )
