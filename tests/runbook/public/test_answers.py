"""What a person says to a text for the public is bound to that text, and passes the same lint."""

import pytest

from runbook.approvals.acts import Act, ActKind, event_of
from runbook.approvals.gates import InvalidAnswer
from runbook.approvals.identity import Identity
from runbook.decision.severity import Severity
from runbook.incidents import events as e
from runbook.outside_text import MAX_TEXT
from runbook.policy.policy import Policy
from runbook.policy.public_policy import PublicPolicy
from tests.runbook.journals import OPENED, decided, decision, incident
from tests.runbook.public_texts import EDITED, NO, PROPOSED, YES

CLAIM = Identity(name="ana")
POLICY = Policy(public=PublicPolicy(never_say=("Acme",)))
DIGEST = PROPOSED.digest
EDITED_DIGEST = PROPOSED.model_copy(update={"title": "Delayed events"}).digest
PUBLISH, WITHHOLD = ActKind.PUBLISH, ActKind.WITHHOLD
MINOR = decided(decision(severity=Severity.P3))


def said(kind: ActKind, *after: e.Event, by: str = "ana", **says: str) -> object:
    """What the act is in the journal."""
    return said_of(kind, decided(), *after, by=by, **says)


def said_of(kind: ActKind, before: e.Event, *after: e.Event, by: str = "ana", **says: str) -> object:
    """The same where this was decided before the text was proposed."""
    journal = incident(before, PROPOSED, *after)
    act = Act.model_validate({"kind": kind, "proposal": DIGEST} | says)
    return event_of(act, journal, by=by, identity=CLAIM, policy=POLICY, now=OPENED)


def test_a_yes_names_the_text() -> None:
    """By the beginning of its digest; words that were left as they are, are its own."""
    yes = e.PublicTextApproved(proposal=DIGEST, by="ana", identity=CLAIM)
    assert said(PUBLISH) == said(PUBLISH, proposal=f" {DIGEST[:8].upper()} ") == yes
    assert said(PUBLISH, text=f"{PROPOSED.body}\n") == yes
    words = "Some events arrive late."
    assert said(PUBLISH, text=f" {words}\n") == yes.model_copy(update={"body": words})
    title = "Delayed events"
    assert said(PUBLISH, title=f"{PROPOSED.title} ") == yes
    assert said(PUBLISH, title=" Delayed\n events") == yes.model_copy(update={"title": title})
    no = e.PublicTextWithheld(proposal=DIGEST, by="ana", identity=CLAIM, because="no")
    assert said(WITHHOLD, text=" no ") == no


@pytest.mark.parametrize(
    ("kind", "says", "after", "why"),
    [
        (PUBLISH, {"proposal": ""}, (), f"say which text.*{DIGEST[:12]}"),
        (PUBLISH, {"proposal": "0" * 12}, (), "there is no text for the public with the digest '0{12}'"),
        (PUBLISH, {"proposal": DIGEST[:7]}, (), "there is no text"),
        (WITHHOLD, {"text": "  "}, (), "the reason is empty"),
        (WITHHOLD, {"text": "x" * (MAX_TEXT + 1)}, (), "at most"),
        (PUBLISH, {"text": "x" * (MAX_TEXT + 1)}, (), "at most"),
        (PUBLISH, {}, (NO,), "bob .*withheld it at"),
        (WITHHOLD, {"text": "no"}, (YES,), "ana .*published it at"),
        (PUBLISH, {"text": "Events are late."}, (EDITED,), "ana .*published it at"),
        (PUBLISH, {}, (e.IncidentResolved(outcome="recovered", because=()),), "the incident has ended"),
        (
            PUBLISH,
            {"text": "Some users of Acme are affected."},
            (),
            "never_say 'Acme': Use other",
        ),
        (PUBLISH, {"text": "Some users cannot reach redis.internal."}, (), "internal host"),
        (PUBLISH, {"title": "Users of Acme"}, (), "never_say 'Acme': Use other"),
        (PUBLISH, {"title": "redis.internal is down"}, (), "internal host"),
        (PUBLISH, {"title": f"Down: phx_{'k3y' * 12}"}, (), "secret: Leave it out"),
        (PUBLISH, {"title": "x" * 151}, (), "the title has at most 150"),
        (PUBLISH, {"title": "\u200b\u2060"}, (), "the title shows nothing"),
        (PUBLISH, {"text": "\u200b\n\u00ad"}, (), "the text shows nothing"),
        (PUBLISH, {"title": "<!channel> late"}, (), "placeholder"),
        (PUBLISH, {"title": "\u0410cme is late"}, (), "never_say"),
        (PUBLISH, {"proposal": EDITED_DIGEST}, (), "there is no text"),
        (PUBLISH, {"proposal": DIGEST, "title": "Other"}, (YES,), "ana .*published it at"),
        (PUBLISH, {"title": "Other"}, (EDITED,), "ana .*published it at"),
        (PUBLISH, {"text": "We are on it."}, (), "impact first"),
        (PUBLISH, {"text": f"Users see errors: phx_{'k3y' * 12}"}, (), "secret: Leave it out"),
    ],
)
def test_what_does_not_fit_the_text_is_refused(
    kind: ActKind, says: dict[str, str], after: tuple[e.Event, ...], why: str
) -> None:
    """With which word and what to do."""
    with pytest.raises(InvalidAnswer, match=why) as refused:
        said_of(kind, decided(), *after, **{"by": "ana"} | says)
    assert "k3yk3y" not in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("Delayed\u2028events\x1b[31m\x07", "Delayed events"),
        ("\u202estneve deyaleD", "stneve deyaleD"),
        (f"{PROPOSED.title}\u200b", ""),
    ],
)
def test_a_title_has_no_sign_that_hides_or_steers(typed: str, title: str) -> None:
    """What is linted, journalled and published is the same."""
    yes = said(PUBLISH, title=typed)
    assert isinstance(yes, e.PublicTextApproved)
    assert yes.title == title


def test_the_same_said_twice_is_what_stands() -> None:
    """A click may come twice."""
    assert said(PUBLISH, YES) == YES
    with pytest.raises(InvalidAnswer, match="it is answered"):
        said(PUBLISH, YES, by="bob")


def test_what_the_policy_does_not_publish_by_now_is_refused() -> None:
    """The severity has changed after the text was proposed; an entry that is open is still told."""
    with pytest.raises(InvalidAnswer, match="publish_from"):
        said_of(PUBLISH, MINOR)
    told = e.StatusAnnounced(channel="status-page", state="INVESTIGATING")
    assert isinstance(said_of(PUBLISH, MINOR, told), e.PublicTextApproved)
