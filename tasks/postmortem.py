"""Draft the post-mortem from the journal and the metrics."""

from datetime import timedelta
from hashlib import sha256

from prefect import task
from prefect.cache_policies import NO_CACHE

from blocks.errors import OutsideError
from blocks.evidence_folder import write_evidence
from runbook.events import PostmortemDrafted
from runbook.impact_figures import impact_figures, total_rate
from runbook.incident import Incident
from runbook.postmortem import ImpactFigures
from runbook.postmortem import draft_postmortem as render_draft
from tasks.artifacts import publish_postmortem
from tasks.incident import OpenIncident, now
from tasks.retries import is_transient
from tasks.secrets import redactor


@task(
    name="draft post-mortem",
    task_run_name="draft post-mortem",
    cache_policy=NO_CACHE,
    retries=2,
    retry_delay_seconds=[1, 5],
    retry_condition_fn=is_transient,
)
async def draft_postmortem(incident: OpenIncident, *, again: bool = False) -> str:
    """Write the draft beside the evidence and return its path.

    A draft that exists is kept, since a person may have written in it; `again` writes another beside it.
    """
    journal = await incident.read()
    drafts = journal.events(PostmortemDrafted)
    if drafts and not again:
        return drafts[-1].path
    figures = await _figures(incident, journal)
    markdown = render_draft(journal, figures, now=now(), calendar=incident.policy.calendar)
    markdown = (await redactor(incident.environment)).text(markdown)
    name = f"postmortem-{len(drafts) + 1}.md" if drafts else "postmortem.md"
    folder = incident.environment.evidence
    await write_evidence(folder, f"{incident.id}/{name}", markdown.encode())
    path = f"{folder.basepath}/{incident.id}/{name}"
    digest = sha256(markdown.encode()).hexdigest()
    await incident.record(PostmortemDrafted(path=path, sha256=digest), key=f"postmortem:{len(drafts) + 1}")
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
