"""A drill follows the journal: it shows every event and answers every gate, until the incident is closed."""

import asyncio
import io
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr
from rich.console import Console

from blocks.store.journal import IncidentStore
from blocks.transport.errors import Refused, Unavailable
from deployments.drill.run import following
from deployments.drill.run.following import Approve, Follower
from deployments.drill.run.prompt import Lines
from deployments.drill.run.scenario import Scenario, load_scenario
from deployments.drill.run.screen import Screen
from runbook.approvals.gates import Answer, Choice
from runbook.incidents.events import ApprovalAnswered, EffectIntended, Event, IncidentClosed, Recorded
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from tests.deployments.journal_samples import ALERT, EVENTS, FALLBACK, GATE, INCIDENT, OPENED_AT, PLAN
from tests.runbook.journals import effect

RUN = "7d4e0000-0000-4000-8000-000000000001"

ASKING: tuple[Event, ...] = tuple(
    event.model_copy(update={"flow_run_id": RUN})
    if event.type in ("ApprovalRequested", "RunStarted")
    else event
    for event in EVENTS[:10]
)


class Response:
    """An incident in a store, and the run that works on it: woken, it closes the incident."""

    def __init__(self, folder: Path) -> None:
        self.store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{folder / 'incidents.db'}"))
        self.shown = io.StringIO()
        self.forms: list[dict[str, str]] = []
        self.ended: str | None = None
        self.closes_when_woken = True
        self.commands: list[tuple[str, ...]] = []

    async def asleep(self, flow_run_id: UUID) -> bool:
        """The run waits at its gate."""
        return str(flow_run_id) == RUN

    async def wake(self, flow_run_id: UUID, form: dict[str, str]) -> None:
        """The run goes on to its end."""
        assert str(flow_run_id) == RUN
        self.forms.append(form)
        if self.closes_when_woken:
            await self.write(IncidentClosed(outcome="recovered"))

    async def run_ended(self, _flow_run_id: UUID) -> str | None:
        """How the run ended."""
        return self.ended

    async def write(self, *events: Event, key: str | None = None) -> None:
        """The journal goes on."""
        for event in events:
            await self.store.append(INCIDENT, event, at=OPENED_AT + timedelta(minutes=1), key=key)

    async def kubectl(self, arguments: Sequence[str]) -> None:
        """Somebody uses kubectl, which ends the trouble."""
        self.commands.append(tuple(arguments))
        await self.write(IncidentClosed(outcome="recovered"))

    async def follow(
        self, approve: Approve, screen: Screen | None = None, scenario: Scenario | None = None
    ) -> Incident:
        """Follow the incident to its end."""
        await self.store.open_incident(ALERT, incident_id=INCIDENT, at=OPENED_AT)
        await self.write(*ASKING[1:])
        follower = Follower(
            self.store,
            screen or self.screen(),
            approve=approve,
            policy=Policy(),
            runs=self,
            run_ended=self.run_ended,
            scenario=scenario,
            kubectl=self.kubectl,
        )
        async with asyncio.timeout(20):
            return await follower.follow(INCIDENT)

    def screen(self) -> Screen:
        """A screen whose text can be read."""
        return Screen(Console(file=self.shown, width=100))


@pytest.fixture
def response(tmp_path: Path) -> Response:
    """A response that waits for an approval."""
    return Response(tmp_path)


@pytest.mark.parametrize(
    ("approve", "choice"), [("auto", Choice.APPROVE), ("reject", Choice.REJECT)], ids=["auto", "reject"]
)
async def test_the_drill_answers_by_itself_and_says_so(
    approve: Approve, choice: Choice, response: Response
) -> None:
    """The answer is journalled as the drill's, once, and wakes the run; everything is shown to the end."""
    incident = await response.follow(approve)
    [answered] = incident.events(ApprovalAnswered)
    assert (answered.answer.choice, answered.answer.approver, answered.answer.channel) == (
        choice,
        "drill",
        "drill",
    )
    assert [form["decision"] for form in response.forms] == [choice.value]
    text = response.shown.getvalue()
    assert "by drill (drill, unproven claim)" in text
    assert text.rstrip().endswith("recovered")


@pytest.mark.parametrize(
    ("approve", "done"), [("auto", True), ("reject", False)], ids=["as the scenario has it", "rejected"]
)
async def test_a_scenarios_person_rejects_and_does_it_by_hand(
    approve: Approve, done: bool, response: Response
) -> None:
    """Her command comes after her own "by hand" only, once."""
    response.closes_when_woken = not done
    scenario = load_scenario("by-hand")
    [command] = scenario.commands
    at_once = scenario.model_copy(update={"commands": (command.model_copy(update={"seconds": 0.0}),)})
    incident = await response.follow(approve, scenario=at_once)
    [answered] = incident.events(ApprovalAnswered)
    assert answered.answer.choice is Choice.REJECT
    assert (answered.answer.approver == "ana", response.commands) == (
        done,
        [command.kubectl] if done else [],
    )


async def test_a_person_answers_at_the_terminal(response: Response, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed is the answer, in the name of the system user."""
    screen = response.screen()

    async def typed(_lines: Lines) -> str:
        return "a"

    monkeypatch.setattr(Lines, "next", typed)
    monkeypatch.setattr(Lines, "_read", lambda _lines: None)
    monkeypatch.setattr("getpass.getuser", lambda: "ana")
    incident = await response.follow("ask", screen)
    [answered] = incident.events(ApprovalAnswered)
    assert (answered.answer.approver, answered.answer.channel) == ("ana", "cli")
    shown = response.shown.getvalue()
    assert shown.index("+        - name: POSTHOG_FALLBACK") < shown.index("Apply exactly this change?")
    before = shown[: shown.index("Apply exactly this change?")].splitlines()
    assert before[-1] == f"{INCIDENT}: Enable the fallback (graceful degradation)"


def test_an_event_that_shows_nothing_does_not_repeat_the_prompt(response: Response) -> None:
    """Only what is printed above it brings the question again."""
    screen = response.screen()
    screen.begin(OPENED_AT)
    screen.asking = True
    screen.show(Recorded(seq=1, at=OPENED_AT, event=EffectIntended(effect=effect(kind="slack"))))
    assert response.shown.getvalue() == ""


async def test_whoever_is_asked_learns_how_another_shell_answers(
    response: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole command, unbroken, for the very plan that is shown."""
    screen = response.screen()
    settings = Path("/srv/a long folder name") / ("x" * 100) / "runbook.toml"
    screen.answered_with(settings)

    async def typed(_lines: Lines) -> str:
        return "a"

    monkeypatch.setattr(Lines, "next", typed)
    monkeypatch.setattr(Lines, "_read", lambda _lines: None)
    await response.follow("ask", screen)
    lines = response.shown.getvalue().splitlines()
    plan = PLAN.digest[:12]
    command = f"runbook approve {INCIDENT} --plan {plan} --config '{settings}'"
    assert [line for line in lines if line.strip() == command] == [f"  {command}"]


async def test_after_the_end_of_the_input_the_error_has_a_line_of_its_own(
    response: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not go on behind the prompt."""

    async def ended(_lines: Lines) -> str:
        raise EOFError

    monkeypatch.setattr(Lines, "next", ended)
    monkeypatch.setattr(Lines, "_read", lambda _lines: None)
    with pytest.raises(Refused, match="the input ended before there was an answer"):
        await response.follow("ask")
    assert response.shown.getvalue().endswith("3 not yet: \n")


async def forever(_lines: Lines) -> str:
    """Nobody types anything."""
    await asyncio.Event().wait()
    return ""


async def test_an_answer_from_elsewhere_ends_the_question(
    response: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone approves in Prefect while the terminal asks: the drill goes on without a word being typed."""
    screen, told = response.screen(), asyncio.Event()

    async def answered_meanwhile(lines: Lines) -> str:
        answer = Answer(choice=Choice.APPROVE, approver="bob")
        event = ApprovalAnswered(gate=GATE, action_id=FALLBACK.id, plan_digest=PLAN.digest, answer=answer)
        await response.write(event, key=f"answer:{GATE}")
        return await forever(lines)

    monkeypatch.setattr(Lines, "next", answered_meanwhile)
    monkeypatch.setattr(Lines, "_read", lambda _lines: None)
    say_so = screen.answered_elsewhere

    def say_so_and_note() -> None:
        say_so()
        told.set()

    monkeypatch.setattr(screen, "answered_elsewhere", say_so_and_note)
    following_it = asyncio.create_task(response.follow("ask", screen))
    async with asyncio.timeout(20):
        await told.wait()
        await response.write(IncidentClosed(outcome="recovered"))
        incident = await following_it
    assert "Not needed: someone else has answered." in response.shown.getvalue()
    assert [event.answer.approver for event in incident.events(ApprovalAnswered)] == ["bob"]
    assert response.forms == []


async def test_a_terminal_that_goes_away_approves_nothing(
    response: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the input is no answer, and says what to do instead."""
    screen = response.screen()

    async def gone(_lines: Lines) -> str:
        raise EOFError

    monkeypatch.setattr(Lines, "next", gone)
    monkeypatch.setattr(Lines, "_read", lambda _lines: None)
    with pytest.raises(Refused, match="--approve auto"):
        await response.follow("ask", screen)
    assert (await response.store.read(INCIDENT)).events(ApprovalAnswered) == []


async def test_a_run_that_ended_early_ends_the_drill(
    response: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for an incident that no run will close any more."""
    monkeypatch.setattr(following, "RUN_CHECK_SECONDS", 0.0)
    screen = response.screen()
    monkeypatch.setattr(Lines, "next", forever)
    monkeypatch.setattr(Lines, "_read", lambda _lines: None)
    response.ended = "Crashed"
    with pytest.raises(Unavailable, match="ended as Crashed"):
        await response.follow("ask", screen)


async def test_a_drill_that_is_stuck_ends(response: Response, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that neither ends nor gets on is given up after a while."""
    monkeypatch.setattr(following, "LIMIT_SECONDS", 0.5)

    async def slept_on(_runs: Response, _flow_run_id: UUID, _form: dict[str, str]) -> None:
        return

    monkeypatch.setattr(Response, "wake", slept_on)
    with pytest.raises(Unavailable, match="is not over after"):
        await response.follow("auto")
