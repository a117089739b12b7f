"""What stands under an event: the findings, the way through the decision tree, the exact diff, the plan."""

import re
from collections.abc import Iterable, Mapping

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from deployments.progress.symbols import BAD, GOOD, LOUD, QUIET, REPLY_STYLES, STATUS_STYLES, Symbols, plain
from runbook.actions.catalogue import ChangePlan, PlannedAction
from runbook.actions.spec import ActionKind
from runbook.channels.wording import VERDICT_TITLES
from runbook.checks.catalogue import check_title
from runbook.checks.findings import Findings
from runbook.decision.verdict import Branch, Counterfactual, Decision, Verdict

DIFF_STYLES = (("+++", "bold"), ("---", "bold"), ("@@", LOUD), ("+", GOOD), ("-", BAD))


def findings_table(findings: Findings, symbols: Symbols) -> Table:
    """One line per check: sign, name, what it saw, how long it took."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1, no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True, justify="right", style=QUIET)
    for finding in findings.items:
        style = STATUS_STYLES[finding.status]
        table.add_row(
            Text(symbols.of_status(finding.status), style=style),
            Text(check_title(finding.check), style=style),
            Text(plain(finding.summary)),
            f"{finding.seconds:.1f}s",
        )
    return table


def decision_details(decision: Decision, symbols: Symbols) -> tuple[RenderableType, ...]:
    """Everything about a decision but its name: path, severity, plan, and what would have changed it."""
    return (decision_path(decision, symbols), *consequences(decision))


def consequences(decision: Decision) -> tuple[RenderableType, ...]:
    """What follows from a decision: severity, plan, and what would have led elsewhere."""
    level = decision.severity.severity
    severity = Text(f"{plain(decision.severity.because)}; respond {level.target}")
    return (
        hanging(f"{level}: ", severity),
        plan_lines(decision.plan),
        flip_lines(decision.would_flip),
    )


def facts_of(branch: Branch, symbols: Symbols) -> Group:
    """An answer of the tree with the facts that gave it."""
    question = Text(f"{branch.question.text} ")
    question.append(branch.reply.upper(), style=REPLY_STYLES[branch.reply])
    return Group(question, *_reasons(branch, symbols, left=0))


def decision_path(decision: Decision, symbols: Symbols) -> Group:
    """The walked path, each question with its answer and the facts, down to the leaf."""
    lines = []
    for depth, branch in enumerate(decision.path):
        question = Text(f"{branch.question.text} ")
        question.append(branch.reply.upper(), style=REPLY_STYLES[branch.reply])
        lines.append(hanging(f"{symbols.branch} " if depth else "", question, left=3 * max(depth - 1, 0)))
        lines += _reasons(branch, symbols, left=3 * depth)
    leaf = Text(decision.verdict.advice, style="bold")
    lines.append(hanging(f"{symbols.leaf} ", leaf, left=3 * max(len(decision.path) - 1, 0)))
    return Group(*lines)


def _reasons(branch: Branch, symbols: Symbols, *, left: int) -> list[Table]:
    return [
        hanging(f"{symbols.bar} ", Text(plain(reason)), left=left, style=QUIET) for reason in branch.because
    ]


def plan_lines(plan: Iterable[PlannedAction]) -> Group:
    """The planned actions in order, each with its reason."""
    lines = []
    for number, action in enumerate(plan, start=1):
        text = Text(action.spec.title, style="bold")
        if action.spec.kind is not ActionKind.HAND_OFF:
            text.append(f" on {plain(action.target)}", style="not bold")
        text.append(f": {plain(action.because)}", style="not bold dim")
        lines.append(hanging(f"{number}. ", text))
    return Group(*lines)


def flip_lines(flips: Iterable[Counterfactual]) -> Group:
    """Which single facts would have led elsewhere, and where to."""
    changes: dict[Verdict, list[str]] = {}
    for flip in flips:
        changes.setdefault(flip.verdict, []).append(plain(flip.change))
    return Group(
        *(
            hanging(
                "verify: ",
                Text(f"{' or '.join(facts)}, the verdict would be “{VERDICT_TITLES[verdict]}”"),
                style=QUIET,
            )
            for verdict, facts in changes.items()
        )
    )


def change_lines(plan: ChangePlan) -> Group:
    """What an approver weighs beside the diff."""
    spec = plan.action.spec
    return fact_lines(
        {
            "affects": "; ".join(plan.affects),
            "risk": spec.risk.value,
            "proof": spec.success,
            "undo": spec.undo,
        }
    )


def fact_lines(facts: Mapping[str, str], *, width: int = 0, style: str = "") -> Group:
    """Names and values, those without a value left out; the values begin `width` columns in, or more."""
    width = max(width, *(len(name) + 2 for name in facts), 0)
    return Group(
        *(
            hanging(f"{name}:".ljust(width), Text(plain(value), style=style), style=QUIET)
            for name, value in facts.items()
            if value
        )
    )


def diff_lines(diff: str) -> Group:
    """A unified diff with its signs kept, so that it reads the same without colour; nothing is cut off.

    A line that is too long goes on under its own beginning, so that no rest of a line looks like a line.
    """
    return Group(*(_diff_line(line) for line in plain(diff).splitlines()))


def _diff_line(line: str) -> Table:
    style = next((style for start, style in DIFF_STYLES if line.startswith(start)), QUIET)
    text = line[1:].lstrip() if line[:1] in "+- " and not line.startswith(("+++", "---")) else line
    return hanging(line[: len(line) - len(text)], Text(text), style=style)


def hanging(lead: str, text: Text, *, left: int = 0, style: str = "") -> Table:
    """Text that wraps beside its lead, not under it."""
    line = Table.grid()
    if left:
        line.add_column(width=left)
    if lead:
        line.add_column(width=cell_len(lead), no_wrap=True)
    line.add_column(overflow="fold", style=style)
    line.add_row(*([""] if left else []), *([Text(lead, style=style)] if lead else []), text)
    return line


_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+")


def without_long_addresses(text: Text, width: int) -> tuple[Text, tuple[str, ...]]:
    """The text without the addresses that are longer than its lines, and these: broken, they lead nowhere."""
    long = [found for found in _ADDRESS.finditer(text.plain) if cell_len(found[0]) > width]
    for found in reversed(long):
        text = Text.assemble(text[: found.start()], "(address below)", text[found.end() :])
    return text, tuple(dict.fromkeys(found[0] for found in long))


def words(name: str) -> str:
    """An identifier as people say it."""
    return plain(name.replace("_", " ").replace("posthog", "PostHog"))
