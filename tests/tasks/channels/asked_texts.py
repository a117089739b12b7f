"""Texts for the public that wait, and a person who answers them."""

from datetime import timedelta

from blocks.channels.channel import Receipt
from runbook.incidents import events as e
from runbook.incidents.state import IncidentOutcome, State
from runbook.policy.public_policy import PublicPolicy
from tasks.caretaking.due import due_reminders
from tasks.channels.communicate import announce, publish_text
from tasks.incident import OpenIncident, now
from tests.tasks.channels.public_pages import Public
from tests.tasks.environments import decide

ASKING = {"public": PublicPolicy()}
RECOVERED = e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=("all ok",))
QUESTION = "Shall this be published on the status page"


async def asked(public: Public, state: State = State.IDENTIFIED) -> OpenIncident:
    """A text of that state waits for a yes."""
    incident = public.under(**ASKING)
    await decide(incident)
    await announce(incident, state)
    return incident


async def newest(incident: OpenIncident) -> e.PublicTextProposed:
    """The text that was proposed last."""
    proposed = (await incident.read()).last(e.PublicTextProposed)
    assert proposed is not None
    return proposed


async def yes(incident: OpenIncident, body: str = "", title: str = "") -> None:
    """Ana lets the newest text be published."""
    proposal = (await newest(incident)).digest
    await incident.record_once(e.PublicTextApproved(proposal=proposal, by="ana", body=body, title=title))


async def publish(incident: OpenIncident, at: timedelta = timedelta()) -> int:
    """What the reminders publish, that much later."""
    due = (await due_reminders(incident.environment, now() + at)).publications
    for _, text in due:
        await publish_text(incident, text)
    return len(due)


async def killed(*_: object, **__: object) -> Receipt:
    """The process ends here."""
    raise KeyboardInterrupt
