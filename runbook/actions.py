"""The catalogue of actions: everything that the runbook may do, at a glance.

Adding an action is one entry here and one small piece of code in `tasks/mitigation/`.
The rows follow the runbook's "Immediate Actions by Error Type".
"""

from enum import StrEnum
from hashlib import sha256

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
    INSPECT_INFRASTRUCTURE = "inspect_infrastructure"
    HAND_OFF = "hand_off"


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
    """A row of the catalogue: what it does, how risky it is, how it is undone and what proves it."""

    title: str
    kind: ActionKind
    risk: Risk
    success: str
    inverse: ActionName | None = None
    undo: str = ""


CATALOGUE: dict[ActionName, ActionSpec] = {
    ActionName.VERIFY_CREDENTIALS: ActionSpec(
        title="Verify the API key",
        kind=ActionKind.INSPECTION,
        risk=Risk.NONE,
        success="the key is present, well formed and accepted by PostHog",
    ),
    ActionName.REPLACE_API_KEY: ActionSpec(
        title="Replace the API key and restart",
        kind=ActionKind.CHANGE,
        risk=Risk.HIGH,
        success="PostHog accepts the new key, all pods run with it, errors fall under the threshold",
        undo="put the previous key back (kept in the cluster) and restart",
    ),
    ActionName.RESTART_DEPLOYMENT: ActionSpec(
        title="Restart the pods",
        kind=ActionKind.CHANGE,
        risk=Risk.LOW,
        success="the rollout finishes and the health endpoint says healthy",
        undo="nothing to undo: the pod template is the same but for its restart time",
    ),
    ActionName.ENABLE_REQUEST_QUEUE: ActionSpec(
        title="Queue requests to PostHog",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        success="the rollout finishes and the rate of 429 falls under the threshold",
        inverse=ActionName.DISABLE_REQUEST_QUEUE,
        undo="remove the switch again",
    ),
    ActionName.DISABLE_REQUEST_QUEUE: ActionSpec(
        title="Stop queueing requests to PostHog",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        success="the rollout finishes and the error rate stays under the threshold",
        inverse=ActionName.ENABLE_REQUEST_QUEUE,
        undo="set the switch again",
    ),
    ActionName.ENABLE_FALLBACK: ActionSpec(
        title="Enable the fallback (graceful degradation)",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        success="the rollout finishes and the error rate falls under the threshold",
        inverse=ActionName.DISABLE_FALLBACK,
        undo="remove the switch again",
    ),
    ActionName.DISABLE_FALLBACK: ActionSpec(
        title="Disable the fallback",
        kind=ActionKind.CHANGE,
        risk=Risk.MEDIUM,
        success="the rollout finishes and the error rate stays under the threshold",
        inverse=ActionName.ENABLE_FALLBACK,
        undo="set the switch again",
    ),
    ActionName.ROLL_BACK: ActionSpec(
        title="Roll back to the previous revision",
        kind=ActionKind.CHANGE,
        risk=Risk.HIGH,
        success="the rollout finishes and the health endpoint says healthy",
        undo="roll forward to the revision that was replaced",
    ),
    ActionName.INSPECT_INFRASTRUCTURE: ActionSpec(
        title="Inspect pods, memory and network",
        kind=ActionKind.INSPECTION,
        risk=Risk.NONE,
        success="the state of pods, memory and network is on record",
    ),
    ActionName.HAND_OFF: ActionSpec(
        title="Hand over to a person",
        kind=ActionKind.HAND_OFF,
        risk=Risk.NONE,
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
    target: str
    because: str
    parameters: dict[str, str] = {}

    @property
    def spec(self) -> ActionSpec:
        """The catalogue's row."""
        return CATALOGUE[self.name]


class ChangePlan(Value):
    """The preview of an action: what exactly would change, made by a server-side dry run.

    `diff` is a unified diff of the live object with secret values masked. `blocked` says why the action
    cannot be taken at all (a precondition does not hold), `in_place` why it need not be.
    """

    action: PlannedAction
    diff: str = ""
    affects: tuple[str, ...] = ()
    resource_versions: dict[str, str] = {}
    blocked: str | None = None
    in_place: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over what an approver agrees to: the action and its diff."""
        return sha256(f"{self.action.model_dump_json()}\n{self.diff}".encode()).hexdigest()


class ActionOutcome(StrEnum):
    """How an action ended."""

    DONE = "done"
    RECOVERED = "recovered"
    NOT_RECOVERED = "not_recovered"
    UNKNOWN = "unknown"
    ALREADY_IN_PLACE = "already_in_place"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    FAILED = "failed"
    HANDED_OFF = "handed_off"


class ActionResult(Value):
    """The end of an action. `approved_by` is a person, `policy:NAME`, or empty where nothing needed a yes."""

    action: PlannedAction
    outcome: ActionOutcome
    detail: str
    approved_by: str = ""
