"""A switch that an incident has left on is reported once a day, with the command that takes it off."""

from datetime import timedelta

import pytest

from runbook.actions.by_hand import Target, switch_off_command
from runbook.actions.catalogue import TEMPORARY_SWITCHES, ActionOutcome, PlannedAction
from runbook.actions.spec import ActionName
from runbook.channels.messages import in_slack
from runbook.channels.reminders import due_reports, switch_message, switch_of
from runbook.incidents import events as e
from runbook.incidents.sentences import sentence
from tests.runbook.journals import FALLBACK, finished, resolved
from tests.runbook.timed_journals import ASKED_AT, DAY, POLICY, QUEUE, Timed, failed, journal

ON = (-60.0, finished(ActionOutcome.RECOVERED))
END = (0.0, resolved())


def checked(on: bool | None, action: PlannedAction = FALLBACK) -> e.SwitchChecked:
    """A look at a switch."""
    return e.SwitchChecked(action_id=action.id, switch="X=1", on=on)


@pytest.mark.parametrize(
    ("events", "seconds", "due"),
    [
        ((ON,), 9 * DAY, False),  # it goes on: the switch is in use
        ((ON, END), DAY - 1, False),
        ((ON, END), DAY, True),
        ((ON, END, (5, e.IncidentClosed(outcome="recovered"))), DAY, True),
        ((ON, END, (DAY, checked(True))), 2 * DAY - 1, False),
        ((ON, END, (DAY, checked(True))), 2 * DAY, True),  # once a day
        ((ON, END, (DAY, checked(None))), 2 * DAY, True),  # nobody could tell
        ((ON, END, (DAY, checked(False))), 9 * DAY, False),  # it is off
        ((ON, END, (DAY, checked(True, QUEUE))), DAY, True),  # that was the other switch
        ((ON, END, (DAY, failed())), DAY, True),
        ((ON, END, (DAY + 60, failed())), DAY + 119, False),
        ((ON, END, (DAY + 60, failed())), DAY + 120, True),
        (((-60, finished(ActionOutcome.REJECTED)), END), 9 * DAY, False),  # never was on
        ((END,), 9 * DAY, False),
    ],
)
def test_a_switch_left_on_is_due_once_a_day(events: tuple[Timed, ...], seconds: float, due: bool) -> None:
    """Counted from the incident's end, then from the last report, until it is off."""
    of = journal(*events)
    assert due_reports([of], now=ASKED_AT + timedelta(seconds=seconds)) == ([(of, FALLBACK)] if due else [])


def test_each_switch_of_an_incident_is_due() -> None:
    """Two switches, two reports."""
    of = journal(ON, (-30, finished(ActionOutcome.DONE, QUEUE)), END)
    assert due_reports([of], now=ASKED_AT + timedelta(days=1)) == [(of, FALLBACK), (of, QUEUE)]


def test_a_switch_is_the_newest_incident_s() -> None:
    """Nobody hears twice of one switch, nor of one that an incident uses that goes on."""
    now = ASKED_AT + timedelta(days=3)
    old, new = journal(ON, END), journal(ON, END, name="inc-2", opened=-90)
    assert due_reports([old, new], now=now) == [(new, FALLBACK)]
    assert due_reports([new, old], now=now) == [(new, FALLBACK)]
    assert due_reports([old, journal(ON, name="inc-2", opened=-90)], now=now) == []

    found_off = journal(ON, END, (DAY, checked(False)), name="inc-2", opened=-90)
    assert due_reports([old, found_off], now=now) == [(old, FALLBACK)], "it is looked at, and found off too"


def test_switches_of_different_workloads_are_different() -> None:
    """The same variable on another workload is another switch."""
    elsewhere = FALLBACK.model_copy(update={"target": "deployment/another"})
    old = journal(ON, END)
    new = journal((-60, finished(ActionOutcome.DONE, elsewhere)), END, name="inc-2", opened=-90)
    assert due_reports([old, new], now=ASKED_AT + timedelta(days=1)) == [(new, elsewhere), (old, FALLBACK)]


@pytest.mark.parametrize("name", TEMPORARY_SWITCHES)
def test_every_temporary_switch_has_its_variable(name: ActionName) -> None:
    """What can be left on can be looked at."""
    assert switch_of(FALLBACK.model_copy(update={"name": name}), POLICY).variable


@pytest.mark.parametrize(
    ("on", "detail", "first_line"),
    [
        (True, "", "🔌 Still on: X=1 on deployment/posthog-integration"),
        (
            None,
            "Kubernetes: no answer. Wait",
            "🔌 May still be on: X=1 on deployment/posthog-integration (Kubernetes: no answer. Wait)",
        ),
    ],
)
def test_a_report_says_what_is_on_since_when_and_how_to_take_it_off(
    on: bool | None, detail: str, first_line: str
) -> None:
    """What nobody could read is not said to be on."""
    check, command = checked(on).model_copy(update={"detail": detail}), "kubectl set env X-"
    text = in_slack(switch_message(journal(ON, END), FALLBACK, check, command=command, time_zone="UTC"))
    assert text == (
        f"{first_line}\n"
        "inc-1 left it on when it ended at 2026-11-22 15:02 UTC. If it is no longer needed, turn it off:\n"
        "`kubectl set env X-`\n"
        "This reminder repeats once a day until it is off."
    )


@pytest.mark.parametrize(
    ("on", "detail", "text"),
    [
        (True, "", "X=1 is still on"),
        (False, "", "X=1 is off"),
        (None, "no answer", "X=1 may still be on: no answer"),
    ],
)
def test_the_timeline_says_how_the_switch_was_found(on: bool | None, detail: str, text: str) -> None:
    """On, off and unknown are told apart."""
    assert sentence(checked(on).model_copy(update={"detail": detail})) == text


@pytest.mark.parametrize(("container", "flag"), [("web", " -c web"), ("", "")])
def test_the_command_that_takes_a_switch_off_removes_its_variable(container: str, flag: str) -> None:
    """As the runbook itself does; without a configured container, kubectl takes all of them."""
    target = Target(namespace="shop", kind="deployment", name="integration", container=container)
    command = f"kubectl -n shop set env deployment/integration{flag} POSTHOG_FALLBACK-"
    assert switch_off_command("POSTHOG_FALLBACK", target) == command
