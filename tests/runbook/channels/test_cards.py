"""What a question and the first message of a thread say, at each point of an incident."""

from datetime import timedelta

import pytest

from runbook.actions.spec import Risk
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.people import Person
from runbook.approvals.rules import ApprovalRule
from runbook.channels.buttons import ButtonKind
from runbook.channels.cards.card import Card
from runbook.channels.cards.questions import is_open, question_card, questions
from runbook.channels.cards.root import root_card
from runbook.channels.messages import in_slack
from runbook.decision.severity import Severity, SeverityAssessment
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.incidents.state import IncidentOutcome
from runbook.policy.policy import Policy
from tests.runbook.journals import OPENED, PLAN, answered, asked, decided, incident, triaged

PREVIEW = e.ActionPreviewed(plan=PLAN, since=OPENED)
OTHER = PLAN.model_copy(update={"diff": f"{PLAN.diff}\n+          other: true"})
TITLE = PLAN.action.spec.title
LINK = "http://prefect.example/runs/1"


def given(choice: Choice, gate: str = "gate-1", by: str = "alice") -> e.ApprovalAnswered:
    """An answer at a gate."""
    answer = Answer(
        choice=choice,
        approver=by,
        reason="so it is",
        parameters={"replicas": "3"} if choice is Choice.EDIT else {},
    )
    return answered(choice).model_copy(update={"gate": gate, "answer": answer})


def cards(journal: Incident, policy: Policy | None = None) -> list[Card]:
    """The messages of all questions."""
    found = questions(journal)
    made = [
        question_card(journal, it, policy=policy or Policy(), now=OPENED, link=LINK, newest=it is found[-1])
        for it in found
    ]
    return [card for card in made if card is not None]


def kinds(card: Card) -> list[str]:
    """Its buttons."""
    return [button.kind.value for button in card.buttons]


WITHDRAWN = e.ApprovalWithdrawn(
    gate="gate-1", action_id=PLAN.action.id, because="the page lists no outage any more"
)
EXPIRED = e.ApprovalExpired(action_id=PLAN.action.id, plan_digest=PLAN.digest, by=("alice",))
ENDED = e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=())


@pytest.mark.parametrize(
    ("events", "says", "open_"),
    [
        pytest.param((), "Who: anyone may answer", True, id="it is asked"),
        pytest.param((given(Choice.APPROVE),), "✅ Enable the fallback", False, id="approved"),
        pytest.param((given(Choice.APPROVE),), "alice approved at 15:02 UTC", False, id="by whom and when"),
        pytest.param(
            (given(Choice.REJECT),),
            "alice rejected at 15:02 UTC (unproven claim): so it is",
            False,
            id="rejected",
        ),
        pytest.param(
            (given(Choice.EDIT),),
            "alice edited at 15:02 UTC (unproven claim): replicas = 3",
            False,
            id="edited",
        ),
        pytest.param(
            (given(Choice.SNOOZE),), "💤 Enable the fallback", False, id="not yet, and not asked again yet"
        ),
        pytest.param(
            (given(Choice.SNOOZE), asked(gate="gate-2")),
            "alice snoozed at 15:02 UTC",
            True,
            id="not yet, and asked again",
        ),
        pytest.param(
            (WITHDRAWN,), "No longer asked: the page lists no outage any more", False, id="withdrawn"
        ),
        pytest.param(
            (given(Choice.APPROVE), EXPIRED), "No longer asked: the approval has expired", False, id="expired"
        ),
        pytest.param((ENDED,), "No longer asked: the incident has ended", False, id="the incident has ended"),
        pytest.param(
            (ENDED, e.IncidentReopened(because="it is back", by="ana")),
            "No longer asked: the incident was reopened",
            False,
            id="reopened",
        ),
        pytest.param(
            (asked(OTHER, gate="gate-2"),),
            "No longer asked: another question has replaced it",
            False,
            id="replaced",
        ),
    ],
)
def test_a_question_shows_who_answered_what_and_when(
    events: tuple[e.Event, ...], says: str, open_: bool
) -> None:
    """Its buttons are there as long as it can be answered, and no longer."""
    journal = incident(triaged(), decided(), PREVIEW, asked(), *events)

    card = cards(journal)[0]

    assert says in in_slack(card)
    assert kinds(card) == (["approve", "reject", "snooze"] if open_ else [])
    assert is_open(journal, questions(journal)[0]) is open_


def test_its_essence_comes_first_then_what_changes() -> None:
    """With the digest, the incident and the way there."""
    text = in_slack(cards(incident(triaged(), decided(), PREVIEW, asked()))[0])

    assert text.splitlines()[0] == "❓ Enable the fallback (graceful degradation)"
    for part in (
        "POSTHOG_FALLBACK",
        "Effect: 3 pods restart",
        PLAN.digest[:12],
        "inc-20261122-1500",
        f"<{LINK}|the run in Prefect>",
    ):
        assert part in text


def test_a_question_that_is_asked_again_keeps_its_message_and_gets_the_present_gate() -> None:
    """Two people have to approve: the message says who has, and its buttons answer the newest gate."""
    two = ApprovalRule(count=2, accept_unverified=True)
    policy = Policy(people={"alice": Person(), "bob": Person()}, approvals={Risk.MEDIUM: two})
    journal = incident(triaged(), decided(), PREVIEW, asked(), given(Choice.APPROVE), asked(gate="gate-2"))

    (card,) = cards(journal, policy)

    assert "Approved: 1 of 2: alice" in in_slack(card)
    assert {button.gate for button in card.buttons} == {"gate-2"}
    assert {button.plan for button in card.buttons} == {PLAN.digest}


@pytest.mark.parametrize(
    ("between", "messages"),
    [
        pytest.param((given(Choice.SNOOZE),), 1, id="not yet"),
        pytest.param(
            (e.ApprovalRefused(gate="gate-1", action_id=PLAN.action.id, because="no name"),),
            1,
            id="no answer",
        ),
        pytest.param((given(Choice.REJECT),), 2, id="rejected for now"),
        pytest.param((given(Choice.APPROVE), EXPIRED), 2, id="expired"),
        pytest.param((WITHDRAWN,), 2, id="withdrawn"),
    ],
)
def test_another_question_has_a_message_of_its_own(between: tuple[e.Event, ...], messages: int) -> None:
    """The same one that goes on has not."""
    journal = incident(triaged(), decided(), PREVIEW, asked(), *between, asked(gate="gate-2"))
    assert len(questions(journal)) == messages


def root(journal: Incident, minutes: int = 5) -> str:
    """What the first message says."""
    at = OPENED + timedelta(minutes=minutes)
    return str(in_slack(root_card(journal, channel="slack", policy=Policy(), now=at, link=LINK)))


TOLD = e.StatusAnnounced(
    channel="slack", state="INVESTIGATING", next_update_at=OPENED + timedelta(minutes=30)
)
RATED = e.SeverityOverridden(
    assessment=SeverityAssessment(severity=Severity.P3, because="a handful", by="ana")
)


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        pytest.param(
            (),
            ("Status: INVESTIGATING", "Verdict: not known yet", "Severity: P2, as the alert says"),
            id="opened",
        ),
        pytest.param((TOLD,), ("Next update: 15:30 UTC",), id="an update is promised"),
        pytest.param(
            (triaged(), decided()),
            ("Status: IDENTIFIED", "Severity: P1 by rules: all requests fail"),
            id="decided",
        ),
        pytest.param(
            (triaged(), decided(), RATED),
            ("🟡 P3 INCIDENT: PostHog Integration", "Severity: P3 by ana: a handful"),
            id="rated",
        ),
        pytest.param((e.LeadAssigned(lead="ana", by="ana"),), ("Incident commander: @ana",), id="led"),
        pytest.param(
            (e.CommsLeadAssigned(lead="cyd", by="ana"), e.SupportAssigned(lead="dee", by="ana")),
            ("Communications lead: @cyd", "Support: @dee"),
            id="others have a role",
        ),
        pytest.param(
            (e.IncidentAcknowledged(by="bob"),),
            ("Working on it: bob", "Response: No verdict yet; first person after 30 s of 1 h (bob)"),
            id="acknowledged",
        ),
        pytest.param(
            (triaged(), decided(), PREVIEW, asked()),
            (f"Asked: {TITLE} on deployment/posthog-integration? {TITLE} (answer in the thread)",),
            id="asked",
        ),
        pytest.param((TOLD, ENDED), ("Status: RESOLVED (recovered)", "Next update: None"), id="over"),
        pytest.param(
            (e.IncidentMerged(into="inc-2", by="ana"),),
            ("Status: ENDED (merged into another incident)",),
            id="merged",
        ),
    ],
)
def test_the_first_message_says_where_things_stand(
    events: tuple[e.Event, ...], lines: tuple[str, ...]
) -> None:
    """By the journal alone."""
    said = root(incident(*events)).splitlines()
    assert set(lines) <= set(said)


def test_an_update_that_is_overdue_is_said_to_be() -> None:
    """Time alone changes this, and that nobody has responded."""
    journal = incident(TOLD)
    assert root(journal, 29) == root(journal, 5)
    assert "Next update: overdue, it was due at 15:30 UTC" in root(journal, 30)


def test_that_nobody_has_responded_in_time_is_said() -> None:
    """In the first message and at the question; in neither before the time is over."""
    journal = incident(triaged(), decided(), PREVIEW, asked())
    assert "no person yet: one is due by 15:15 UTC (15 min)" in root(journal, 14)
    assert root(journal, 14) == root(journal, 5)
    assert "no person yet, late: one was due by 15:15 UTC (15 min)" in root(journal, 15)
    assert "Response: No person yet: one is due by 15:15 UTC (15 min)" in in_slack(cards(journal)[0])


def test_the_first_message_has_its_buttons_until_it_is_over() -> None:
    """They belong to the incident, and to no question."""
    for journal, there in ((incident(), True), (incident(ENDED), False)):
        card = root_card(journal, channel="slack", policy=Policy(), now=OPENED, link="")
        expected = [
            ButtonKind.TAKE,
            ButtonKind.SEVERITY,
            ButtonKind.NOTE,
            ButtonKind.FALSE_ALARM,
            ButtonKind.STATE,
            ButtonKind.UPDATE,
            ButtonKind.COMMS,
            ButtonKind.SUPPORT,
            ButtonKind.HAND_OVER,
            ButtonKind.PACKET,
        ]
        assert [button.kind for button in card.buttons] == (expected if there else [])
        assert {(button.incident, button.gate) for button in card.buttons} <= {(journal.id, "")}
