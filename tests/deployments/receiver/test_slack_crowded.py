"""Where Slack is slow to take what people are told, the next click is taken nevertheless."""

import time

from runbook.channels.buttons import ButtonKind
from tests.deployments.cli.test_gates import ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, BOB, Chat, relayed
from tests.deployments.sleeping_run import FakePrefect

CLICKS = 40
"""More than are worked at, at one time."""

SLOW_SECONDS = 8.0


def test_clicks_are_taken_while_slack_is_slow_to_be_told(
    chat: Chat, kept: Store, prefect: FakePrefect
) -> None:
    """What follows a click holds no place of those that are worked at."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.UPDATE, ButtonKind.APPROVE)

    with relayed(chat, lambda: time.sleep(SLOW_SECONDS)) as address:
        click = chat.payload(BOB, message, ButtonKind.UPDATE)
        click["response_url"] = address
        began = time.monotonic()
        told = [chat.send(click).status for _ in range(CLICKS)]
        answered = chat.click(ANA, ButtonKind.APPROVE, message)
        assert time.monotonic() - began < SLOW_SECONDS
    assert set(told) == {200}
    assert answered.status == 200
    assert kept.read(incident).pending_gate is None
    chat.soon(lambda: prefect.forms)
