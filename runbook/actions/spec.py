"""What an action is: one value that says everything about it but how its requests are made.

Each action has its value in a file of `runbook/actions/specs/`. Everything else that the runbook knows of an
action is read from there. The requests are in `tasks/actions/changes/`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from runbook.actions.switch import Switch
from runbook.channels.public_impact import PublicImpact
from runbook.checks.spec import AnyCheck, CheckName

if TYPE_CHECKING:  # they name actions themselves
    from runbook.actions.by_hand import Target
    from runbook.actions.catalogue import ChangePlan
    from runbook.policy.policy import Policy


class ActionName(str):
    """The name of an action as journals and settings have it: `enable_fallback`.

    Code names an action by its spec (`ENABLE_FALLBACK.name`), so that a typing mistake is an import error.
    A model takes `runbook.actions.catalogue.KnownName`, which refuses names that no spec has.
    """

    __slots__ = ()

    @property
    def slug(self) -> str:
        """The name as it stands in the ids of actions, and so in journals: `enable-fallback`."""
        return self.replace("_", "-")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


class ActionKind(StrEnum):
    """What an action does to the world; only a change needs an approval."""

    INSPECTION = "inspection"
    CHANGE = "change"
    HAND_OFF = "hand_off"


class Risk(StrEnum):
    """How much harm a wrong change can do."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter that an approver may change at the gate.

    `flaw` says why a value is out of bounds, `None` where it is not. `as_stored` writes a good value as the
    API server gives it back, so that what is read later can be compared with what was asked for. `bounds`
    are told to whoever is about to change it.
    """

    name: str
    flaw: "Callable[[str, Policy], str | None]"
    bounds: "Callable[[Policy], str]" = lambda _: ""
    as_stored: Callable[[str], str] = str.strip


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What shows that a change has helped, once its rollout is complete; it has to hold for a while.

    All `checks` must be ok. With `errors_like`, an HTTP status, only errors of its type have to be few: the
    other types have actions of their own. An error rate of 0 where nothing was requested shows nothing,
    unless the change is one that holds requests back (`holds_requests_back`).
    """

    checks: tuple[AnyCheck, ...]
    errors_like: str = ""
    holds_requests_back: bool = False

    @property
    def names(self) -> tuple[CheckName, ...]:
        """The names of the checks."""
        return tuple(check.name for check in self.checks)


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """What a person types to do the action without the runbook. `when` is its line in the paper runbook."""

    when: str
    commands: "Callable[[Target, Policy], list[str]]"


@dataclass(frozen=True, kw_only=True)
class TemporarySwitch:
    """What an action leaves on, until its removal is offered at the end of the incident.

    `off` is the action that removes it. `setting` is the variable and the value that turn it on. `impact` is
    what colleagues are told of the impact while it is on, `public` what the public is told, and `still_on`
    what is said of it where it outlasts the incident.
    """

    off: "ActionSpec"
    setting: "Callable[[Policy], Switch]"
    impact: str
    public: PublicImpact
    still_on: str


WORKLOAD, SECRET = "workload", "secret"
"""The integration's workload, of whichever kind, and its Secret, as the resource of a `Right`."""


@dataclass(frozen=True)
class Right:
    """A right in the cluster that an action needs beside those of triage, in RBAC's words.

    `resource` is a plural in the API group `group`, where the empty one is the core group; or `WORKLOAD` or
    `SECRET`, which mean those objects alone. What needs a right on the Secret needs the access level full,
    anything else mitigation.
    """

    verb: str
    resource: str
    group: str = ""


CHANGES_WORKLOAD = (
    Right("patch", WORKLOAD),
    Right("list", "poddisruptionbudgets", "policy"),
    Right("list", "resourcequotas"),
    Right("list", "limitranges"),
)
"""Of a change of the workload: the preview shows budgets, and checks for room for the new pods."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ActionSpec:
    """An action.

    `title` is what it is called wherever people read of it, stakeholders included. `success` says in words
    what `proof` checks; without a proof, the rollout alone decides. `undo` says how the action is taken back;
    `reversible` whether the runbook does that itself where the action does not help, and `undo_by_hand` what
    a person types instead, if it is more than putting the fields back that the plan had found.
    """

    name: ActionName
    title: str
    kind: ActionKind
    success: str
    risk: Risk = Risk.NONE
    proof: Proof | None = None
    editable: tuple[Parameter, ...] = ()
    undo: str = ""
    reversible: bool = False
    undo_by_hand: "Callable[[ChangePlan, Target], list[str]] | None" = None
    by_hand: ByHand | None = None
    switch: TemporarySwitch | None = None
    rights: tuple[Right, ...] = ()

    def parameter(self, name: str) -> Parameter | None:
        """The editable parameter of that name."""
        return next((item for item in self.editable if item.name == name), None)
