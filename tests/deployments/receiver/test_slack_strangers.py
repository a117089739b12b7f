"""Who may nothing in Slack stops nothing; an end that comes twice, and a reason that is none, end nothing."""

import pytest

from runbook.approvals.identity import Identity
from runbook.channels.buttons import ButtonKind
from runbook.incidents import events as e
from runbook.incidents.incident import Incident
from tests.deployments.cli.test_gates import MEMORY, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, BOB, MALLORY, Chat
from tests.deployments.sleeping_run import FakePrefect

FIELDS = {
    ButtonKind.REJECT: {"reason": "no", "instead": "by-hand"},
    ButtonKind.EDIT: {"parameter__memory": "600Mi"},
}
NO_CLAIMS = "[policy.acts]\naccept_unverified = false\n"
ANA_ONLY = '[policy.acts]\napprovers = ["ana"]\n[policy.approvals.medium]\napprovers = ["ana"]\n'


def answered(chat: Chat, kept: Store, user: str, kind: ButtonKind) -> tuple[Incident, str]:
    """The incident after that person has answered, and what they were told."""
    chat.workspace.people.told.clear()
    incident = opened(kept, *asking(MEMORY))
    message = chat.post(kept.read(incident), kind)
    chat.click(user, kind, message)
    said = ""
    if kind in FIELDS:
        chat.dialog(user)
        said = str(chat.submit(user, **FIELDS[kind]).body or "")
        chat.workspace.people.dialogs.clear()
    elif kept.read(incident).pending_gate is not None:
        said = chat.told(user)
    return kept.read(incident), said


@pytest.mark.parametrize("kind", [ButtonKind.REJECT, ButtonKind.EDIT, ButtonKind.SNOOZE])
@pytest.mark.parametrize(
    ("policy", "user", "why"),
    [
        (f"{NO_CLAIMS}[policy.approvals.medium]\naccept_unverified = false\n", MALLORY, "not proven"),
        (ANA_ONLY, MALLORY, "may not"),
        (ANA_ONLY, BOB, "may not"),
    ],
)
def test_who_may_neither_approve_nor_act_stops_no_change(
    policy: str, user: str, why: str, kind: ButtonKind, chat: Chat, kept: Store
) -> None:
    """A no ends a change, an edit makes another one of it: the workspace holds more people than that."""
    chat.configure(policy)
    incident, said = answered(chat, kept, user, kind)
    assert incident.pending_gate is not None
    assert why in said


@pytest.mark.parametrize("kind", [ButtonKind.REJECT, ButtonKind.SNOOZE])
@pytest.mark.parametrize(
    ("policy", "user"),
    [
        (NO_CLAIMS, ANA),
        (ANA_ONLY, ANA),
        ('[policy.acts]\napprovers = ["ana"]\n[policy.approvals.medium]\napprovers = ["bob"]\n', BOB),
        ('[policy.acts]\napprovers = ["bob"]\n[policy.approvals.medium]\napprovers = ["ana"]\n', BOB),
    ],
)
def test_who_may_approve_or_act_may_say_no(
    policy: str, user: str, kind: ButtonKind, chat: Chat, kept: Store, prefect: FakePrefect
) -> None:
    """One of them is enough."""
    chat.configure(policy)
    incident, _ = answered(chat, kept, user, kind)
    assert incident.pending_gate is None
    chat.soon(lambda: prefect.forms)


def test_a_false_alarm_that_comes_again_ends_nothing_after_a_reopening(chat: Chat, kept: Store) -> None:
    """Somebody has looked since, and said that it is not over."""
    incident = opened(kept, *asking(MEMORY))
    message = chat.post(kept.read(incident), ButtonKind.FALSE_ALARM)
    chat.click(ANA, ButtonKind.FALSE_ALARM, message)
    sent = chat.workspace.people.submitted(ANA, chat.dialog(ANA), {"reason": "a test"})
    assert chat.send(sent).status == 200
    chat.soon(lambda: kept.read(incident).resolved)
    again = e.IncidentReopened(because="it is back", by="bob", identity=Identity(name="bob"), reopened=1)
    kept.append(incident, again, key=again.journal_key)
    answer = chat.send(sent)
    assert "reopened" in str(answer.body)
    assert not kept.read(incident).resolved


@pytest.mark.parametrize(
    ("kind", "fields"),
    [(ButtonKind.SEVERITY, {"severity": "P1"}), (ButtonKind.FALSE_ALARM, {}), (ButtonKind.REJECT, {})],
)
@pytest.mark.parametrize("reason", ["\0", "\u200b", "\x1b[31m"])
def test_a_reason_that_nobody_can_read_is_none(
    kind: ButtonKind, fields: dict[str, str], reason: str, chat: Chat, kept: Store
) -> None:
    """What is kept of it would be empty."""
    incident = opened(kept, *asking(MEMORY))
    message = chat.post(kept.read(incident), kind)
    before = kept.read(incident)
    chat.click(ANA, kind, message)
    chat.dialog(ANA)
    answer = chat.submit(ANA, reason=reason, **fields)
    assert "reason" in str(answer.body)
    assert kept.read(incident) == before
    chat.workspace.people.dialogs.clear()
