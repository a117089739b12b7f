"""A scenario: what is wrong in the world, what happens next and what the runbook should do.

Scenarios are TOML files in ``scenarios/``; a mistake in one is refused when it is read.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from deployments.drill.world.faults import Faults, Strict
from runbook.actions.catalogue import ActionOutcome, KnownName
from runbook.approvals.acts import Act
from runbook.approvals.gates import Answer, Choice, Instead
from runbook.decision.severity import Severity
from runbook.decision.verdict import ErrorType, Verdict
from runbook.incidents.events import ClockName
from runbook.incidents.state import IncidentOutcome, State
from runbook.policy.policy import Policy

FOLDER = Path(__file__).parents[1] / "scenarios"

_STEP = re.compile(r"(posthog_returning_errors|status_page_incident|service_healthy): (yes|no|unknown)")


def _step(text: str) -> str:
    if not _STEP.fullmatch(text):
        raise ValueError("a step of the path reads '<question>: yes|no|unknown'")
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


class AlertText(Strict):
    """The alert that starts the incident."""

    alertname: str
    severity: Severity
    summary: str
    description: str = ""


class OtherAlert(AlertText):
    """An alert of another service, perhaps of another environment; it comes in before the scenario's own."""

    service: str
    environment: str = ""


class AtStart(Strict):
    """Some seconds after the world was ready."""

    kind: Literal["start"]
    seconds: float = Field(ge=0)


class EnvLanded(Strict):
    """Some seconds after every desired pod is ready with this environment."""

    kind: Literal["env_landed"]
    name: str
    value: str
    seconds: float = Field(ge=0)


class SlackMessage(Strict):
    """Some seconds after a message in Slack matches, in its text or blocks."""

    kind: Literal["slack_message"]
    pattern: Annotated[str, AfterValidator(_pattern)]
    seconds: float = Field(ge=0)


class Event(Strict):
    """Something that somebody in the world does once, at its time."""

    when: Annotated[AtStart | EnvLanded | SlackMessage, Field(discriminator="kind")]
    who: str
    what: str
    change: dict[str, Any] = {}
    """A patch of the world's faults."""
    clear: tuple[str, ...] = ()
    """Faults that end, such as ``posthog.outage``; TOML has no null to say it in the patch."""

    @property
    def patch(self) -> Mapping[str, Any]:
        """Both together, as :meth:`Faults.patched` takes them."""
        patch = {system: dict(faults) for system, faults in self.change.items()}
        for path in self.clear:
            system, _, fault = path.partition(".")
            patch.setdefault(system, {})[fault] = None
        return patch

    @model_validator(mode="after")
    def _known_faults(self) -> "Event":
        Faults().patched(self.patch)
        return self


class PersonAct(Strict):
    """Something that a person of the team does about the incident, once, some seconds after an event."""

    after: Literal["ApprovalRequested", "ResponsePaused"]
    """The event of the journal that they wait for. A pause has to last."""
    seconds: float = Field(ge=0)
    who: str
    act: Act


class PersonCommand(Strict):
    """A command of kubectl that a person of the team runs, some seconds after somebody has said "by hand"."""

    seconds: float = Field(ge=0)
    who: str
    kubectl: tuple[str, ...] = Field(min_length=1)
    """Its arguments. The namespace of the workload is the default."""


class FirstAnswer(Strict):
    """What the approver says to the first question, where the drill answers by itself."""

    who: str
    instead: Instead
    reason: str

    @property
    def answer(self) -> Answer:
        """The rejection, as the gate takes it."""
        return Answer(
            choice=Choice.REJECT,
            approver=self.who,
            reason=self.reason,
            instead=self.instead,
            channel="drill",
        )


ClockStep = tuple[ClockName, Literal["nearing", "missed"]]
"""A clock of which people are told before its end, or one of them is paged after it."""


class Expect(Strict):
    """What the judge of the drill compares the incident with."""

    verdict: Verdict
    error_type: ErrorType
    path: tuple[Annotated[str, AfterValidator(_step)], ...]
    outcome: IncidentOutcome
    severity: Severity
    actions: tuple[tuple[KnownName, ActionOutcome], ...] = ()
    """Each action, in order, with its outcome. With one that is `rejected`, the scenario's own rejection."""
    clocks: tuple[ClockStep, ...] = ()
    """Of which clocks people hear, in order, each step once."""
    support: tuple[State, ...] | None = None
    """At which states support is told by e-mail and in Teams, in order; not judged where it is not said."""
    changed_by_hand: str = ""
    """With what somebody else has changed the workload, if the journal should tell that: `kubectl`."""


class Scenario(Strict):
    """One drill."""

    name: Annotated[str, Field(pattern=r"[a-z]+(-[a-z]+)*")]
    title: str
    story: str
    """A paragraph for people who watch."""
    alert: AlertText
    others: tuple[OtherAlert, ...] = ()
    """Alerts of services that the runbook does not act for."""
    faults: Faults = Faults()
    events: tuple[Event, ...] = ()
    people: tuple[PersonAct, ...] = ()
    commands: tuple[PersonCommand, ...] = ()
    first_answer: FirstAnswer | None = None
    policy: dict[str, Any] = {}
    """What this scenario sets in `[policy]`, as a clock that ends within the drill."""
    answers_after_seconds: float = Field(default=0, ge=0)
    """How long the approver takes for the first question, where the drill answers by itself."""
    expect: Expect

    @property
    def with_policy(self) -> Policy:
        """The default policy with what the scenario sets."""
        return Policy.model_validate(self.policy)

    @model_validator(mode="after")
    def _known_policy(self) -> "Scenario":
        Policy.model_validate(self.policy)
        return self


def read_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises ``OSError`` where it cannot be read, ``tomllib.TOMLDecodeError`` if it is not TOML and
    ``pydantic.ValidationError`` if it is not a scenario.
    """
    # By way of JSON: strict models take a list as a tuple only from there.
    return Scenario.model_validate_json(json.dumps(tomllib.loads(path.read_text(encoding="utf-8"))))


def load_scenario(name: str) -> Scenario:
    """Return the scenario of that name. Raises ``LookupError`` with the names of all scenarios."""
    path = FOLDER / f"{name}.toml"
    if name not in scenario_names():
        raise LookupError(f"no scenario {name!r}; there are: {', '.join(scenario_names())}")
    return read_scenario(path)


def scenario_names() -> list[str]:
    """Return the names of all scenarios in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))
