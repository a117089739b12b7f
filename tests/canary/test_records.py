"""A secret in any text of any record is in nothing that is made of that record."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from rich.console import Console

from deployments.cli.looking.views import print_full, print_short
from deployments.cli.output import console
from deployments.progress import Progress
from runbook.approvals.people import Person
from runbook.channels.messages import external_message, in_slack, message_facts, update_message
from runbook.channels.next_up import next_up
from runbook.incidents import events as e
from runbook.incidents.current_action import current_action
from runbook.incidents.events import EVENT, Event, Recorded
from runbook.incidents.incident import Incident
from runbook.incidents.report import (
    decision_markdown,
    evidence_markdown,
    gate_question,
    plan_markdown,
    timeline_markdown,
    triage_markdown,
)
from runbook.incidents.sentences import sentence
from runbook.incidents.state import State
from runbook.policy.policy import Policy
from runbook.postmortem.draft import ImpactFigures, draft_postmortem
from tests.canary.canaries import SHAPES, Canaries
from tests.runbook.evidence.test_paper import paper
from tests.runbook.journals import ALERT, OPENED, every_event
from tests.runbook.outside_text.test_fields import OURS, READINGS

AT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
EVENT_TYPES: tuple[type[BaseModel], ...] = get_args(get_args(Event)[0])


OF_OURS: dict[str, Any] = {
    "ActRule.approvers": (),
    "ActRule.proofs": (),
    "ApprovalRule.approvers": (),
    "ApprovalRule.proofs": (),
    "Alert.source": "alertmanager",
    "Care.in_doubt": (),
    "ChangePlan.basis": {},
    "ChangePlan.before": {},
    "ChangePlan.bound": {},
    "ChangePlan.earlier": {},
    "ChangePlan.resource_versions": {},
    "EvidenceCollected.files": {"logs.txt": "0" * 64},
    "Finding.check": "health",
    "IncidentEscalated.in_doubt": (),
    "IncidentResolved.outcome": "recovered",
    "LogReading.errors_by_status": {"503": 1},
    "Permissions.memory_ceiling": "2Gi",
    "Permissions.preapproved": {},
    "PlannedAction.name": "enable_fallback",
    "Permissions.receiver_keys": (),
    "TriageStarted.checks": ("health",),
    "Person.also": (),
    "Person.public_keys": (),
    "Person.logins": (),
}
"""Of the fields that are ours, those that take no other word, and lists of what is checked to the letter."""


def made(kind: Any, canaries: Canaries, where: str) -> Any:
    """A value of that type, with a canary in every text that may come from outside."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return made(parts[0], canaries, where)
    if origin in (Union, UnionType):
        return made(next(part for part in parts if part is not NoneType), canaries, where)
    if origin is Literal:
        return parts[0]
    if origin is tuple:
        return tuple(made(parts[0], canaries, f"{where}[{number}]") for number in range(2))
    if origin is dict:
        names = parts[0]
        name = made(names, canaries, f"{where} (name)")
        return {name: made(parts[1], canaries, f"{where} (value)")}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return record(kind, canaries, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if kind is datetime:
        return AT
    if kind is bool:
        return True
    if kind in (int, float):
        return kind(1)
    return canaries.in_words(where)  # a text, or any JSON value


def record(kind: type[BaseModel], canaries: Canaries, where: str = "") -> dict[str, Any]:
    """The fields of a record, as somebody outside would fill them in."""
    fields: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        key = f"{kind.__name__}.{name}"
        if key in OF_OURS:
            fields[name] = OF_OURS[key]
        elif key == "Permissions.people":
            fields[name] = {"ours": record(Person, canaries, where)}
        elif key in OURS:
            fields[name] = "ours"
        elif key != "Alert.key":
            fields[name] = made(field.annotation, canaries, f"{where}{key} ")
    return fields


def shown(events: list[Any]) -> Iterator[str]:
    """Everything that is made of a journal with these events."""
    journal = [
        Recorded(seq=number, at=OPENED, event=event)
        for number, event in enumerate([e.IncidentOpened(alert=ALERT), *events], start=1)
    ]
    of = Incident.from_events("inc-20261122-1500", journal)
    for event in events:
        yield EVENT.dump_json(event).decode()
        yield sentence(event)
    yield timeline_markdown(of)
    yield draft_postmortem(of, ImpactFigures(), now=OPENED)
    yield current_action(of)
    yield str(of.pending_gate)
    made_facts = message_facts(
        of, state=State.INVESTIGATING, policy=Policy(), now=OPENED, commander="ana", update_interval=None
    )
    yield in_slack(update_message(made_facts))
    yield str(external_message(made_facts))
    for screen in (console, lambda stream: Console(file=stream)):
        stream = io.StringIO()
        progress = Progress(screen(stream), opened_at=OPENED)
        for recorded in journal:
            progress.show(recorded)
        print_full(screen(stream), of, now=OPENED)
        print_short(screen(stream), of, awaited=None, coming=next_up(of, Policy()), now=OPENED)
        for recorded in journal:
            progress.show_in_one_line(recorded)
        yield stream.getvalue()
    for plan in of.previews.values():
        yield plan_markdown(plan, of.decision, "who")
        yield gate_question(plan, "who")
    if of.decision:
        yield decision_markdown(of.decision)
    if of.findings:
        yield triage_markdown(of.findings)
    for collected in of.events(e.EvidenceCollected):
        yield evidence_markdown(collected)


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda kind: kind.__name__)
def test_an_event_shows_no_secret(kind: type[BaseModel]) -> None:
    """In the journal, on the terminal, in artifacts, messages and drafts; in every shape."""
    found = {}
    for first in range(len(SHAPES)):
        canaries = Canaries()
        for _ in range(first):  # so that each field has each shape once
            canaries.plant("nowhere")
        event = kind.model_validate(record(kind, canaries))
        outputs = list(shown([event]))
        assert outputs[0] != "{}"
        found[first] = canaries.found(outputs)
    assert {first: places for first, places in found.items() if places} == {}


def test_a_whole_journal_shows_no_secret() -> None:
    """Every event after the other, as an incident has them."""
    canaries = Canaries()
    events = [EVENT.validate_python(record(kind, canaries)) for kind in EVENT_TYPES]
    opening = [event for event in events if not isinstance(event, e.IncidentOpened)]
    assert len(canaries.planted) > 100
    assert canaries.found([*shown(opening), paper(*opening)]) == {}


@pytest.mark.parametrize("kind", READINGS, ids=lambda kind: kind.__name__)
def test_a_reading_holds_no_secret(kind: type[BaseModel]) -> None:
    """What a system says is masked before anybody judges it, in every shape."""
    found = {}
    for first in range(len(SHAPES)):
        canaries = Canaries()
        for _ in range(first):
            canaries.plant("nowhere")
        reading = kind.model_validate(record(kind, canaries))
        found[first] = canaries.found([reading.model_dump_json(), repr(reading)])
    assert {first: places for first, places in found.items() if places} == {}


def test_canaries_are_seen_where_they_are() -> None:
    """A search that finds nothing would find nothing anywhere."""
    canaries = Canaries()
    texts = [canaries.plant(f"place {number}") for number in range(len(SHAPES))]
    assert canaries.found(texts) == {f"place {number}": 1 for number in range(len(SHAPES))}
    assert canaries.found([texts[0].encode(), *map(str, every_event())]) == {"place 0": 1}
