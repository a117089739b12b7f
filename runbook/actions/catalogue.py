"""The catalogue of actions: everything that the runbook may do, at a glance.

Adding an action is one entry here and one small piece of code in `tasks/actions/changes/`.
The rows follow the runbook's "Immediate Actions by Error Type".
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256

from runbook.kubernetes.fields import Setting
from runbook.kubernetes.ownership import FieldOwner
from runbook.outside_text import OutsideLine, OutsideName, OutsideText, OutsideTexts
from runbook.value import Value


class ActionName(StrEnum):
    """The names of all actions."""

    VERIFY_CREDENTIALS = "verify_credentials"
    REPLACE_API_KEY = "replace_api_key"
    RESTART_DEPLOYMENT = "restart_deployment"
    ENABLE_REQUEST_QUEUE = "enable_request_queue"
    DISABLE_REQUEST_QUEUE = "disable_request_queue"
    ENABLE_FALLBACK = "enable_fallback"
    DISABLE_FALLBACK = "disable_fallback"
    ROLL_BACK = "roll_back"
    RAISE_MEMORY_LIMIT = "raise_memory_limit"
    SCALE = "scale"
    DELETE_POD = "delete_pod"
    UNDO = "undo"
    INSPECT_INFRASTRUCTURE = "inspect_infrastructure"
    HAND_OFF = "hand_off"

    @property
    def slug(self) -> str:
        """The name as it stands in the ids of actions, and so in journals: `enable-fallback`."""
        return self.value.replace("_", "-")


class ActionKind(StrEnum):
    """What an action does to the world; only a change needs an approval."""

    INSPECTION = "inspection"
    CHANGE = "change"
    HAND_OFF = "hand_off"


class Risk(StrEnum):
    """How much harm a change can do when it is wrong."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ActionSpec(Value):
    """A row of the catalogue: what it does, how risky it is, when it is possible, what proves and undoes it.

    `inverse` is what takes it back when it does not help, `None` where there is nothing to take back; `undo`
    says it in words. `editable` are the parameters that an approver may change at the gate.
    """

    title: str
    kind: ActionKind
    risk: Risk = Risk.NONE
    success: str
    preconditions: tuple[str, ...] = ()
    inverse: ActionName | None = None
    undo: str = ""
    editable: tuple[str, ...] = ()


_ROLLED_OUT = "the rollout finishes"
_NOT_PAUSED = "the workload is not paused"
_LITERAL = "the variable is set by a value, not from a reference"
_SWITCH_BACK = "put the switch back to what it was"

CATALOGUE: dict[ActionName, ActionSpec] = {
    ActionName.VERIFY_CREDENTIALS: ActionSpec(
        title="Verify the API key",
        kind=ActionKind.INSPECTION,
        success="the key is present, well formed and accepted by PostHog",
    ),
    ActionName.REPLACE_API_KEY: ActionSpec(
        title="Replace the API key and restart",
        kind=ActionKind.CHANGE,
        risk=Risk.HIGH,
        preconditions=("PostHog rejects the present key", "PostHog accepts the new one", _NOT_PAUSED),
        success="PostHog accepts the new key, all pods run with it, errors fall under the threshold",
        inverse=ActionName.UNDO,
        undo="put the previous key back (kept in the cluster) and restart",
    ),
    ActionName.RESTART_DEPLOYMENT: ActionSpec(
        title="Restart the pods",
        kind=ActionKind.CHANGE,
        risk=Risk.LOW,
        preconditions=(_NOT_PAUSED, "there are pods to restart"),
        success=f"{_ROLLED_OUT} and the health endpoint says healthy",
        undo="nothing to undo: the pod template is the same but for its restart time",
    ),
    ActionName.ENABLE_REQUEST_QUEUE: ActionSpec(
        title="Queue requests to PostHog",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        preconditions=(_LITERAL,),
        success=f"{_ROLLED_OUT} and the rate of 429 falls under the threshold",
        inverse=ActionName.UNDO,
        undo=_SWITCH_BACK,
    ),
    ActionName.DISABLE_REQUEST_QUEUE: ActionSpec(
        title="Stop queueing requests to PostHog",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        preconditions=(_LITERAL,),
        success=f"{_ROLLED_OUT} and the error rate stays under the threshold",
        inverse=ActionName.UNDO,
        undo=_SWITCH_BACK,
    ),
    ActionName.ENABLE_FALLBACK: ActionSpec(
        title="Enable the fallback (graceful degradation)",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        preconditions=(_LITERAL,),
        success=f"{_ROLLED_OUT} and the error rate falls under the threshold",
        inverse=ActionName.UNDO,
        undo=_SWITCH_BACK,
    ),
    ActionName.DISABLE_FALLBACK: ActionSpec(
        title="Disable the fallback",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        preconditions=(_LITERAL,),
        success=f"{_ROLLED_OUT} and the error rate stays under the threshold",
        inverse=ActionName.UNDO,
        undo=_SWITCH_BACK,
    ),
    ActionName.ROLL_BACK: ActionSpec(
        title="Roll back to an earlier revision",
        kind=ActionKind.CHANGE,
        risk=Risk.HIGH,
        preconditions=(
            _NOT_PAUSED,
            "the newest revision is the one that triage saw fail",
            "an earlier revision was healthy, as far as the cluster shows, and differs in what fails",
        ),
        success=f"{_ROLLED_OUT} and the health endpoint says healthy",
        inverse=ActionName.UNDO,
        undo=(
            "the earlier revision stays and a person is called, as the replaced one failed; where fewer pods "
            "are available than before, roll forward to it"
        ),
    ),
    ActionName.RAISE_MEMORY_LIMIT: ActionSpec(
        title="Raise the memory limit",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        preconditions=("the container has a memory limit", "the new limit is under the configured ceiling"),
        success=f"{_ROLLED_OUT}, no pod is killed for memory and the health endpoint says healthy",
        inverse=ActionName.UNDO,
        undo="put the limit back to what it was",
        editable=("memory",),
    ),
    ActionName.SCALE: ActionSpec(
        title="Change the number of pods",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        preconditions=("the number is within the configured bounds",),
        success=f"{_ROLLED_OUT} and the health endpoint says healthy",
        inverse=ActionName.UNDO,
        undo="put the number back to what it was",
        editable=("replicas",),
    ),
    ActionName.DELETE_POD: ActionSpec(
        title="Delete one stuck pod",
        kind=ActionKind.CHANGE,
        risk=Risk.LOW,
        preconditions=("the pod belongs to the workload", "it is the very pod that triage saw"),
        success="another pod has taken its place and all are ready",
        undo="nothing to undo: the workload's controller makes another pod",
    ),
    ActionName.UNDO: ActionSpec(
        title="Undo a change that did not help",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        preconditions=("nobody else has changed the same field since",),
        success=f"the field is what it was before, and {_ROLLED_OUT}",
        undo="make the change again by hand",
    ),
    ActionName.INSPECT_INFRASTRUCTURE: ActionSpec(
        title="Inspect pods, memory and network",
        kind=ActionKind.INSPECTION,
        success="the state of pods, memory and network is on record",
    ),
    ActionName.HAND_OFF: ActionSpec(
        title="Hand over to a person",
        kind=ActionKind.HAND_OFF,
        success="the person has the text and acts outside of this runbook",
    ),
}

TEMPORARY_SWITCHES: dict[ActionName, ActionName] = {
    ActionName.ENABLE_FALLBACK: ActionName.DISABLE_FALLBACK,
    ActionName.ENABLE_REQUEST_QUEUE: ActionName.DISABLE_REQUEST_QUEUE,
}
"""Actions that leave a switch on, and what takes it off once the incident is over."""


class PlannedAction(Value):
    """An action on a target, with the reason for it. `id` is unique in the incident: `1-enable-fallback`."""

    id: str
    name: ActionName
    target: OutsideLine
    because: OutsideText
    parameters: OutsideTexts = {}

    @property
    def spec(self) -> ActionSpec:
        """The catalogue's row."""
        return CATALOGUE[self.name]


def undo_of(action: PlannedAction) -> PlannedAction:
    """The action that takes another one back."""
    return PlannedAction(
        id=f"{action.id}-undo",
        name=ActionName.UNDO,
        target=action.target,
        because=f"it did not help: {action.spec.title}",
        parameters={"undoes": action.id},
    )


FROM_REVISION = "from_revision"
"""The parameter of a roll back that names the revision whose pods fail, by its number."""

POD_UID = "uid"
"""The parameter of a deletion that tells the pod that triage saw from a later one of the same name."""

FINGERPRINT = "fingerprint:"
"""How the values in a plan begin that stand for what nobody should read."""


class ChangePlan(Value):
    """The preview of an action: what exactly would change, made by a server-side dry run.

    `diff` is a unified diff of the live object with secret values masked, `live` that object as it is, masked
    too. `basis` has a fingerprint of everything that the approver relies on and that is not to change before
    the change is made: neither status nor annotations are part of it. `changes` has the lines that change,
    and not what stands around them. `earlier` has what a basis was in the release before, by which its
    questions are known. `resource_versions` bind the request to the objects that were looked at. `before` is
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
    true where it is blocked because what the verdict rests on is gone: then the verdict is taken anew.
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


class ActionResult(Value):
    """The end of an action. `approved_by` is a person, `policy:NAME`, or empty where nothing needed a yes.

    `waits_for` is the pod that must be deleted before the rollout of the change goes on: the change is in
    place then, and not proved yet. `outdated` is true where the verdict is taken anew after it.
    """

    action: PlannedAction
    outcome: ActionOutcome
    detail: OutsideText
    approved_by: OutsideName = ""
    waits_for: OutsideName = ""
    outdated: bool = False
