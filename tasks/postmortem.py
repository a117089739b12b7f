"""Draft the post-mortem from the journal and the metrics."""

from datetime import timedelta
from hashlib import sha256

from blocks.files.evidence_folder import write_file
from blocks.transport.errors import OutsideError
from runbook.incidents.events import PostmortemDrafted
from runbook.incidents.incident import Incident
from runbook.postmortem.draft import ImpactFigures
from runbook.postmortem.draft import draft_postmortem as render_draft
from runbook.postmortem.impact_figures import impact_figures, total_rate
from tasks.artifacts import publish_postmortem
from tasks.incident import OpenIncident, now
from tasks.secrets import redactor

DRAFT = "postmortem.md"


async def draft_postmortem(incident: OpenIncident, *, again: bool = False) -> str:
    """Write the draft beside the evidence and return its path.

    A draft that exists is kept, since a person may have written in it; `again` writes another beside it.

    Raises:
        NotWritten: it cannot be written; it is published anyway.
        Unavailable: the store cannot be reached.
    """
    journal = await incident.read()
    drafts = journal.events(PostmortemDrafted)
    if drafts and not again:
        return drafts[-1].path
    figures = await _figures(incident, journal)
    markdown = render_draft(journal, figures, now=now(), policy=incident.policy)
    markdown = (await redactor(incident.environment)).text(markdown)
    name = f"postmortem-{len(drafts) + 1}.md" if drafts else DRAFT
    try:
        path = await write_file(incident.environment.evidence, f"{incident.id}/{name}", markdown.encode())
        digest = sha256(markdown.encode()).hexdigest()
        drafted = PostmortemDrafted(path=path, sha256=digest)
        await incident.record(drafted, key=drafted.key_of(len(drafts) + 1))
    finally:
        await publish_postmortem(incident, markdown)
    return path


async def _figures(incident: OpenIncident, journal: Incident) -> ImpactFigures:
    """Figures of the impact; none where Prometheus cannot be asked, which the draft says."""
    prometheus, policy = incident.environment.prometheus, incident.policy
    start = journal.opened_at - timedelta(seconds=policy.evidence_window_seconds)
    end = journal.resolved_at or now()
    try:
        errors = await prometheus.error_history(start, end)
        requests = await prometheus.request_history(start, end)
    except OutsideError:
        return ImpactFigures()
    return impact_figures(
        total_rate([series.points for series in errors]),
        total_rate([series.points for series in requests]),
        threshold=policy.error_rate_threshold,
    )
