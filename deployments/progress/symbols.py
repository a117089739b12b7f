"""Signs that a person tells apart at a glance, with colour and without, also where only ASCII is shown."""

import unicodedata
from dataclasses import dataclass

from runbook.actions.catalogue import ActionOutcome
from runbook.checks.findings import Status
from runbook.decision.verdict import Reply


@dataclass(frozen=True)
class Symbols:
    """One sign per meaning. The words beside them say the same, so nobody depends on a sign or a colour."""

    good: str
    bad: str
    unknown: str
    event: str
    decision: str
    ask: str
    told: str
    work: str
    skip: str
    page: str
    bar: str
    branch: str
    leaf: str
    arrow: str
    rule: str

    def of_status(self, status: Status) -> str:
        """The sign of a finding."""
        return {Status.OK: self.good, Status.BAD: self.bad, Status.UNKNOWN: self.unknown}[status]


UNICODE = Symbols(
    good="✔",
    bad="✘",
    unknown="?",
    event="●",
    decision="◆",
    ask="▶",
    told="✉",
    work="⚙",
    skip="○",
    page="☎",
    bar="│",
    branch="└─",
    leaf="└▶",
    arrow="→",
    rule="══",
)

ASCII = Symbols(
    good="+",
    bad="x",
    unknown="?",
    event="*",
    decision="#",
    ask=">",
    told="@",
    work="~",
    skip="o",
    page="!",
    bar="|",
    branch="`-",
    leaf="`>",
    arrow="->",
    rule="==",
)

MASK = "\N{REPLACEMENT CHARACTER}"

GOOD, BAD, UNSURE, QUIET, LOUD = "green", "red", "yellow", "dim", "bold cyan"

STATUS_STYLES = {Status.OK: GOOD, Status.BAD: BAD, Status.UNKNOWN: UNSURE}
REPLY_STYLES = {Reply.YES: "bold", Reply.NO: "bold", Reply.UNKNOWN: f"bold {UNSURE}"}
OUTCOME_STYLES = {
    ActionOutcome.DONE: GOOD,
    ActionOutcome.RECOVERED: GOOD,
    ActionOutcome.ALREADY_IN_PLACE: GOOD,
    ActionOutcome.HANDED_OFF: UNSURE,
    ActionOutcome.BY_HAND: UNSURE,
    ActionOutcome.DRY_RUN: UNSURE,
    ActionOutcome.UNKNOWN: UNSURE,
    ActionOutcome.NOT_RECOVERED: BAD,
    ActionOutcome.REVERTED: BAD,
    ActionOutcome.BLOCKED: BAD,
    ActionOutcome.REJECTED: BAD,
    ActionOutcome.FAILED: BAD,
}


def symbols_for(encoding: str) -> Symbols:
    """The signs that a terminal with this encoding can show."""
    return UNICODE if encoding.lower().replace("-", "").startswith("utf") else ASCII


def plain(text: str) -> str:
    """Text from outside without control characters: a log line must not steer the terminal."""
    return "".join(MASK if _steers(char) else char for char in text)


def first_line(markdown: str) -> str:
    """The first line that says something, without the signs of Markdown around it."""
    lines = (line.strip("#* ").strip() for line in plain(markdown).splitlines())
    return next((line for line in lines if line), "")


def _steers(char: str) -> bool:
    return char not in "\n\t" and unicodedata.category(char) in ("Cc", "Cf")
