"""Stakeholders get the runbook's own templates, filled with what is true."""

from datetime import timedelta

import pytest

from runbook.actions.catalogue import ActionOutcome
from runbook.approvals.gates import Choice
from runbook.channels.messages import MessageFacts, external_message, in_slack, message_facts, update_message
from runbook.checks.findings import Status
from runbook.decision.severity import Severity
from runbook.decision.verdict import ErrorType, Verdict
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from runbook.incidents.state import State
from runbook.outside_text.slack import SlackText
from runbook.policy.policy import Policy
from tests.runbook.journals import (
    ALERT,
    FALLBACK,
    OPENED,
    answered,
    asked,
    decided,
    decision,
    effect,
    every_event,
    finished,
    incident,
    resolved,
    triaged,
)


def slack_update(made: MessageFacts) -> SlackText:
    """The update as Slack gets it."""
    return in_slack(update_message(made))


def facts(of: Incident, state: State = State.INVESTIGATING, **changes: object) -> MessageFacts:
    """The facts of an incident, ten minutes after it was opened."""
    made = message_facts(
        of,
        state=state,
        policy=Policy(),
        now=OPENED + timedelta(minutes=10),
        commander="@alice",
        update_interval=timedelta(minutes=15),
    )
    return made.model_copy(update=changes)


@pytest.mark.parametrize(
    ("service", "title"),
    [
        ("checkout", "Checkout"),
        ("billing-api", "Billing API"),
        ("posthog-integration", "PostHog Integration"),
    ],
)
def test_the_title_in_the_channel_names_the_service_that_is_meant(service: str, title: str) -> None:
    """Whoever is on call for another service need not read on."""
    alert = ALERT.model_copy(update={"service": service})
    shown = slack_update(facts(incident(triaged(), decided(), alert=alert)))
    assert shown.splitlines()[0] == f"🔴 P1 INCIDENT: {title}"


def test_internal_message_is_the_runbook_template() -> None:
    """The Slack text has the lines of the runbook's template in their order."""
    of = incident(triaged(), decided(), asked())
    assert slack_update(facts(of)) == (
        "🔴 P1 INCIDENT: PostHog Integration\n"
        "Status: INVESTIGATING\n"
        "Impact: Events and feature flags may fail: PostHog answers with errors\n"
        "Current action: Waiting for approval: Enable the fallback (graceful degradation)\n"
        "Next update: 15:25 UTC\n"
        "Incident commander: @alice"
    )


def test_external_message_is_the_runbook_template() -> None:
    """The status page text has the sentences of the runbook's template."""
    message = external_message(facts(incident(triaged(), decided())))
    assert message.title == "PostHog Integration Issue"
    assert message.body == (
        "We're experiencing issues with our PostHog integration.\n"
        "Some users may experience missing analytics events and outdated feature flags.\n"
        "We're actively investigating and will provide updates.\n"
        "Last updated: 2026-11-22 15:10 UTC"
    )


def test_the_public_reads_the_title_that_the_settings_give_the_service() -> None:
    """In the title and in every sentence; nothing of PostHog is told about another service."""
    of = incident(triaged(), decided())
    message = external_message(facts(of, public_title="Check-out & <Pay>"))
    assert message.title == "Check-out & <Pay> Issue"
    assert message.body.startswith("We're experiencing issues with Check-out & <Pay>.\n")
    over = facts(of, public_title="Checkout").model_copy(update={"state": State.RESOLVED})
    assert external_message(over).body.startswith("The issue with Checkout is resolved.\n")


@pytest.mark.parametrize(
    ("severity", "state", "emoji"),
    [
        (Severity.P1, State.INVESTIGATING, "🔴 P1 "),
        (Severity.P2, State.IDENTIFIED, "🟠 P2 "),
        (Severity.P3, State.MONITORING, "🟡 P3 "),
        (Severity.P4, State.INVESTIGATING, "🔵 P4 "),
        (None, State.INVESTIGATING, "⚪ INCIDENT"),
        (Severity.P1, State.RESOLVED, "✅ P1 "),
    ],
)
def test_emoji_tells_the_severity(severity: Severity | None, state: State, emoji: str) -> None:
    """Each severity has its colour, an unrated incident has none, a resolved one a tick."""
    made = facts(incident(decided(), resolved()), state)
    assert slack_update(made.model_copy(update={"severity": severity})).startswith(emoji)


def test_severity_of_the_alert_stands_in_until_ours_is_known() -> None:
    """First the sender's severity is told, after the decision the rules', after an override the person's."""
    override = next(event for event in every_event() if isinstance(event, e.SeverityOverridden))
    made = decided(decision(severity=Severity.P3))
    assert facts(incident()).severity is Severity.P2
    assert facts(incident(made)).severity is Severity.P3
    assert facts(incident(override, made)).severity is Severity.P2


@pytest.mark.parametrize("outcome", [None, "not_recovered", "unknown"])
def test_resolved_is_refused_without_proof(outcome: str | None) -> None:
    """Nobody can be told RESOLVED unless the incident ended as recovered or false positive."""
    of = incident(decided(), *([resolved(outcome)] if outcome else []))
    with pytest.raises(ValueError, match="RESOLVED cannot be announced"):
        facts(of, State.RESOLVED)


@pytest.mark.parametrize("outcome", ["recovered", "false_positive"])
def test_resolved_promises_nothing_more(outcome: str) -> None:
    """After the proof RESOLVED can be told, and no next update is promised."""
    made = facts(incident(decided(), resolved(outcome)), State.RESOLVED)
    assert made.next_update is None
    assert "Next update: None" in slack_update(made)
    assert external_message(made).body.startswith("The issue with our PostHog integration is resolved.")


FALLBACK_ON = finished(ActionOutcome.RECOVERED)
WATCHING = e.WatchStarted(waiting_for=("errors stop",))
INTERNAL_WORDS = (
    *("internal-svc", "deployment", "POSTHOG_", "alice", "http", "10.0.0.1"),
    *("pod", "401", "5xx", "fact of"),
)


@pytest.mark.parametrize(
    ("of", "internal", "public"),
    [
        (incident(), "not known yet: triage is running", "do not know yet"),
        (incident(decided(), FALLBACK_ON), "may be delayed: the fallback is on", "delayed analytics events"),
        (
            incident(triaged(status_page=Status.UNKNOWN), decided(decision(Verdict.UNKNOWN))),
            "not known yet: there are not enough facts (no answer from: status page)",
            "do not know yet",
        ),
        (
            incident(decided(decision(Verdict.INTEGRATION_ISSUE, error_type=ErrorType.AUTHENTICATION))),
            "PostHog rejects our API key",
            "missing analytics events",
        ),
        (
            incident(decided(decision(Verdict.INTEGRATION_ISSUE, error_type=ErrorType.RATE_LIMITED))),
            "PostHog limits our request rate",
            "delayed analytics events",
        ),
        (
            incident(decided(decision(Verdict.INFRASTRUCTURE_ISSUE, error_type=ErrorType.INFRASTRUCTURE))),
            "our integration is not healthy",
            "missing analytics events",
        ),
        (
            incident(decided(decision(Verdict.RESOLVED_OR_INTERMITTENT, error_type=ErrorType.NONE))),
            "none seen",
            "no effect on users",
        ),
        (incident(decided(), resolved()), "the recovery was verified", "works normally again"),
        (
            incident(decided(), FALLBACK_ON, resolved()),
            "but the fallback is still on",
            "may still arrive late",
        ),
        (incident(decided(), resolved("false_positive")), "false positive", "no effect on users"),
    ],
)
def test_impact_is_what_is_known(of: Incident, internal: str, public: str) -> None:
    """Impact follows from verdict, error type and switches; what is not known is said to be unknown."""
    made = facts(of)
    assert internal in made.impact
    assert public in external_message(made).body


AWAY = e.OutageNoted(action_id=FALLBACK.id, because="Kubernetes: no answer")


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (incident(), "running the triage checks"),
        (incident(decided()), "next: Enable the fallback"),
        (incident(decided(), asked()), "waiting for approval: Enable the fallback"),
        (incident(decided(), asked(), answered()), "next: Enable the fallback"),
        (incident(decided(), asked(), answered(Choice.REJECT)), "degradation): rejected"),
        (incident(decided(), AWAY), "waiting for the cluster: Enable the fallback"),
        (incident(decided(), AWAY, e.OutageEnded(action_id=FALLBACK.id)), "next: Enable the fallback"),
        (incident(decided(), e.EffectIntended(effect=effect())), "set POSTHOG_FALLBACK=true"),
        (incident(decided(), e.EffectIntended(effect=effect(kind="slack"))), "next: Enable the fallback"),
        (incident(decided(), finished(ActionOutcome.REJECTED)), "rejected"),
        (incident(decided(), FALLBACK_ON), "done, and it helped"),
        (incident(decided(decision(Verdict.UNKNOWN, plan=()))), "waiting for a person"),
        (incident(decided(decision(plan=()))), "Wait for PostHog to resolve"),
        (incident(decided(), FALLBACK_ON, WATCHING), "watching until errors stop"),
        (incident(decided(), resolved("not_recovered")), "has ended (not recovered)"),
    ],
)
def test_current_action_is_the_newest_that_is_under_way(of: Incident, text: str) -> None:
    """The current action follows the journal, also where an incident ended early."""
    assert text in facts(of).current_action


def test_external_message_names_nothing_internal() -> None:
    """No pod, target, error, person, link or alert text gets onto the public page, at any point in time."""
    alert = ALERT.model_copy(update={"service": "internal-svc-7", "summary": "pod x-1 at http://10.0.0.1"})
    events = every_event()
    for length in range(len(events) + 1):
        of = incident(*events[:length], alert=alert)
        for state in (State.INVESTIGATING, State.IDENTIFIED, State.MONITORING):
            message = external_message(facts(of, state, link="http://prefect.internal/1"))
            assert not [word for word in INTERNAL_WORDS if word in f"{message.title}\n{message.body}"]


def test_internal_message_escapes_for_slack_and_masks_secrets() -> None:
    """An alert cannot ping a channel or leak a key through the update."""
    text = slack_update(facts(incident(), impact="<!channel> & phx_abcdef123456\nStatus: RESOLVED"))
    assert "Impact: &lt;!channel&gt; &amp; [redacted:phx] Status: RESOLVED\n" in text


def test_times_are_shown_in_the_readers_zone() -> None:
    """Both messages show local time with UTC beside it."""
    made = facts(incident(), time_zone="Europe/Berlin")
    assert "Next update: 16:25 CET (15:25 UTC)" in slack_update(made)
    assert external_message(made).body.endswith("Last updated: 2026-11-22 16:10 CET (15:10 UTC)")


def test_link_and_missing_commander_are_said() -> None:
    """Without a commander nobody is named; the link to the run comes last."""
    lines = slack_update(facts(incident(), commander="", link="http://prefect/1")).splitlines()
    assert lines[-2:] == ["Incident commander: nobody yet", "Details: <http://prefect/1>"]
