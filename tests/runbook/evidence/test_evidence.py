"""Evidence is collected when it is due, once each, and sealed with what is missing."""

import json
from datetime import timedelta
from hashlib import sha256

import pytest

from runbook.evidence.manifest import before_mitigation, collection_name, due_collections, seal
from runbook.incidents import events as e
from runbook.incidents.events import IncidentReopened
from runbook.policy.policy import Policy
from tests.runbook.journals import OPENED, decided, incident, resolved

RESOLVED_AT = OPENED + timedelta(seconds=60)  # the second event after the opening, 30 s each


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(0, "resolution"), (3600, "after-1h"), (86400, "after-24h"), (90, "after-90s"), (5400, "after-5400s")],
)
def test_collection_is_named_by_when_it_is_due(seconds: int, name: str) -> None:
    """Whole hours are named as such, everything else in seconds."""
    assert collection_name(seconds) == name


def collected(name: str) -> e.EvidenceCollected:
    """A collection that was made."""
    return e.EvidenceCollected(collection=name, folder=f"evidence/{name}", manifest_sha256="0" * 64, files={})


@pytest.mark.parametrize(
    ("after", "have", "due"),
    [
        (0, (), ("resolution",)),
        (3599, (), ("resolution",)),
        (3600, (), ("resolution", "after-1h")),
        (3600, ("resolution",), ("after-1h",)),
        (3600, ("resolution", "after-1h"), ()),
        (86400, ("resolution",), ("after-1h", "after-24h")),  # an hour that was missed is made up for
        (86400, ("before-mitigation",), ("resolution", "after-1h", "after-24h")),
        (-1, (), ()),
    ],
)
def test_collection_is_due_from_its_time_until_it_was_made(
    after: int, have: tuple[str, ...], due: tuple[str, ...]
) -> None:
    """Counted from the resolution; what the journal has is not due again."""
    of = incident(decided(), resolved(), *(collected(name) for name in have))
    assert due_collections(of, policy=Policy(), now=RESOLVED_AT + timedelta(seconds=after)) == due


def test_after_a_reopening_each_collection_is_due_again() -> None:
    """Under another name: what was kept of the time before stays."""
    first = (decided(), resolved(), collected("resolution"), collected("after-1h"))
    again = resolved().model_copy(update={"reopened": 1})
    of = incident(
        *first, IncidentReopened(because="it fires again"), decided(), again, collected("resolution-2")
    )
    assert of.resolved_at is not None
    hour = of.resolved_at + timedelta(hours=1)
    assert due_collections(of, policy=Policy(), now=hour) == ("after-1h-2",)
    assert before_mitigation(of) == "before-mitigation-2"
    assert before_mitigation(incident()) == "before-mitigation"


def test_nothing_is_due_while_the_response_goes_on() -> None:
    """Without a resolution there is no time to count from."""
    assert due_collections(incident(decided()), policy=Policy(), now=OPENED + timedelta(days=9)) == ()


def test_seal_names_every_file_with_its_hash_and_every_gap_with_its_reason() -> None:
    """The manifest proves later that nothing was changed, and does not hide what could not be had."""
    files = {"metrics.json": b"{}", "logs.txt": "ö\n".encode()}
    of = incident()
    manifest = seal(files, incident=of, collection="resolution", missing={"b": "no", "a": "gone"}, at=OPENED)
    assert json.loads(manifest) == {
        "incident": of.id,
        "collection": "resolution",
        "collected_at": "2026-11-22T15:00:00+00:00",
        "files": {
            "logs.txt": {"sha256": sha256(b"\xc3\xb6\n").hexdigest(), "bytes": 3},
            "metrics.json": {"sha256": sha256(b"{}").hexdigest(), "bytes": 2},
        },
        "missing": {"a": "gone", "b": "no"},
    }


def test_seal_does_not_depend_on_the_order_in_which_files_came() -> None:
    """The same evidence has the same manifest, so that its own hash can be compared."""
    files = {"a": b"1", "b": b"2"}
    again = dict(reversed(files.items()))
    of = incident()
    first = seal(files, incident=of, collection="resolution", missing={}, at=OPENED)
    assert seal(again, incident=of, collection="resolution", missing={}, at=OPENED) == first
