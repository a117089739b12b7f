"""The clean-up as a flow on a real Prefect server, with real files: what is kept no longer goes, once."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from blocks.environment import Environment
from blocks.store.journal import IncidentStore
from deployments.prefect.configure import configure
from deployments.settings.settings import check_settings
from flows.clean_up import clean_up
from runbook.actions.catalogue import ActionOutcome
from runbook.evidence.manifest import collection_name
from runbook.incidents import events as e
from runbook.policy.policy import Policy
from tasks.incident import now
from tasks.lease import duty
from tests.runbook.journals import ALERT, finished, resolved

NAME = "cleaning"
FORTY_DAYS = timedelta(days=40)
KEEP = {"incidents": 30, "evidence": 7}
CLOSED = e.IncidentClosed(outcome="recovered")
COLLECTIONS = [collection_name(seconds) for seconds in Policy().evidence_due_seconds]

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("prefect_api")]


class House:
    """A configured environment: its store, and the folder of its evidence."""

    def __init__(self, folder: Path, store: IncidentStore) -> None:
        self.evidence = folder / "evidence"
        self.store = store
        self.database = folder / "incidents.db"

    async def incident(
        self, name: str, *events: e.Event, age: timedelta = FORTY_DAYS, environment: str = NAME
    ) -> None:
        """An incident that was resolved and had its evidence collected, and to which this happened last."""
        at, alert = now() - age, ALERT.model_copy(update={"service": f"service of {name}"})
        await self.store.open_incident(alert, incident_id=name, at=at, environment=environment)
        for collection in COLLECTIONS:
            path = self.evidence / name / collection
            path.mkdir(parents=True)
            (path / "incident-logs.txt").write_text("what happened")
        (self.evidence / name / "postmortem.md").write_text("why it happened")
        collected = (
            e.EvidenceCollected(collection=of, folder="", manifest_sha256="", files={}, missing={})
            for of in COLLECTIONS
        )
        for event in (resolved(), *collected, *events):
            await self.store.append(name, event, at=at)

    async def journals(self) -> set[str]:
        """The incidents that have one."""
        return {incident.id for incident in await self.store.incidents()}

    def files(self, name: str) -> list[str]:
        """What is in the folder of an incident."""
        return sorted(path.name for path in (self.evidence / name).glob("*"))

    def folders(self) -> set[str]:
        """The incidents that have one."""
        return {path.name for path in self.evidence.iterdir()}

    def sql(self, statement: str) -> list[Any]:
        """What the database says, past everything of ours."""
        with sqlite3.connect(self.database) as database:
            return database.execute(statement).fetchall()


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., Any]:
    """Make the environment whose settings keep for so many days."""

    async def configured(**keep_days: int) -> House:
        tables = {
            "prefect": {"environment": NAME},
            "store": {"url": "sqlite+aiosqlite:///incidents.db"},
            "evidence": {"folder": "evidence"},
            "integration": {"health_url": "http://127.0.0.1:9/health"},
            "cluster": {"kubeconfig": str(tmp_path / "kubeconfig")},
            "policy": {"keep_days": keep_days},
        }
        await configure(check_settings(tables, origin=tmp_path / "runbook.toml"), deployments=[])
        return House(tmp_path, (await Environment.load(NAME)).store)

    return configured


async def test_only_what_is_over_and_done_is_removed(house: Callable[..., Any]) -> None:
    """With all that belongs to it; what is kept past its time is told with the reason, each run anew."""
    at = await house(**KEEP)
    await at.incident("inc-old", CLOSED)
    await at.incident("inc-open")
    await at.incident("inc-switch", finished(ActionOutcome.RECOVERED), CLOSED)
    await at.incident("inc-fresh", CLOSED, age=timedelta(days=6))
    await at.incident("inc-others", CLOSED, environment="another")
    await at.store.take_lease(duty("inc-old"), "inc-old", at=now(), until=now())
    kept = {"inc-open", "inc-switch", "inc-fresh", "inc-others"}
    reason = "inc-switch is kept past its time: it left on: enable_fallback (deployment/posthog-integration)"

    assert sorted(await clean_up(NAME)) == [
        "inc-old (service of inc-old) was removed with its evidence",
        reason,
    ]
    assert await at.journals() == at.folders() == kept
    assert at.files("inc-switch") == sorted([*COLLECTIONS, "postmortem.md"])
    assert at.sql("SELECT * FROM leases") == []
    assert {row[0] for row in at.sql("SELECT DISTINCT incident_id FROM events")} == kept
    assert await clean_up(NAME) == [reason]


@pytest.mark.slow
async def test_nothing_is_removed_unless_the_settings_say_so(house: Callable[..., Any]) -> None:
    """By default everything is kept for ever."""
    at = await house()
    await at.incident("inc-old", CLOSED, age=timedelta(days=4000))
    assert await clean_up(NAME) == []
    assert await at.journals() == at.folders() == {"inc-old"}


@pytest.mark.slow
async def test_evidence_can_go_before_its_incident(house: Callable[..., Any]) -> None:
    """The draft of the post-mortem stays, and the journal says once why the rest is not there."""
    at = await house(evidence=7)
    await at.incident("inc-old", CLOSED)
    assert await clean_up(NAME) == ["the evidence of inc-old was removed"]
    assert await clean_up(NAME) == []
    assert at.files("inc-old") == ["postmortem.md"]
    notes = (await at.store.read("inc-old")).events(e.NoteAdded)
    assert [note.text for note in notes] == ["the evidence is removed: it is kept for 7 days"]


async def test_what_dies_in_the_middle_is_finished_by_the_next_run(house: Callable[..., Any]) -> None:
    """After the files and before the journal: the incident is whole in the store, so it is found again."""
    at = await house(**KEEP)
    await at.incident("inc-old", CLOSED)
    before = at.sql("SELECT * FROM events")
    at.sql("CREATE TRIGGER t BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'died'); END")
    with pytest.raises(ExceptionGroup, match="not everything could be removed"):
        await clean_up(NAME)
    assert (at.folders(), await at.journals()) == (set(), {"inc-old"})
    assert at.sql("SELECT * FROM events") == before
    at.sql("DROP TRIGGER t")
    assert len(await clean_up(NAME)) == 1
    assert await at.journals() == set()


@pytest.mark.slow
async def test_files_that_cannot_be_removed_keep_their_journal(
    house: Callable[..., Any], tmp_path: Path
) -> None:
    """It alone leads to them. Nothing outside of the folder is touched, and the next incident is removed."""
    at = await house(**KEEP)
    await at.incident("inc-elsewhere", CLOSED, age=FORTY_DAYS * 2)
    await at.incident("inc-old", CLOSED)
    elsewhere = tmp_path / "elsewhere"
    (at.evidence / "inc-elsewhere").rename(elsewhere)
    (at.evidence / "inc-elsewhere").symlink_to(elsewhere)
    with pytest.raises(ExceptionGroup) as failed:
        await clean_up(NAME)
    assert "Give the worker write access" in str(failed.value.exceptions[0])
    assert await at.journals() == {"inc-elsewhere"}
    assert (elsewhere / "postmortem.md").exists()
    assert at.folders() == {"inc-elsewhere"}
