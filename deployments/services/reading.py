"""What somebody elsewhere reads of incidents: JSON that is masked, escaped and no longer than a bound."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from pydantic import JsonValue

from runbook.handover.packet import packet_markdown, packet_of
from runbook.incidents.events import Recorded
from runbook.incidents.incident import Incident
from runbook.incidents.summary import Facts, everything, headline
from runbook.outside_text.machine import json_document
from runbook.policy.policy import Policy
from runbook.redaction import redact_secret_values
from runbook.support.page import support_page

LONGEST_JOURNAL = 500_000
"""Bytes of the journal as JSON. Each 100 kB takes the processor some 0.2 s to mask."""

LEFT_OUT = "journal_left_out"
"""How many events of the journal are not in the answer, all of them after the opening and before the rest."""


def incident_document(incident: Incident, policy: Policy) -> str:
    """One incident in full, with its open question and the diff that it is about.

    Where the journal is longer than `LONGEST_JOURNAL`, its opening and its newest events are there.
    """
    facts = everything(incident, policy)
    journal = facts["journal"]
    if not isinstance(journal, list):
        raise TypeError("a journal is a list")
    kept = bounded(journal, LONGEST_JOURNAL)
    facts |= {"journal": kept, LEFT_OUT: len(journal) - len(kept)}
    return _document(facts)


def packet_document(incident: Incident, policy: Policy, now: datetime) -> str:
    """The hand-over packet at `now` (aware UTC), and the same as a page."""
    packet = packet_of(incident, policy, now=now)
    return _document(packet.model_dump(mode="json") | {"page": packet_markdown(packet)})


def support_document(incident: Incident, policy: Policy, now: datetime) -> str:
    """What support may tell users at `now` (aware UTC), and the same as a text."""
    return _document(support_page(incident, policy, now=now).model_dump(mode="json"))


def list_document(incidents: Sequence[Incident], policy: Policy) -> str:
    """The headlines of incidents, under this policy."""
    return _document({"incidents": [headline(incident, policy) for incident in incidents]})


def events_document(incident: str, newer: Sequence[Recorded]) -> str:
    """Events of one incident: the first of these that fit into `LONGEST_JOURNAL`, one at least.

    Who follows an incident asks for the next after them.
    """
    journal: list[JsonValue] = []
    left = LONGEST_JOURNAL
    for recorded in newer:
        event = recorded.model_dump(mode="json")
        left -= len(orjson.dumps(event))
        if journal and left < 0:
            break
        journal.append(event)
    return _document({"incident": incident, "journal": journal})


def bounded(journal: list[JsonValue], limit: int) -> list[JsonValue]:
    """The opening, and the newest events that fit beside it into so many bytes of JSON."""
    if not journal:
        return []
    left = limit - len(orjson.dumps(journal[0]))
    newest: list[JsonValue] = []
    for item in reversed(journal[1:]):
        left -= len(orjson.dumps(item))
        if left < 0:
            break
        newest.append(item)
    return [journal[0], *reversed(newest)]


def _document(facts: Facts | dict[str, Any]) -> str:
    return json_document(redact_secret_values(facts))
