"""A question that is asked again in the same message keeps its new buttons, whoever clicked its old ones."""

import asyncio
import time
from typing import Any

import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.services.clicking import AlreadyAnswered, answer_question
from deployments.services.speaker import Speaker
from runbook.approvals.gates import Answer, Choice
from runbook.approvals.identity import Identity, Proof
from runbook.approvals.people import Person
from runbook.channels.buttons import Button, ButtonKind
from runbook.policy.policy import Policy
from tests.deployments.cli.test_gates import ROLL_BACK, approved_by, asking, question
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, BOB, Chat, relayed
from tests.deployments.sleeping_run import FakePrefect

TOLD_SECONDS = 1.0
"""How long what follows a click takes at most here."""


def ask_again(chat: Chat, kept: Store, incident: str, message: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask under a new gate, and change the message as its run does; the blocks that it has then."""
    kept.append(incident, question(ROLL_BACK, 2), key="ask:2")
    gate = kept.read(incident).pending_gate
    assert gate is not None
    button = Button(kind=ButtonKind.APPROVE, incident=incident, gate=gate.gate, plan=gate.plan_digest)
    newer = chat.post(kept.read(incident), button.kind)
    chat.workspace.messages.remove(newer)
    message["blocks"] = newer["blocks"]
    return [*newer["blocks"]]


def test_a_click_that_is_delivered_again_takes_no_newer_buttons(
    chat: Chat, kept: Store, prefect: FakePrefect
) -> None:
    """The message shows what is asked now, and not again what was answered before."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.SNOOZE)
    snoozed = chat.payload(BOB, message, ButtonKind.SNOOZE)
    assert chat.send(snoozed).status == 200
    assert "bob snoozed" in chat.shown(message)
    chat.soon(lambda: prefect.forms)
    asked = ask_again(chat, kept, incident, message)
    assert chat.send(snoozed).status == 200
    time.sleep(TOLD_SECONDS)
    assert message["blocks"] == asked


def test_a_late_click_takes_no_newer_buttons(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """Its person is told what was answered; the buttons of the newer question stay."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.SNOOZE, ButtonKind.APPROVE)
    late = chat.payload(ANA, message, ButtonKind.APPROVE)
    assert chat.click(BOB, ButtonKind.SNOOZE, message).status == 200
    assert "bob snoozed" in chat.shown(message)
    chat.soon(lambda: prefect.forms)
    asked = ask_again(chat, kept, incident, message)
    assert chat.send(late).status == 200
    assert "bob snoozed" in chat.told(ANA)
    time.sleep(TOLD_SECONDS)
    assert message["blocks"] == asked


def test_the_answer_is_shown_before_the_run_is_woken(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """So that it does not replace what the run has to say then."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.APPROVE)
    woken: list[int] = []

    def shown() -> None:
        time.sleep(TOLD_SECONDS)
        woken.append(len(prefect.forms))

    with relayed(chat, shown) as address:
        click = chat.payload(ANA, message, ButtonKind.APPROVE)
        assert chat.send(click | {"response_url": address}).status == 200
        chat.soon(lambda: prefect.forms)
    assert woken == [0]


def test_who_is_a_moment_too_late_hears_what_stands(kept: Store) -> None:
    """The journal took another answer after the incident was read: that is what everybody is shown."""
    incident = opened(kept, *asking(ROLL_BACK))
    before, answer = kept.read(incident), approved_by("bob", ROLL_BACK)
    kept.append(incident, answer, key=answer.journal_key)
    button = Button(kind=ButtonKind.APPROVE, incident=incident, gate=answer.gate, plan=ROLL_BACK.digest)
    mine = Answer(choice=Choice.APPROVE, approver="ana", channel="slack")
    answering = answer_question(
        IncidentStore(url=SecretStr("sqlite+aiosqlite:///incidents.db")),
        before,
        button,
        Choice.APPROVE,
        lambda _plan, _policy: mine,
        policy=Policy(people={"ana": Person(logins=(ANA,)), "bob": Person()}),
        speaker=Speaker(name="ana", identity=Identity(name=ANA, how=Proof.SLACK)),
    )
    with pytest.raises(AlreadyAnswered) as told:
        asyncio.run(answering)
    assert told.value.standing.event == answer
