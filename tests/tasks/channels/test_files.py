"""Files beside a question: the whole diff and the chart, after it, once, masked, in the way of nothing."""

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from blocks.channels.slack import Slack
from blocks.prometheus.metrics import Prometheus
from blocks.transport.errors import Unavailable
from deployments.drill.world.faults import SlackFaults
from runbook.approvals.gates import Choice
from runbook.channels.reminders import is_time
from runbook.channels.untold import failing_channels
from runbook.incidents import events as e
from runbook.incidents.effects import Effect, EffectOutcome
from runbook.incidents.sentences import sentence
from runbook.incidents.state import IncidentOutcome, State
from tasks.channels import files as module
from tasks.channels.communicate import announce
from tasks.channels.files import lacking_files, share_files
from tasks.channels.refresh import refresh
from tasks.incident import OpenIncident, now
from tests.canary.canaries import SHAPES, Canaries
from tests.runbook.journals import PLAN, answered, asked
from tests.tasks.channels.team import Team, team, write

__all__ = ["team"]  # a fixture, found here

LINES = "\n".join(f"+  key-{number}: value" for number in range(40))
LONG = PLAN.model_copy(update={"diff": f"--- live\n+++ after\n@@ -1 +1 @@\n{LINES}"})


@pytest.fixture
def prometheus(httpserver: HTTPServer) -> Prometheus:
    """A server with errors in the last half an hour."""

    def history(request: Request) -> Response:
        end = float(request.values["end"])
        values = [[end - 60 * minute, str(minute % 7)] for minute in reversed(range(30))]
        result = [{"metric": {"status": "503"}, "values": values}]
        body = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/api/v1/query_range").respond_with_handler(history)
    return Prometheus(url=httpserver.url_for("/"), timeout_seconds=60)


@pytest.fixture
async def asking(team: Team, prometheus: Prometheus) -> Team:
    """A team that is asked about a long plan, its question in the channel."""
    slack = team.incident.environment.slack
    assert slack is not None
    patient = slack.model_copy(update={"timeout_seconds": 60})  # a busy machine is no slow Slack
    environment = dataclasses.replace(team.incident.environment, prometheus=prometheus, slack=patient)
    team.incident = OpenIncident(id=team.incident.id, environment=environment)
    await ask(team, LONG)
    await announce(team.incident, State.INVESTIGATING)
    await refresh(team.incident)
    return team


async def ask(team: Team, plan: Any, gate: str = "gate-2") -> None:
    """The newest question is about this plan."""
    await team.incident.record(e.ActionPreviewed(plan=plan, since=now()))
    await write(team.incident, asked(plan, gate=gate), at=now() - timedelta(minutes=1))


def shared(team: Team) -> list[dict[str, Any]]:
    """The files in the thread, oldest first."""
    first = team.slack.messages[0]["ts"]
    return [
        file
        for message in team.slack.messages
        if message.get("thread_ts") == first
        for file in message.get("files", [])
    ]


def contents(team: Team) -> list[bytes]:
    """What was uploaded and shared."""
    return [team.slack.files.contents[file["id"]] for file in shared(team)]


async def due(team: Team, minutes: float = 0) -> list[str]:
    """What the clock finds now, or later."""
    at = now() + timedelta(minutes=minutes)
    return lacking_files(team.incident.environment, await team.incident.read(), at)


async def of_files(team: Team) -> list[Effect]:
    """The effects of files, as last recorded."""
    return [it for it in (await team.incident.read()).effects.values() if it.message.is_file]


async def test_the_whole_diff_and_the_chart_come_after_the_question(asking: Team) -> None:
    """In the thread, the diff as a snippet with every line; nothing is left to do then."""
    assert shared(asking) == []

    done = await share_files(asking.incident)

    diff, chart = shared(asking)
    assert [diff["filetype"], chart["mimetype"]] == ["diff", "image/png"]
    assert contents(asking)[0].decode() == LONG.diff
    assert contents(asking)[1].startswith(b"\x89PNG")
    assert "the threshold is" in chart["alt_txt"]
    assert len(done) == 2
    assert await due(asking) == []
    assert await share_files(asking.incident) == []


async def test_the_question_says_where_its_diff_is(asking: Team) -> None:
    """Before it is there, it says where the plan is."""
    (question,) = (it for it in asking.slack.messages if "Not the whole change" in it["text"])
    assert "the plan where the link leads" in question["text"]

    await share_files(asking.incident)

    words = f"The whole diff is a file in this thread: <{shared(asking)[0]['permalink']}|open it>"
    assert f"Not the whole change. {words}\n" in question["text"]


@pytest.mark.parametrize(
    ("diff", "files"),
    [
        ("+ key: value\n- other: value", ["png"]),
        ("  key: value", ["png"]),
        (PLAN.diff, ["diff", "png"]),
        (f"+ key: {'x' * 200}", ["diff", "png"]),
        (f"  key: {'x' * 200}", ["diff", "png"]),
    ],
)
async def test_only_a_diff_that_is_not_shown_whole_is_a_file(
    asking: Team, diff: str, files: list[str]
) -> None:
    """With the lines around what changes, and those that the message cuts."""
    await ask(asking, PLAN.model_copy(update={"diff": diff}), "gate-3")
    await refresh(asking.incident)

    await share_files(asking.incident)

    assert [file["filetype"] for file in shared(asking)] == files


async def test_there_is_no_file_before_its_question(team: Team) -> None:
    """Nor once it is withdrawn; a quick answer takes them from nobody who follows the thread."""
    assert await due(team) == []
    await refresh(team.incident)
    assert len(await due(team)) == 2
    await team.incident.record(answered(Choice.SNOOZE))
    assert len(await due(team)) == 2
    because = e.ApprovalWithdrawn(gate="gate-1", action_id=PLAN.action.id, because="it is over")
    await team.incident.record(because)
    assert await due(team) == []


async def test_there_is_no_file_after_the_end(asking: Team) -> None:
    """Nobody decides on anything any more."""
    await asking.incident.record(e.IncidentResolved(outcome=IncidentOutcome.RECOVERED, because=()))
    assert await due(asking) == []


async def test_without_the_scope_the_timeline_says_so_once(asking: Team) -> None:
    """The question stays, neither file is tried again, nor are those of the next question."""
    asking.slack.faults = SlackFaults(missing_scopes=("files:write",))

    for _ in range(3):
        await share_files(asking.incident)
    await ask(asking, LONG.model_copy(update={"diff": f"{LONG.diff}\n+ more"}), "gate-3")
    await refresh(asking.incident)
    await share_files(asking.incident)

    journal = await asking.incident.read()
    (told,) = (sentence(event) for event in journal.events(e.EffectSettled) if event.effect.message.is_file)
    assert "missing_scope" in told
    assert "Give the app the scope files:write" in told
    assert await due(asking, minutes=600) == []


async def test_a_file_that_failed_holds_up_no_reminder(asking: Team) -> None:
    """Nor is the channel said to take no messages."""
    asking.slack.faults = SlackFaults(missing_scopes=("files:write",))
    await share_files(asking.incident)

    journal = await asking.incident.read()
    assert is_time(journal, journal.opened_at, now())
    assert failing_channels(journal, besides="") == ()


async def test_what_is_away_is_tried_three_times(asking: Team) -> None:
    """Prometheus here: a minute later each time, and then no more."""
    environment = dataclasses.replace(
        asking.incident.environment, prometheus=Prometheus(url="http://127.0.0.1:9")
    )
    asking.incident = OpenIncident(id=asking.incident.id, environment=environment)
    await share_files(asking.incident)
    assert len(shared(asking)) == 1  # the diff needs no Prometheus
    (chart,) = (it for it in await of_files(asking) if it.outcome is EffectOutcome.FAILED)

    for _ in range(2):
        assert await due(asking) == []
        assert len(await due(asking, minutes=2)) == 1
        failed = chart.model_copy(update={"not_before": now() + timedelta(minutes=1)})
        await asking.incident.record(e.EffectSettled(effect=failed))

    assert await due(asking, minutes=600) == []


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_death_at_an_upload_shares_no_file_twice(
    asking: Team, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """What is seen in the thread is taken for done; what is not stays in doubt, and is not shared again."""
    share = Slack.share

    async def dying(slack: Slack, *args: Any) -> Any:
        if point == "after":
            await share(slack, *args)
        raise RuntimeError("killed")

    monkeypatch.setattr(Slack, "share", dying)
    with pytest.raises(RuntimeError):
        await share_files(asking.incident)
    monkeypatch.setattr(Slack, "share", share)
    assert len(await due(asking)) == 2

    for _ in range(2):
        await share_files(asking.incident)

    names = [file["filetype"] for file in shared(asking)]
    assert names == (["diff", "png"] if point == "after" else ["png"])
    diff, _ = await of_files(asking)
    assert diff.outcome is (EffectOutcome.APPLIED if point == "after" else EffectOutcome.UNSETTLED)
    assert await due(asking, minutes=600) == []


async def test_a_lost_answer_is_looked_for_in_the_thread(
    asking: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is there, so nothing is shared again."""
    share = Slack.share

    async def cut_off(slack: Slack, *args: Any) -> Any:
        await share(slack, *args)
        raise Unavailable("Slack", "closed the connection", may_have_landed=True)

    monkeypatch.setattr(Slack, "share", cut_off)
    await share_files(asking.incident)

    assert len(shared(asking)) == 2
    assert {it.outcome for it in await of_files(asking)} == {EffectOutcome.APPLIED}


async def test_no_secret_is_in_an_upload(asking: Team) -> None:
    """Whatever a plan and a status are called: not in the bytes, nor in titles, names and the alt text."""
    canaries = Canaries()
    lines = "\n".join(f"+  {canaries.in_words(f'line {shape}', shape)}" for shape in range(len(SHAPES)))
    plan = LONG.model_copy(update={"diff": f"{LONG.diff}\n{lines}"})
    await ask(asking, plan, "gate-3")
    await refresh(asking.incident)

    await share_files(asking.incident)

    assert len(shared(asking)) == 2
    assert "redacted" in contents(asking)[0].decode()
    assert canaries.found([*contents(asking), json.dumps(asking.slack.messages)]) == {}


async def test_a_diff_without_end_is_cut_after_a_line(asking: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within what Slack takes as a snippet; it says how much is missing."""
    monkeypatch.setattr(module, "MOST_BYTES", 200)

    await share_files(asking.incident)

    kept = contents(asking)[0].decode()
    assert kept.splitlines()[-2].startswith("+  key-")
    assert "more lines, see the plan in Prefect" in kept
