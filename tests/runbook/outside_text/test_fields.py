"""Every field of a record that may hold text from outside takes it through the door."""

from collections.abc import Iterator
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import AfterValidator, BaseModel

from runbook.caretaking.watchdog import Care
from runbook.checks.readings import (
    ErrorRateReading,
    HealthReading,
    LogReading,
    ProbeReading,
    StatusPageReading,
    WorkloadReading,
)
from runbook.checks.recovery import Recovery
from runbook.incidents.events import Event
from runbook.outside_text import Outside, OutsideJson, OutsideNamed, let_in_identity, let_in_name

READINGS = (
    *(StatusPageReading, HealthReading, ErrorRateReading, LogReading, ProbeReading, WorkloadReading),
    *(Recovery, Care),
)

OURS = {
    "ActRule.approvers": "from the settings",
    "Alert.source": "the door that it came through",
    "AnswerPlanted.flow_run_id": "Prefect's UUID",
    "Care.in_doubt": "made by the plan",
    "Escalation.subject": "made by the plan, a gate, a workload's name or a run's state",
    "IncidentEscalated.in_doubt": "made by the plan",
    "ApprovalAnswered.action_id": "made by the plan",
    "ApprovalAnswered.gate": "made by the gate",
    "ApprovalAnswered.plan_digest": "a hash",
    "ApprovalExpired.action_id": "made by the plan",
    "ApprovalExpired.plan_digest": "a hash",
    "ApprovalLapsed.action_id": "made by the plan",
    "ApprovalLapsed.plan_digest": "a hash",
    "ApprovalRefused.action_id": "made by the plan",
    "ApprovalRefused.gate": "made by the gate",
    "ApprovalReminded.gate": "made by the gate",
    "ApprovalRequested.action_id": "made by the plan",
    "ApprovalRequested.flow_run_id": "Prefect's UUID",
    "ApprovalRequested.gate": "made by the gate",
    "ApprovalRequested.plan_digest": "a hash",
    "ApprovalRule.approvers": "from the settings",
    "ApprovalWithdrawn.action_id": "made by the plan",
    "ApprovalWithdrawn.gate": "made by the gate",
    "ArtifactPublished.key": "an incident's id and a word of ours",
    "ArtifactPublished.kind": "a word of ours",
    "ArtifactPublished.plan_digest": "a hash",
    "Authority.kind": "a word of ours",
    "Authority.reference": "a gate or a word of ours",
    "ChangeReverted.action_id": "made by the plan",
    "ChangePlan.basis": "fingerprints",
    "ChangePlan.before": "what the undo puts back: a change of a value that looks like a secret is blocked",
    "ChangePlan.bound": "the target's place from the settings, and fingerprints",
    "ChangePlan.changes": "masked where it is made, since the plan's digest stands on it",
    "ChangePlan.diff": "masked where it is made, since the plan's digest stands on it",
    "ChangePlan.earlier": "fingerprints, and the API server's counters",
    "ChangePlan.live": "masked where it is made",
    "ChangePlan.resource_versions": "the API server's counters",
    "Effect.digest": "a hash",
    "Effect.id": "made from the incident's and the action's ids",
    "Effect.kind": "a word of ours",
    "EnvironmentVariable.container": "of the workload or the settings, written to the letter",
    "EnvironmentVariable.variable": "from the settings",
    "ErrorLine.status": "digits, or a word of ours",
    "EvidenceCollected.collection": "a word of ours",
    "EvidenceCollected.files": "names and hashes of ours",
    "EvidenceCollected.folder": "from the settings",
    "EvidenceCollected.manifest_sha256": "a hash",
    "Identity.signature": "verified to the letter; it proves one statement and opens nothing",
    "FileNotWritten.path": "from the settings",
    "FileNotWritten.what": "words of ours",
    "IncidentClosed.outcome": "a word of ours",
    "IncidentEscalated.about": "made by the plan",
    "IncidentOpened.environment": "the name of a configuration that was loaded by it",
    "IncidentOpened.recurrence_of": "an incident's id",
    "IncidentResolved.outcome": "a word of ours",
    "LogReading.errors_by_status": "digits, or words of ours",
    "MaintenanceNoted.source": "a word of ours",
    "MemoryLimit.container": "of the workload or the settings, written to the letter",
    "OutageEnded.action_id": "made by the plan",
    "OutageNoted.action_id": "made by the plan",
    "PermissionChange.after": "from the settings",
    "PermissionChange.before": "from the settings",
    "PermissionChange.name": "a word of ours",
    "Permissions.memory_ceiling": "from the settings",
    "Permissions.people": "from the settings",
    "Permissions.receiver_keys": "public keys",
    "Permissions.replacement_key_block": "from the settings",
    "Person.also": "from the settings",
    "Finding.check": "a check of the catalogue",
    "TriageStarted.checks": "checks of the catalogue",
    "Person.public_keys": "public keys",
    "Person.logins": "from the settings",
    "PlanDrifted.action_id": "made by the plan",
    "PlanDrifted.new_digest": "a hash",
    "PlanDrifted.old_digest": "a hash",
    "PlannedAction.id": "made by the plan",
    "PostmortemDrafted.path": "from the settings",
    "PostmortemDrafted.sha256": "a hash",
    "Replicas.name": "a word of ours",
    "RunContinued.flow_run_id": "Prefect's UUID",
    "RunStarted.flow_run_id": "Prefect's UUID",
    "RunStarted.url": "from Prefect's settings",
    "Setting.value": "written to the letter: a change of a value that looks like a secret is blocked",
    "StatusAnnounced.channel": "a word of ours",
    "StatusAnnounced.state": "a word of ours",
    "PublicIncidentSeen.channel": "a word of ours",
    "PublicTextWithheld.proposal": "a digest of ours",
    "PublicUpdateSeen.channel": "a word of ours",
    "PublicTextApproved.proposal": "a digest of ours",
    "PublicTextProposed.channel": "a word of ours",
    "PublicTextProposed.impact": "one of a closed list",
    "PublicTextProposed.message": "a word of ours",
    "PublicTextProposed.state": "a word of ours",
    "PublicTextRefused.channel": "a word of ours",
    "PublicTextRefused.state": "a word of ours",
    "StatusPageReading.format": "a word of ours",
    "StatusPageReading.route": "a word of ours",
    "PlannedAction.name": "the name of an action that there is",
    "Permissions.preapproved": "names of actions that there are",
    "Switch.value": "from the settings",
    "Switch.variable": "from the settings",
    "SwitchChecked.action_id": "made by the plan",
}
"""Fields of texts that are no text from outside, and why. Who adds a field says which it is."""

DOORS = (let_in_name, let_in_identity)


def is_door(mark: object) -> bool:
    """Whether a field's mark takes its text through the door."""
    if isinstance(mark, AfterValidator):
        return mark.func in DOORS
    return isinstance(mark, Outside | OutsideJson | OutsideNamed)


def leaves(kind: Any, marks: tuple[object, ...] = ()) -> Iterator[tuple[Any, tuple[object, ...]]]:
    """The types that a type is made of, each with the marks around it."""
    if get_origin(kind) is Annotated:
        inner, *own = get_args(kind)
        yield from leaves(inner, (*marks, *own))
    elif get_origin(kind) in (tuple, list, dict, Union, UnionType):
        for part in get_args(kind):
            if part is not Ellipsis:
                yield from leaves(part, marks)
    elif get_origin(kind) is not Literal:
        yield kind, marks


def records(*kinds: Any) -> set[type[BaseModel]]:
    """The models that types are made of, and the models in their fields."""
    found: set[type[BaseModel]] = set()
    waiting = [leaf for kind in kinds for leaf, _ in leaves(kind)]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in found:
            found.add(kind)
            for field in kind.model_fields.values():
                waiting += [leaf for leaf, _ in leaves(field.annotation)]
    return found


def open_fields() -> set[str]:
    """The fields that hold texts or JSON and have no door."""
    found = set()
    for record in records(Event, *READINGS):
        for name, field in record.model_fields.items():
            for leaf, marks in leaves(field.annotation, tuple(field.metadata)):
                text = leaf is Any or (isinstance(leaf, type) and issubclass(leaf, str))
                ours = isinstance(leaf, type) and issubclass(leaf, Enum)
                outside = (text and not ours) or "JsonValue" in str(leaf)
                if outside and not any(map(is_door, marks)):
                    found.add(f"{record.__name__}.{name}")
    return found


def test_every_text_of_a_record_is_from_outside_or_ours() -> None:
    """A new field of text has a door, or stands in the table with the reason why it needs none."""
    assert open_fields() == set(OURS)


def test_the_walk_sees_the_records() -> None:
    """A test that looks at nothing would always pass."""
    names = {record.__name__ for record in records(Event, *READINGS)}
    assert {"Alert", "Finding", "Effect", "Answer", "ChangePlan", "ListedIncident", "PodReading"} <= names


@pytest.mark.parametrize("kind", [str, dict[str, str], tuple[str, ...], str | None])
def test_a_text_without_a_door_is_seen(kind: Any) -> None:
    """In whichever form it stands."""
    assert [leaf for leaf, marks in leaves(kind) if leaf is str and not marks]
