"""Collect evidence: the debug bundle, the logs and the metrics, as files, redacted and sealed.

Follows the runbook's "Evidence Collection": debug bundle, `kubectl logs --since=1h > incident-logs.txt`,
`query_range … > metrics.json`. What cannot be had is named in the manifest with the reason.
"""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

from prefect.filesystems import LocalFileSystem
from pydantic import JsonValue

from blocks.files.evidence_folder import NotWritten, path_of, write_file
from blocks.transport.errors import OutsideError, Refused
from runbook.checks.log_lines import LogLine
from runbook.evidence.manifest import MANIFEST, evidence_name, seal
from runbook.incidents.events import EvidenceCollected
from runbook.incidents.incident import Incident
from runbook.outside_text.plain import json_file, plain_file
from runbook.redaction import Redactor
from tasks.artifacts import publish_evidence
from tasks.evidence.error_rate import error_chart
from tasks.evidence.unwritten import note_unwritten
from tasks.incident import OpenIncident, now
from tasks.secrets import redactor

CHART = "error-rate.png"

log = logging.getLogger("runbook.evidence")

Source = Callable[[], Awaitable[bytes]]


async def collect_evidence(incident: OpenIncident, collection: str) -> str:
    """Write and seal one collection; returns its folder. A collection that is in the journal stands.

    Raises:
        NotWritten: nothing of it can be written, or not the seal.
        Unavailable: the store cannot be reached.
    """
    journal = await incident.read()
    for known in journal.events(EvidenceCollected):
        if known.collection == collection:
            return known.folder
    files, missing = await _gather(_sources(incident, journal, await redactor(incident.environment)))
    folder, place = incident.environment.evidence, f"{incident.id}/{collection}"
    written, unwritten = await _write(folder, place, files)
    missing |= {name: str(error) for name, error in unwritten.items()}
    manifest = seal(written, incident=journal, collection=collection, missing=missing, at=now())
    await write_file(folder, f"{place}/{MANIFEST}", manifest)
    event = EvidenceCollected(
        collection=collection,
        folder=path_of(folder, place),
        manifest_sha256=sha256(manifest).hexdigest(),
        files={name: sha256(content).hexdigest() for name, content in written.items()},
        missing=missing,
    )
    await incident.record_once(event)
    if unwritten:
        why = next(iter(unwritten.values()))
        await note_unwritten(incident, evidence_name(collection), event.folder, why)
    await publish_evidence(incident, event, _data_uri(files.get(CHART)))
    return event.folder


async def _write(
    folder: LocalFileSystem, place: str, files: dict[str, bytes]
) -> tuple[dict[str, bytes], dict[str, NotWritten]]:
    """Write all files that can be written; what there is no room for may leave room for the next.

    Raises:
        NotWritten: not one can be.
    """
    written, unwritten = {}, {}
    for name, content in files.items():
        try:
            await write_file(folder, f"{place}/{name}", content)
            written[name] = content
        except NotWritten as error:
            unwritten[name] = error
    if unwritten and not written:
        raise next(iter(unwritten.values()))
    return written, unwritten


async def _gather(sources: dict[str, Source]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Everything at once; what fails is missing with its reason and stops nothing else."""

    async def fetch(source: Source) -> bytes | OutsideError:
        try:
            return await source()
        except OutsideError as error:
            return error
        except Exception as error:  # a defect met with one file costs no other, and no mitigation
            log.exception("A part of the evidence could not be made")
            return Refused("runbook", f"a defect ({type(error).__name__})", "See the log of the run")

    answers = await asyncio.gather(*(fetch(source) for source in sources.values()))
    named = dict(zip(sources, answers, strict=True))
    files = {name: answer for name, answer in named.items() if isinstance(answer, bytes)}
    missing = {name: str(answer) for name, answer in named.items() if isinstance(answer, OutsideError)}
    return files, missing


def _sources(incident: OpenIncident, journal: Incident, mask: Redactor) -> dict[str, Source]:
    cluster, prometheus = incident.environment.cluster, incident.environment.prometheus
    window = timedelta(seconds=incident.policy.evidence_window_seconds)
    start, end = journal.opened_at - window, now()

    async def deployment() -> bytes:
        return await asyncio.to_thread(_json, mask, await cluster.workload.read())

    async def pods() -> bytes:
        return await asyncio.to_thread(_json, mask, await cluster.workload.pods())

    async def replica_sets() -> bytes:
        return await asyncio.to_thread(_json, mask, await cluster.workload.revisions())

    async def events() -> bytes:
        found = await cluster.events.all()
        return await asyncio.to_thread(_json, mask, {"items": found.items, "missing": found.missing})

    async def logs() -> bytes:
        read = await cluster.logs.read(int((end - start).total_seconds()), every_container=True)
        unread = [f"# not read: {pod}: {why}" for pod, why in read.pods_unread.items()]
        return await asyncio.to_thread(_text, mask, "\n".join([*unread, *map(_line, read.lines)]) + "\n")

    async def metrics() -> bytes:
        return await asyncio.to_thread(_json, mask, await prometheus.export(start, end))

    async def chart() -> bytes:
        return await error_chart(incident, journal, start, end)

    async def facts() -> bytes:
        known: dict[str, JsonValue] = {
            "findings": journal.findings.model_dump(mode="json") if journal.findings else None,
            "decision": journal.decision.model_dump(mode="json") if journal.decision else None,
        }
        return await asyncio.to_thread(_json, mask, known)

    async def events_so_far() -> bytes:
        secrets = await redactor(incident.environment, personal=False)  # it says who approved what
        lines = [f"{item.model_dump_json()}\n" for item in journal.journal]
        return await asyncio.to_thread(lambda: b"".join(_text(secrets, line) for line in lines))

    return {
        "debug-bundle/deployment.json": deployment,
        "debug-bundle/pods.json": pods,
        "debug-bundle/replicasets.json": replica_sets,
        "debug-bundle/events.json": events,
        "debug-bundle/triage.json": facts,
        "journal.jsonl": events_so_far,
        "incident-logs.txt": logs,
        "metrics.json": metrics,
        CHART: chart,
    }


def _line(line: LogLine) -> str:
    at = f"{line.at.isoformat()} " if line.at else ""
    return f"{at}{line.pod}/{line.container}: {line.text}"


# Masking much takes seconds. It is done in threads, so that the run can go on saying that it is alive.


def _json(mask: Redactor, value: Any) -> bytes:
    return _bytes(json_file(value, mask))


def _text(mask: Redactor, text: str) -> bytes:
    return _bytes(plain_file(text, mask))


def _bytes(text: str) -> bytes:
    """The text in UTF-8; a lone surrogate of a log or an alert stands as `\ud800`, as JSON writes it."""
    return text.encode(errors="backslashreplace")


def _data_uri(png: bytes | None) -> str | None:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}" if png else None
