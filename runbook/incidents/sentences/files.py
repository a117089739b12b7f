"""Evidence, drafts and artifacts, in sentences."""

from runbook.channels.wording import count
from runbook.incidents import events as e
from runbook.incidents.sentences.dispatch import sentence


@sentence.register
def _(event: e.EvidenceCollected) -> str:
    missing = f", {len(event.missing)} missing ({', '.join(event.missing)})" if event.missing else ""
    return f"Evidence collected: {count(len(event.files), 'file')} in {event.folder}{missing}"


@sentence.register
def _(event: e.FileNotWritten) -> str:
    return f"Could not be written: {event.what} ({event.because})"


@sentence.register
def _(event: e.PostmortemDrafted) -> str:
    return f"Post-mortem drafted: {event.path}"


@sentence.register
def _(event: e.ArtifactPublished) -> str:
    return f"Published the {event.kind} artifact {event.key}"
