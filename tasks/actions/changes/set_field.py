"""Changes of a single field of the workload, as a switch, the memory limit or the number of pods."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from blocks.transport.errors import Conflict, Refused
from runbook.actions.catalogue import ChangePlan
from runbook.kubernetes.fields import AnyField, Field, Setting
from runbook.kubernetes.ownership import FieldOwner
from runbook.kubernetes.patches import last_effect, spec_patch, why_this_container
from runbook.outside_text import let_in
from tasks.actions.changes.base import Change, Step
from tasks.actions.changes.give_back import give_back_steps
from tasks.actions.changes.rollout_under_way import rollout_first
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

Workload = dict[str, Any]


@dataclass(frozen=True)
class SetField:
    """Set one field to a value, or remove it; undone, it is what it was.

    `objection` says why it should not be done, given the present value; `restarts` whether pods restart.
    `after_rollouts` has a rollout that is under way finish first, since it may make this needless.
    """

    field: Callable[[Change, Workload], AnyField]
    wanted: Callable[[Change], str | None]
    objection: Callable[[Change, str | None], str | None] = lambda _change, _present: None
    restarts: bool = True
    after_rollouts: bool = False

    async def preview(self, change: Change) -> ChangePlan:
        """The workload with and without the change."""
        before = await change.environment.cluster.workload.read()
        field, wanted = self.field(change, before), self.wanted(change)
        present = read(field, before)
        if field.same(present, wanted):
            return in_place(change, says(field, present))
        if reason := self.objection(change, present):
            return blocked(change, reason)
        if self.after_rollouts and (waits := await rollout_first(change)):
            return waits
        return await self._plan(change, before, Setting(field=field, value=wanted))

    def steps(self, change: Change, plan: ChangePlan) -> tuple[Step, ...]:
        """One patch; the field itself shows whether it has happened."""
        return (self._step(change, plan, self.wanted),)

    async def preview_undo(self, change: Change, done: ChangePlan) -> ChangePlan:
        """The field as it was, if it still is what the change had set."""
        plan, _ = await self.put_back(change, done)
        return plan

    async def put_back(self, change: Change, done: ChangePlan) -> tuple[ChangePlan, bool]:
        """The plan to make the field what it was; and whether somebody has changed it, which is kept."""
        before = await change.environment.cluster.workload.read()
        made = self._setting(change.of(done), done, before, self.wanted)
        present, was = read(made.field, before), done.before[made.field.name]
        if made.field.same(present, was):
            return in_place(change, f"{says(made.field, present)}, as before"), False
        if not made.field.same(present, made.value):
            why = f"somebody has changed it since: {says(made.field, present)}, which is kept"
            return blocked(change, why), True
        setting = Setting(field=made.field, value=was)
        return await self._plan(change, before, setting, give_back=done.owned_by), False

    def undo_steps(self, change: Change, plan: ChangePlan, done: ChangePlan) -> tuple[Step, ...]:
        """One patch, back; and whose the field was, it is again."""
        (was,) = done.before.values()
        return (self._step(change, plan, lambda _change: was), *give_back_steps(change, plan))

    async def _plan(
        self, change: Change, before: Workload, setting: Setting, give_back: tuple[FieldOwner, ...] = ()
    ) -> ChangePlan:
        if before["spec"].get("paused") and self.restarts:
            return blocked(change, PAUSED)
        present = read(setting.field, before)
        if present is not None and let_in(present) != present:
            return blocked(
                change, f"{setting.field.name} looks like a secret, which cannot be stored for the undo"
            )
        after = await change.environment.cluster.changes.patch_workload(
            _patch(change, setting, version=version_of(before)), dry_run=True
        )
        template, configured = before["spec"]["template"], change.environment.cluster.container
        named = why_this_container(template, configured) if self.restarts else ""
        return await workload_plan(
            change,
            before,
            after,
            put_back={setting.field.name: present},
            setting=setting,
            affects=(named,) if named and "container" not in change.action.parameters else (),
            restarts=self.restarts,
            give_back=give_back,
        )

    def _step(self, change: Change, plan: ChangePlan, configured: Callable[[Change], str | None]) -> Step:
        cluster = change.environment.cluster
        (name,) = plan.before
        value = plan.setting.value if plan.setting else configured(change)

        async def observe() -> Receipt | None:
            workload = await cluster.workload.read()
            setting = self._setting(change, plan, workload, configured)
            if not setting.field.same(read(setting.field, workload), setting.value):
                return None
            return {"effect": last_effect(workload), "resource_version": version_of(workload)}

        async def act() -> Receipt:
            setting = self._setting(change, plan, await cluster.workload.read(), configured)

            async def send(version: str) -> Workload:
                return await cluster.changes.patch_workload(_patch(change, setting, version=version))

            patched = await as_planned(change, plan, send)
            return {"effect": change.effect_id, "resource_version": version_of(patched)}

        summary = f"{name}: {'removed' if value is None else value}"
        traces = traces_of(change, change.effect_id)
        return Step("set-field", change.action.target, summary, observe, act, traces)

    def _setting(
        self,
        change: Change,
        plan: ChangePlan,
        workload: Workload,
        configured: Callable[[Change], str | None],
    ) -> Setting:
        """What the plan sets. One of an earlier release has only the field's name; the rest is configured.

        Raises:
            Conflict: the settings now name a different field than the plan.
        """
        if plan.setting is not None:
            return plan.setting
        field = self.field(change, workload)
        if field.name not in plan.before:
            raise Conflict("the plan", f"it would now set {field.name}", "Check it again")
        return Setting(field=field, value=configured(change))


@dataclass(frozen=True)
class TakeOff(SetField):
    """Take off what the incident has turned on: the field is what it was before that.

    Where nothing is known of the time before (nobody has turned it on in this incident), it is removed.
    """

    on: SetField = dataclass_field(kw_only=True)

    async def preview(self, change: Change) -> ChangePlan:
        """The field as it was; nothing to do where somebody else has given it another value since."""
        if change.done is None or not change.done.before:
            return await super().preview(change)
        plan, kept = await self.on.put_back(change, change.done)
        return in_place(change, plan.blocked) if kept and plan.blocked else plan

    def steps(self, change: Change, plan: ChangePlan) -> tuple[Step, ...]:
        """As those of an undo."""
        return (*super().steps(change, plan), *give_back_steps(change, plan))


def _patch(change: Change, setting: Setting, *, version: str) -> Workload:
    spec = setting.field.spec(setting.value)
    return spec_patch(spec, effect_id=change.effect_id, resource_version=version)


def read(field: Field, workload: Workload) -> str | None:
    """The field's value.

    Raises:
        Refused: it is not ours to set.
    """
    try:
        return field.read(workload)
    except LookupError as error:
        raise Refused("Kubernetes", str(error), "Change it where the reference points to") from None


def says(field: Field, value: str | None) -> str:
    """A field with its value, for people."""
    return f"{field.name} is {'not set' if value is None else value}"
