"""The runbook's own disk is full or cannot be written: that is a note, and the response goes on."""

import dataclasses
import json
import os
import random
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prefect.filesystems import LocalFileSystem

from blocks.channels.slack import Slack
from blocks.files import evidence_folder
from blocks.files.evidence_folder import NotWritten, write_file
from deployments.drill.world.channels.slack import CHANNEL_ID
from deployments.drill.world.channels.slack import Slack as Workspace
from deployments.drill.world.keys import Keys
from deployments.drill.world.servers.wire import listening
from runbook.evidence.manifest import BEFORE_MITIGATION, gap_before_change
from runbook.incidents.events import EvidenceCollected, FileNotWritten, PostmortemDrafted
from runbook.incidents.report import gate_question, plan_markdown
from runbook.redaction import Redactor
from tasks.evidence import collect as evidence
from tasks.evidence.keep import keep_evidence
from tasks.evidence.paper import leave_paper
from tasks.incident import OpenIncident
from tasks.leave_draft import leave_draft
from tasks.postmortem import draft_postmortem
from tests.blocks.cluster_world import cluster_world
from tests.fixtures.own_disk import Fault, broken, fill, small_disk
from tests.runbook.journals import PLAN
from tests.tasks.environments import open_incident

KEYS = Keys.generated(random.Random(3))  # noqa: S311 - repeatable on purpose
LOG_LINE = "started with a lot of output; the password is hunter2x"
REASONS = {
    Fault.FULL: "No space left on device",
    Fault.READ_ONLY: "Read-only file system|Permission denied",
    Fault.NO_FOLDER: "Not a directory|File exists",
}

pytestmark = [pytest.mark.proof, pytest.mark.usefixtures("engineless")]


@dataclasses.dataclass
class Place:
    """An incident, where its evidence should go, and what the channel has heard."""

    incident: OpenIncident
    folder: Path
    workspace: Workspace

    def said(self) -> list[str]:
        """The messages in the channel."""
        return [str(message["text"]) for message in self.workspace.messages]

    async def unwritten(self) -> list[FileNotWritten]:
        """What the journal says of files that could not be written."""
        return (await self.incident.read()).events(FileNotWritten)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """An incident whose evidence has a folder of its own, beside the store."""
    opened, folder, workspace = await open_incident(tmp_path), tmp_path / "evidence", Workspace(KEYS)
    async with listening(workspace.app) as url:
        at_work = dataclasses.replace(
            opened.environment,
            evidence=LocalFileSystem(basepath=str(folder)),
            slack=Slack(token=KEYS.slack_token, channel=CHANNEL_ID, base_url=f"{url}/api/"),
        )
        yield Place(OpenIncident(opened.id, at_work), folder, workspace)


@pytest.mark.parametrize("fault", Fault)
async def test_evidence_that_cannot_be_written_is_told_once_and_before_the_change(
    place: Place, fault: Fault
) -> None:
    """In the journal, in the channel, with the plan and at the gate; and collected once it can be."""
    with broken(place.folder, fault):
        for _ in range(2):  # the run starts again after the gate
            await keep_evidence(place.incident, BEFORE_MITIGATION)
    journal = await place.incident.read()
    [event] = journal.events(FileNotWritten)
    assert event.what == "evidence before-mitigation"
    assert event.path == f"{place.folder}/inc-1/before-mitigation"
    assert any(reason in event.because for reason in REASONS[fault].split("|")), event.because
    [said] = place.said()
    assert said.startswith("💾 The evidence before-mitigation could not be written: ")
    assert "Free space there, or give the worker write access; the response goes on.\n" in said
    gap = gap_before_change(journal)
    assert gap.startswith("none of it could be written (")
    assert "**Evidence from before this change is missing:**" in gate_question(PLAN, gap=gap)
    assert "**Evidence from before this change is missing:**" in plan_markdown(PLAN, gap=gap)
    assert journal.events(EvidenceCollected) == []

    if fault is Fault.NO_FOLDER:
        place.folder.unlink()
    await keep_evidence(place.incident, BEFORE_MITIGATION)
    journal = await place.incident.read()
    [kept] = journal.events(EvidenceCollected)
    assert "journal.jsonl" in kept.files


async def test_masking_of_much_evidence_holds_nothing_else_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Megabytes of logs take seconds, in which the run has to say that it is alive: other threads mask."""
    masked_in: dict[str, set[int]] = {}
    mask_text, mask_json = evidence._text, evidence._json

    def text(mask: Redactor, said: str) -> bytes:
        kind = "logs" if LOG_LINE in said else "journal"
        masked_in.setdefault(kind, set()).add(threading.get_ident())
        return mask_text(mask, said)

    def value(mask: Redactor, said: Any) -> bytes:
        kind = "facts" if isinstance(said, dict) and "findings" in said else "objects"
        masked_in.setdefault(kind, set()).add(threading.get_ident())
        return mask_json(mask, said)

    monkeypatch.setattr(evidence, "_text", text)
    monkeypatch.setattr(evidence, "_json", value)
    async with cluster_world() as world:
        world.imitation.write_log(world.pod_names()[0], LOG_LINE, "app")
        at_work = dataclasses.replace(place.incident.environment, cluster=world.block)
        await keep_evidence(OpenIncident(place.incident.id, at_work), BEFORE_MITIGATION)
    assert masked_in.keys() == {"logs", "journal", "facts", "objects"}
    assert threading.get_ident() not in set().union(*masked_in.values())
    logs = (place.folder / "inc-1" / BEFORE_MITIGATION / "incident-logs.txt").read_text()
    assert "the password is [redacted:password]" in logs


async def test_what_there_is_room_for_is_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large file does not fit: it is missing with the reason, nothing of it is left, the rest is sealed."""
    monkeypatch.setattr(evidence, "_json", lambda _mask, _value: b"x" * 500_000)
    with small_disk(place.folder, kib=256):
        await keep_evidence(place.incident, BEFORE_MITIGATION)
        written = place.folder / "inc-1" / BEFORE_MITIGATION
        names = {path.name for path in written.rglob("*") if path.is_file()}
        manifest = json.loads((written / "manifest.json").read_text())
    journal = await place.incident.read()
    [collected] = journal.events(EvidenceCollected)
    assert "debug-bundle/triage.json" in collected.missing
    assert "No space left on device" in collected.missing["debug-bundle/triage.json"]
    assert collected.missing.keys() == manifest["missing"].keys()
    assert names == {"journal.jsonl", "manifest.json"}
    assert gap_before_change(journal).startswith("not all of it could be written (")
    assert len(place.said()) == 1


@pytest.mark.parametrize("fault", Fault)
async def test_a_paper_runbook_that_cannot_be_written_is_a_note(place: Place, fault: Fault) -> None:
    """Nothing is raised: a person is called all the same, and finds it with `runbook paper`."""
    with broken(place.folder, fault):
        for _ in range(2):
            await leave_paper(place.incident)
    assert [event.what for event in await place.unwritten()] == ["paper runbook"]
    assert len(place.said()) == 1


@pytest.mark.parametrize("fault", Fault)
async def test_a_draft_that_cannot_be_written_does_not_keep_the_incident_open(
    place: Place, fault: Fault
) -> None:
    """The response ends without it; drafted by hand, the flow fails, as whoever started it should know."""
    with broken(place.folder, fault):
        assert await leave_draft(place.incident) == ""
        with pytest.raises(NotWritten):
            await draft_postmortem(place.incident, again=True)
    journal = await place.incident.read()
    assert [event.what for event in journal.events(FileNotWritten)] == ["post-mortem"]
    assert journal.events(PostmortemDrafted) == []
    assert any("postmortem" in key for key in journal.artifacts)  # Prefect has it
    if fault is Fault.NO_FOLDER:
        place.folder.unlink()
    await draft_postmortem(place.incident)
    assert (place.folder / "inc-1" / "postmortem.md").read_text().startswith("## Incident")


async def test_a_file_is_written_whole_or_not_at_all(place: Place) -> None:
    """What was there before stays, and no part of the new one is left to fill the disk."""
    folder = place.incident.environment.evidence
    with small_disk(place.folder, kib=64):
        await write_file(folder, "inc-1/note.md", b"before")
        fill(place.folder)
        with pytest.raises(NotWritten, match="No space left on device"):
            await write_file(folder, "inc-1/note.md", b"x" * 60_000)
        assert sorted(path.name for path in (place.folder / "inc-1").iterdir()) == ["note.md"]
        assert (place.folder / "inc-1" / "note.md").read_text() == "before"


async def test_a_disk_that_hangs_does_not_hold_up_the_response(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network disk whose server is away blocks whoever writes: that has an end for us."""
    (place.folder / "inc-1").mkdir(parents=True)
    fifo = place.folder / "inc-1" / "fifo"
    os.mkfifo(fifo)
    monkeypatch.setattr(evidence_folder, "WRITE_SECONDS", 0.2)
    # Whoever opens a FIFO to write waits for a reader, as one waits for such a disk.
    monkeypatch.setattr(evidence_folder, "_write", lambda _folder, _path, content: fifo.write_bytes(content))
    with pytest.raises(NotWritten, match="could not be written within"):
        await write_file(place.incident.environment.evidence, "inc-1/note.md", b"x")
    with fifo.open("rb"):
        pass  # lets the thread go
