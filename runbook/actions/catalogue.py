"""The catalogue of actions, read from the files of `runbook/actions/specs/`; and an action that is planned,
previewed and ended.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from hashlib import sha256
from types import ModuleType
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from runbook.actions import specs
from runbook.actions.spec import ActionName, ActionSpec, TemporarySwitch
from runbook.actions.specs.undo import UNDO
from runbook.discovery import modules_in
from runbook.kubernetes.fields import Setting
from runbook.kubernetes.ownership import FieldOwner
from runbook.outside_text import OutsideLine, OutsideName, OutsideText, OutsideTexts
from runbook.value import Value


def specs_in(modules: Iterable[ModuleType]) -> Iterator[ActionSpec]:
    """The specs of all modules, each once, in their order.

    Raises:
        TypeError: two actions have the same name.
    """
    seen: dict[str, ActionSpec] = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, ActionSpec) and seen.setdefault(value.name, value) is not value:
                raise TypeError(f"{module.__name__}: there is another action of the name {value.name}")
    return iter(seen.values())


CATALOGUE: dict[ActionName, ActionSpec] = {
    spec.name: spec for spec in specs_in(modules_in(specs.__name__, specs.__path__))
}
"""Every action by its name, from `runbook/actions/specs/`."""

TEMPORARY_SWITCHES: dict[ActionName, ActionName] = {
    spec.name: spec.switch.off.name for spec in CATALOGUE.values() if spec.switch is not None
}
"""Actions that leave a switch on, and the action that turns it off once the incident is over."""


def _known(name: ActionName) -> ActionName:
    if name not in CATALOGUE:
        raise ValueError(f"there is no such action; there are: {', '.join(sorted(CATALOGUE))}")
    return name


KnownName = Annotated[
    ActionName,
    AfterValidator(_known),
    WithJsonSchema({"type": "string", "enum": sorted(CATALOGUE), "title": "ActionName"}),
]
"""The name of an action that exists."""


class PlannedAction(Value):
    """An action on a target, with the reason for it. `id` is unique in the incident: `1-enable-fallback`."""

    id: str
    name: KnownName
    target: OutsideLine
    because: OutsideText
    parameters: OutsideTexts = {}

    @property
    def spec(self) -> ActionSpec:
        """The spec of this action."""
        return CATALOGUE[self.name]

    @property
    def switch(self) -> TemporarySwitch:
        """The switch that it leaves on.

        Raises:
            LookupError: it leaves none on.
        """
        if self.spec.switch is None:
            raise LookupError(f"{self.name} turns no temporary switch on")
        return self.spec.switch


def undo_of(action: PlannedAction) -> PlannedAction:
    """The action that undoes another one."""
    return PlannedAction(
        id=f"{action.id}-undo",
        name=UNDO.name,
        target=action.target,
        because=f"it did not help: {action.spec.title}",
        parameters={"undoes": action.id},
    )


FINGERPRINT = "fingerprint:"
"""The prefix of values in a plan that replace what nobody should read."""


class ChangePlan(Value):
    """The preview of an action: what exactly would change, made by a server-side dry run.

    `diff` is a unified diff of the live object with secret values masked, `live` that object as it is, masked
    too. `basis` has a fingerprint of everything that the approver relies on and that is not to change before
    the change is made: neither status nor annotations are part of it. `changes` has the lines that change,
    without the lines around them. `earlier` has what a basis was in the previous release, by which its
    questions are known. `resource_versions` bind the request to the objects that were read. `before` is
    what the undo puts back, field by field; never a secret.

    `bound` has, by name, where the change is made and every other value from outside that it takes: a value
    that may be read as it is, any other as a `fingerprint:`. `setting` is the field and the value that it
    sets, where it sets one. Both are what is written, whatever the configuration says by then. `dry_run`
    marks the plan of a rehearsal.

    `available` is how many pods of the workload were available, by which the undo is judged; `None` in plans
    of earlier releases.
    `owned_by` are those who had set the field by server-side apply, `give_back` those whom an undo gives it
    back to; `in_git` is the change as a patch of the manifest, where somebody applies the object from Git.
    `to_revision` is the number of the revision that a roll back goes to; empty in plans of earlier releases.

    `blocked` says why the action cannot be taken at all (a precondition does not hold), `in_place` why it
    need not be; `kept` is true where it is an undo that would do more harm than the change. `outdated` is
    true if it is blocked because what the verdict rests on is gone: then the runbook decides again.
    """

    action: PlannedAction
    diff: str = ""
    affects: tuple[OutsideLine, ...] = ()
    live: str = ""
    basis: dict[str, str] = {}
    changes: str | None = None
    earlier: dict[str, str] = {}
    resource_versions: dict[str, str] = {}
    before: dict[str, str | None] = {}
    bound: dict[str, str] = {}
    setting: Setting | None = None
    dry_run: bool = False
    available: int | None = None
    owned_by: tuple[FieldOwner, ...] = ()
    give_back: tuple[FieldOwner, ...] = ()
    in_git: OutsideText = ""
    to_revision: OutsideName = ""
    blocked: OutsideText | None = None
    in_place: OutsideText | None = None
    kept: bool = False
    outdated: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 over what an approver agrees to: the action, what changes, what it is made on and takes."""
        if self.changes is None:
            return self._digest_with_surroundings
        return _sha256(f"{self._agreed(self.changes, self.basis)}\n{self._taken}")

    def known_as(self, digest: str) -> bool:
        """Whether a question or an answer with this digest is about this very plan.

        The releases before asked about the diff with all that stands around it, and the one with store
        version 0004 about that alone; such a question still holds.
        """
        return digest in (self.digest, self._digest_with_surroundings, self._digest_before_0005)

    @property
    def _digest_with_surroundings(self) -> str:
        if not (self.bound or self.setting or self.dry_run):
            return self._digest_before_0005
        return _sha256(f"{self._shown}\n{self._taken}")

    @property
    def _digest_before_0005(self) -> str:
        return _sha256(self._shown)

    @property
    def _shown(self) -> str:
        return self._agreed(self.diff, self.basis | self.earlier)

    @property
    def _taken(self) -> str:
        taken = self.model_dump(mode="json", include={"bound", "setting", "dry_run"})
        return json.dumps(taken, sort_keys=True)

    def _agreed(self, change: str, basis: Mapping[str, str]) -> str:
        made_on = "\n".join(f"{name}={basis[name]}" for name in sorted(basis))
        return f"{self.action.model_dump_json()}\n{change}\n{made_on}"


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


class ActionOutcome(StrEnum):
    """How an action ended."""

    DONE = "done"
    RECOVERED = "recovered"
    NOT_RECOVERED = "not_recovered"
    UNKNOWN = "unknown"
    REVERTED = "reverted"
    ALREADY_IN_PLACE = "already_in_place"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    DRY_RUN = "dry_run"
    FAILED = "failed"
    HANDED_OFF = "handed_off"
    BY_HAND = "by_hand"

    @property
    def leaves_all_as_it_was(self) -> bool:
        """Whether the target is as it was before: nothing was done about it."""
        return self in ("blocked", "failed", "rejected", "dry_run", "reverted")


class ActionResult(Value):
    """The end of an action. `approved_by` is a person, `policy:NAME`, or empty if nothing needed an approval.

    `waits_for` is the pod that must be deleted before the rollout of the change goes on: the change is in
    place then, and not proved yet. `outdated` is true if the runbook decides again after it.
    """

    action: PlannedAction
    outcome: ActionOutcome
    detail: OutsideText
    approved_by: OutsideName = ""
    waits_for: OutsideName = ""
    outdated: bool = False
