"""A file that cannot be written: a note in the journal and the channel, and the response continues."""

from hashlib import sha256

from blocks.files.evidence_folder import NotWritten
from runbook.channels.messages import notice_message
from runbook.incidents.effect_ids import MessageName
from runbook.incidents.effects import Authority
from runbook.incidents.events import FileNotWritten
from tasks.channels.deliver import say
from tasks.incident import OpenIncident

TELL = Authority.policy("announce")


async def note_unwritten(incident: OpenIncident, what: str, path: str, error: NotWritten) -> None:
    """Journal that a file could not be written, and tell the channel; once for each reason.

    Raises:
        LeaseLost: another process works on the incident now.
        Unavailable: the store cannot be reached.
    """
    event = FileNotWritten(what=what, path=path, because=error.detail)
    digest = sha256(f"{what}\n{error.detail}".encode()).hexdigest()[:12]
    await incident.record(event, key=event.key_of(digest))
    if incident.environment.speakers:
        text = f"💾 The {what} could not be written: {error.detail}. {error.next_step}; the response goes on."
        name = MessageName.unwritten_file(digest)
        await say(incident, await incident.read(), notice_message(text), name=name, authority=TELL)
