"""The result of a drill as JSON, and its summary for people."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import JsonValue
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deployments.drill.run.judge import Difference, judge
from deployments.drill.run.scenario import Scenario
from deployments.progress.parts import fact_lines
from deployments.progress.rows import bare_key, nearby
from deployments.progress.symbols import BAD, GOOD, symbols_for
from runbook.approvals.gates import Choice
from runbook.channels.wording import OUTCOMES
from runbook.clocks.response import ResponseClock, response_clock
from runbook.incidents import summary
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.events import ApprovalAnswered, DecisionMade, EffectSettled
from runbook.incidents.incident import Incident
from runbook.value import Value

if TYPE_CHECKING:
    from rich.console import Console


class DrillResult(Value):
    """A finished drill. `alerted_at` is when the alert was sent, aware UTC."""

    scenario: Scenario
    incident: Incident
    alerted_at: datetime
    differences: tuple[Difference, ...]
    evidence: str | None
    postmortem: str | None
    links: dict[str, str]
    readers: dict[str, str] = {}
    """What people were mailed and what was posted in Teams, as text for people."""

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        incident: Incident,
        *,
        alerted_at: datetime,
        evidence: str | None,
        postmortem: str | None,
        links: dict[str, str],
        others: Sequence[Difference] = (),
        readers: dict[str, str] | None = None,
    ) -> "DrillResult":
        """Judge the incident and collect its result; `others` are differences beside it."""
        return cls(
            scenario=scenario,
            incident=incident,
            alerted_at=alerted_at,
            differences=(*judge(incident, scenario.expect), *others),
            evidence=evidence,
            postmortem=postmortem,
            links=links,
            readers=readers or {},
        )

    @property
    def as_expected(self) -> bool:
        """Whether the judge found no difference."""
        return not self.differences

    @property
    def alert_to_verdict(self) -> float | None:
        """Seconds from sending the alert to the first explained decision."""
        at = self.incident.time_of(DecisionMade)
        return (at - self.alerted_at).total_seconds() if at else None

    @property
    def approval_to_effect(self) -> float | None:
        """Seconds from the first yes to the first change that was applied after it."""
        approved = next(
            (
                item.at
                for item in self.incident.journal
                if isinstance(item.event, ApprovalAnswered) and item.event.answer.choice is Choice.APPROVE
            ),
            None,
        )
        if approved is None:
            return None
        applied = (
            item.at
            for item in self.incident.journal
            if isinstance(item.event, EffectSettled)
            and item.event.effect.authority.kind == "approval"
            and item.event.effect.outcome is EffectOutcome.APPLIED
        )
        first = next((at for at in applied if at >= approved), None)
        return (first - approved).total_seconds() if first else None

    @property
    def total(self) -> float:
        """Seconds from sending the alert to the journal's last entry."""
        return (self.incident.journal[-1].at - self.alerted_at).total_seconds()

    def as_json(self) -> dict[str, JsonValue]:
        """The result for programs."""
        incident = self.incident
        brief = summary.headline(incident, self.scenario.with_policy)
        return {
            "scenario": self.scenario.name,
            "incident": incident.id,
            "verdict": brief["verdict"],
            "error_type": brief["error_type"],
            "severity": brief["severity"],
            "path": summary.path(incident),
            "actions": summary.actions(incident),
            "outcome": brief["outcome"],
            "messages": summary.messages(incident),
            "readers": dict(self.readers),
            "artifacts": list(incident.artifacts),
            "evidence": self.evidence,
            "postmortem": self.postmortem,
            "seconds": {
                "alert_to_verdict": _rounded(self.alert_to_verdict),
                "approval_to_effect": _rounded(self.approval_to_effect),
                "total": _rounded(self.total),
            },
            "as_expected": self.as_expected,
            "differences": [difference.model_dump() for difference in self.differences],
            "links": dict(self.links),
        }


def print_summary(out: "Console", result: DrillResult) -> None:
    """Print the outcome, the times, where everything is, and what the judge found."""
    incident, symbols = result.incident, symbols_for(out.encoding)
    outcome = OUTCOMES[incident.outcome] if incident.outcome else "not ended"
    out.print()
    out.print(Text(f"{incident.id}  {outcome}", style="bold"))
    out.print(
        Padding(
            fact_lines(
                {
                    "response": _response(result),
                    "to the change": _after(result.approval_to_effect, "after the approval"),
                    "total": f"{result.total:.1f}s",
                    **result.readers,
                    "artifacts": ", ".join(bare_key(key) for key in incident.artifacts),
                    "evidence": nearby(result.evidence or ""),
                    "post-mortem": nearby(result.postmortem or ""),
                }
            ),
            (0, 0, 0, 2),
        )
    )
    if result.as_expected:
        out.print(Text(f"{symbols.good} as the scenario expects", style=f"bold {GOOD}"))
    else:
        out.print(Text(f"{symbols.bad} not as the scenario expects", style=f"bold {BAD}"))
        out.print(Padding(differences_table(result.differences), (0, 0, 0, 2)))


def differences_table(differences: tuple[Difference, ...]) -> Table:
    """A table of what was expected and what happened."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for name in ("what", "expected", "actual"):
        table.add_column(name, overflow="fold")
    for difference in differences:
        table.add_row(
            difference.what, Text(difference.expected, style=GOOD), Text(difference.actual, style=BAD)
        )
    return table


def _response(result: DrillResult) -> str:
    """How soon there was a verdict, and apart from that how soon a person did something."""
    clock = response_clock(result.incident, result.scenario.with_policy)
    if result.alert_to_verdict is None:
        return f"no decision; {_person(clock)}"
    return f"{result.alert_to_verdict:.1f}s from alert to explained verdict; {_person(clock)}"


def _person(clock: ResponseClock) -> str:
    if clock.met_at is None:
        return f"no person acted ({clock.severity}: {clock.within})"
    missed = "" if clock.met_at <= clock.due_at else ", missed"
    took = (clock.met_at - clock.since).total_seconds()
    return f"first person after {took:.1f}s ({clock.severity}: {clock.within}{missed})"


def _after(seconds: float | None, what: str) -> str:
    return f"{seconds:.1f}s {what}" if seconds is not None else ""


def _rounded(seconds: float | None) -> float | None:
    return round(seconds, 3) if seconds is not None else None
