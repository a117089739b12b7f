"""What comes next by itself is what the clocks of the runbook do, in their order."""

from datetime import datetime, timedelta

from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.gates import Answer, Choice, Instead
from runbook.channels.next_up import next_up
from runbook.incidents import events as e
from runbook.policy.policy import Policy
from tests.runbook.journals import FALLBACK, OPENED, PLAN, asked, decided, finished, incident

POLICY = Policy(remind_after_seconds=300, escalate_after_seconds=900, evidence_due_seconds=(0, 3600))


def coming(*events: e.Event) -> list[tuple[str, str]]:
    """What comes next of an incident with these events, each with its minute after the opening."""
    found = next_up(incident(*events), POLICY)
    return [(minute(each.at), each.what) for each in found]


def minute(at: datetime | None) -> str:
    """The minute, empty where no clock says when."""
    return str(round((at - OPENED).total_seconds() / 60)) if at else ""


def told(state: str, channel: str, minutes: int) -> e.StatusAnnounced:
    """An announcement that promises the next one."""
    at = OPENED + timedelta(minutes=minutes)
    return e.StatusAnnounced(channel=channel, state=state, reference="1", next_update_at=at)


def test_an_unanswered_question_leads_to_a_reminder_and_a_page() -> None:
    """The soonest first, with the updates that were promised last."""
    told_twice = (told("INVESTIGATING", "slack", 10), told("IDENTIFIED", "slack", 15))
    assert [what for _, what in coming(*told_twice, asked())] == [
        "without an answer the channel is reminded",
        "the update that was promised in slack",
        "without an answer a person is paged",
    ]


def test_channels_that_promise_the_same_time_are_one_line() -> None:
    """In the order in which they were told, also where some seconds lie between them: people read minutes."""
    later = told("IDENTIFIED", "status-page", 15)
    later = later.model_copy(update={"next_update_at": OPENED + timedelta(minutes=15, seconds=2.5)})
    both = (told("IDENTIFIED", "slack", 15), later)
    assert coming(*both) == [("15", "the update that was promised in slack, status-page")]


def test_whoever_has_acknowledged_is_not_reminded() -> None:
    """Nor paged, as `reminders.due_notice` has it."""
    assert coming(asked(), e.IncidentAcknowledged(by="ana")) == []


def test_a_reminder_that_was_given_does_not_come_again() -> None:
    """The page does."""
    [gate] = [event.gate for event in incident(asked()).events(e.ApprovalRequested)]
    given = e.ApprovalReminded(gate=gate, escalated=False)
    assert [what for _, what in coming(asked(), given)] == ["without an answer a person is paged"]


def test_while_it_waits_for_a_person_it_looks_again() -> None:
    """At the time that the pace of the looks gives."""
    paused = e.ResponsePaused(because="no facts", next_look_at=OPENED + timedelta(minutes=5))
    assert [what for _, what in coming(paused)] == ["the checks are made again"]


def test_after_the_end_the_rest_is_collected_and_drafted() -> None:
    """What is there already is left out."""
    ended = e.IncidentResolved(outcome="recovered", because=())
    kept = e.EvidenceCollected(collection="resolution", folder="f", files={}, manifest_sha256="")
    assert [what for _, what in coming(ended, kept)] == [
        "evidence after-1h is collected",
        "the post-mortem is drafted",
    ]


def watched(*after: e.Event) -> list[str]:
    """What comes next once the recovery is watched, and these events have followed."""
    watch = e.WatchStarted(waiting_for=("the error rate is low", "all pods run"))
    return [what for _, what in coming(decided(), watch, *after)]


def test_a_watch_is_told_whatever_the_state_is_called() -> None:
    """After a rejection the runbook watches, and the state stays what is true."""
    assert watched() == ["watched until the error rate is low; all pods run"]
    assert watched(finished(ActionOutcome.REJECTED)) == []


def test_a_question_that_was_rejected_for_now_comes_back() -> None:
    """At the time that the person has given."""
    answer = Answer(
        choice=Choice.REJECT, approver="ana", reason="x", instead=Instead.NOTHING, snooze_minutes=30
    )
    rejected = e.ApprovalAnswered(
        gate="gate-1", action_id=FALLBACK.id, plan_digest=PLAN.digest, answer=answer
    )
    assert ("31", "what was rejected for now is asked again") in coming(asked(), rejected)
