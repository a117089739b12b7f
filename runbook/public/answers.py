"""What a person says to a text for the public: publish it, in these words or in others, or do not.

Everybody may whom `[policy.acts]` lets, as for the other acts, see `runbook.approvals.acts`.
"""

from collections.abc import Callable
from typing import TypeVar

from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity, named
from runbook.incidents.events import PublicTextApproved, PublicTextWithheld
from runbook.incidents.incident import Incident
from runbook.incidents.report import DIGEST_LETTERS
from runbook.outside_text import MAX_TEXT, normal, one_line
from runbook.policy.policy import Policy
from runbook.public.lint import lint_message
from runbook.public.proposals import Proposal, PublicAnswer, every_answer, proposals
from runbook.public.publishing import is_public

MOST_TITLE = 150
"""Characters of a title that a person writes."""

LEAST_LETTERS = 8
"""Of a digest by which a text is named."""

Counts = Callable[[PublicAnswer], bool]
"""Whether an answer of the journal is one that the present people and rules take."""

AnswerT = TypeVar("AnswerT", PublicTextApproved, PublicTextWithheld)


def publication(
    incident: Incident,
    *,
    proposal: str,
    body: str,
    title: str = "",
    by: str,
    identity: Identity,
    policy: Policy,
    counts: Counts = every_answer,
) -> PublicTextApproved:
    """What a person's yes to a text is in the journal; `body` and `title` are empty where they stay.

    Raises:
        InvalidAnswer: the text does not wait for an answer, or the words may not be published.
    """
    found = _named(incident, proposal, counts)
    words, heading = _readable(body, "the text").strip(), one_line(_readable(title, "the title"))
    if len(words) > MAX_TEXT:
        raise InvalidAnswer(f"the text has at most {MAX_TEXT} characters")
    if words == found.text.body.strip():
        words = ""
    if len(heading) > MOST_TITLE:
        raise InvalidAnswer(f"the title has at most {MOST_TITLE} characters")
    if heading == found.text.title.strip():
        heading = ""
    given = PublicTextApproved(
        proposal=found.text.digest,
        by=by,
        identity=identity,
        body=words,
        title=heading,
        dismissed=_dismissed(incident, found, counts),
    )
    standing = _standing(found, given)
    if standing is not None:
        return standing
    if not is_public(incident, found.text.channel, policy):
        raise InvalidAnswer("an incident of this severity is not published by now: see `publish_from`")
    flaws = lint_message(
        heading or found.text.title, words or found.text.body, never_say=policy.public.never_say
    )
    if flaws:
        raise InvalidAnswer(f"this cannot be published: {'; '.join(flaw.sentence for flaw in flaws)}")
    return given


def withholding(
    incident: Incident,
    *,
    proposal: str,
    because: str,
    by: str,
    identity: Identity,
    counts: Counts = every_answer,
) -> PublicTextWithheld:
    """What a person's no to a text is in the journal.

    Raises:
        InvalidAnswer: the text does not wait for an answer, or no reason is given.
    """
    found = _named(incident, proposal, counts)
    if len(because) > MAX_TEXT:
        raise InvalidAnswer(f"the reason has at most {MAX_TEXT} characters")
    given = PublicTextWithheld(
        proposal=found.text.digest,
        by=by,
        identity=identity,
        because=because.strip(),
        dismissed=_dismissed(incident, found, counts),
    )
    if not given.because.strip():
        raise InvalidAnswer("the reason is empty: say why the public is not told")
    return _standing(found, given) or given


def proposal_named(incident: Incident, digest: str, counts: Counts = every_answer) -> Proposal | None:
    """The newest text whose digest begins so."""
    named_so = (it for it in reversed(proposals(incident, counts)) if it.text.digest.startswith(digest))
    return next(named_so, None) if len(digest) >= LEAST_LETTERS else None


def why_not(found: Proposal) -> str:
    """Why a text does not wait for an answer; empty where it does."""
    if found.answer is not None and found.answered_at is not None:
        said = "published it" if found.approved else "withheld it"
        who = named(found.answer.by, found.answer.identity)
        return f"it is answered: {who} {said} at {found.answered_at:%H:%M} UTC"
    if found.ended:
        return f"it is no longer asked: {found.ended}"
    return "it is published already" if found.published else ""


def _readable(said: str, what: str) -> str:
    """What a person wrote, without what hides or steers.

    Raises:
        InvalidAnswer: nothing is left: the text's own words would be published, and nobody said so.
    """
    if said.strip() and not normal(said).strip():
        raise InvalidAnswer(f"{what} shows nothing: leave it out, or say what is published instead")
    return normal(said)


def _named(incident: Incident, digest: str, counts: Counts) -> Proposal:
    digest = digest.strip().lower()
    if not digest:
        waiting = [it.text.digest[:DIGEST_LETTERS] for it in proposals(incident, counts) if it.waits]
        if not waiting:
            raise InvalidAnswer("no text for the public waits for an answer")
        which = f"it is {' or '.join(waiting)} now"
        raise InvalidAnswer(f"say which text, by its digest, once you have read it: {which}")
    found = proposal_named(incident, digest, counts)
    if found is None:
        raise InvalidAnswer(f"there is no text for the public with the digest {digest[:64]!a}")
    return found


def _dismissed(incident: Incident, found: Proposal, counts: Counts) -> int:
    """How many answers to that text do not count: a journal takes the next one under another key."""
    answers: list[PublicAnswer] = [
        *incident.events(PublicTextApproved),
        *incident.events(PublicTextWithheld),
    ]
    return sum(it.proposal == found.text.digest and not counts(it) for it in answers)


def _standing(found: Proposal, given: AnswerT) -> AnswerT | None:
    """What this person has said already; `None` where the text waits.

    Raises:
        InvalidAnswer: it does not wait, and they have not said the same.
    """
    if isinstance(found.answer, type(given)) and _bare(found.answer) == _bare(given):
        return found.answer
    if because := why_not(found):
        raise InvalidAnswer(because)
    return None


def _bare(answer: PublicAnswer) -> PublicAnswer:
    return answer.model_copy(update={"identity": None, "dismissed": 0})
