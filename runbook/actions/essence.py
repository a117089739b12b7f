"""A change in one line, and the lines of its diff that matter: what a person reads before anything else.

`env POSTHOG_FALLBACK: unset → true on 2 pods`. Both are read from the plan, so that the form, the terminal
and the messages say the same of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import yaml

from runbook.actions.catalogue import ChangePlan
from runbook.kubernetes.changed_fields import FieldChange, changed_fields
from runbook.kubernetes.fields import EnvironmentVariable, MemoryLimit
from runbook.outside_text.normal import one_line
from runbook.redaction import MARK

UNSET = "unset"
SHOWN_VALUE = 60
"""Characters of one value in the line; the whole is in the diff."""

SHOWN_CHANGES = 2
SHOWN_LINES = 12
"""How much of a large change is shown before the whole of it."""

FOLDED_FROM = 100
"""Characters from which on an unchanged line is folded: it only shows where the change is."""

FORM_COLUMNS = 35
"""Characters in a line of the form on a screen of 390 pixels: 286 of them for code, 8 for a character."""

_GOES_ON = "↳ "

_KEPT = 60
_WHOLLY_GONE = re.compile(r"--- (?P<what>.*) \(live\)\n\+\+\+ .*\n@@ -1(?:,\d+)? \+0,0 @@")
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_NAMED = re.compile(r"(?:- )?name:\s*(?P<name>\S+)")
_ENTRY = re.compile(r"(?!name:|value:)(?P<key>[\w.][\w.-]*):\s+(?P<value>\S.*)")
_ANNOTATION = re.compile(r"(?:annotations|labels):|[\w.-]+\.?[\w-]*/[\w.-]+:.*")


@dataclass(frozen=True)
class _Line:
    """A line of a diff without its sign, and the name of the list entry that it belongs to."""

    sign: str
    text: str
    named: str

    @property
    def changes(self) -> bool:
        return self.sign in "+-"

    @property
    def is_annotation(self) -> bool:
        return bool(_ANNOTATION.fullmatch(self.text.strip()))


def essence(plan: ChangePlan) -> str:
    """What the change does, in one line; empty where it shows no difference."""
    if plan.blocked or plan.in_place or not plan.diff:
        return ""
    return one_line(_what(plan))


def _what(plan: ChangePlan) -> str:
    pods = _pods(plan)
    if gone := _WHOLLY_GONE.match(plan.diff):
        return f"delete {gone['what']}"
    if plan.setting is not None:
        field = plan.setting.field
        match field:
            case EnvironmentVariable():
                name = f"env {field.variable}"
            case MemoryLimit():
                name = "memory limit"
            case _:
                name, pods = field.name, ""
        before = plan.before.get(field.name)
        return f"{name}: {_short(before)} → {_short(plan.setting.value)}{_on(pods)}"
    found = changed_fields(plan.live, plan.diff) if plan.live else None
    told = _pairs(plan.diff) if found is None else [_said(field) for field in found]
    if not told:
        return (
            f"restart{f' of {pods}' if pods else ''}" if _RESTARTED in plan.diff else plan.action.spec.title
        )
    rest = len(told) - SHOWN_CHANGES
    more = f", and {rest} more" if rest > 0 else ""
    to = f"revision {plan.to_revision}: " if plan.to_revision else ""
    return f"{to}{'; '.join(told[:SHOWN_CHANGES])}{more}{_on(pods)}"


def _said(field: FieldChange) -> str:
    if any(value and MARK.search(value) for value in (field.before, field.after)):
        how = "changed" if field.before and field.after else "set" if field.after else "removed"
        return f"{field.name}: {how}"
    return f"{field.name}: {_short(field.before)} → {_short(field.after)}"


@dataclass(frozen=True)
class DecisiveLines:
    """The lines of a diff that change, annotations last; `complete` where every one is there in full."""

    text: str
    complete: bool


def decisive_lines(diff: str) -> DecisiveLines:
    """The lines that change, each under the name of what it belongs to, for the beginning of a form.

    Annotations, which are for programs, come last, and are folded where they are long.
    """
    changing = [line for line in _lines(diff) if line.changes]
    shown: list[str] = []
    below = ""
    for line in sorted(changing, key=lambda line: line.is_annotation):
        if line.named not in ("", below, _name_in(line.text)):
            shown.append(f"  - name: {line.named}")
        below = line.named
        indent = "  " if line.named and not _name_in(line.text) else ""
        shown.append(f"{line.sign} {indent}{line.text.strip()}")
    cut = [line if len(line) <= FOLDED_FROM else f"{line[:_KEPT]}…" for line in shown]
    rest = len(shown) - SHOWN_LINES
    if rest > 0:
        cut = [*cut[:SHOWN_LINES], f"  … {rest} more lines: see the whole change"]
    return DecisiveLines("\n".join(cut), complete=rest <= 0 and cut == shown)


def for_a_form(lines: str) -> str:
    """The same lines, broken where they are wider than a form on a phone.

    A block of code in Prefect's form does not break its lines: it makes the form wider than the screen, whose
    left side then cannot be reached. What goes on is marked, so that no rest of a line looks like a line.
    """
    return "\n".join(part for line in lines.splitlines() for part in _broken(line))


def _broken(line: str) -> Iterator[str]:
    while len(line) > FORM_COLUMNS:
        head = line[:FORM_COLUMNS]
        at = max(head.rfind(mark) for mark in " /:,") + 1
        at = at if at > FORM_COLUMNS // 2 else FORM_COLUMNS
        yield line[:at]
        line = f"{_GOES_ON}{line[at:]}"
    yield line


def folded(diff: str) -> str:
    """The diff with long lines that do not change cut short; what changes stays as it is."""
    return "\n".join(_fold(line) for line in diff.splitlines())


def _fold(line: str) -> str:
    if len(line) <= FOLDED_FROM or not line.startswith(" "):
        return line
    return f"{line[:_KEPT]}… ({len(line) - _KEPT} more characters, unchanged)"


def _lines(diff: str) -> Iterator[_Line]:
    named = ""
    for line in diff.splitlines():
        if line.startswith(("--- ", "+++ ", "@@")):
            named = ""
            continue
        sign, text = line[:1] or " ", line[1:]
        if name := _name_in(text):
            named = name
        elif not text.strip().startswith(("value:", "valueFrom:")):
            named = ""
        yield _Line(sign, text, named)


def _name_in(text: str) -> str:
    found = _NAMED.fullmatch(text.strip())
    return found["name"].strip("\"'") if found else ""


def _pairs(diff: str) -> list[str]:
    """`api-key: changed` for each entry that changes, where no object is known that the diff is of.

    Only entries of a mapping: of a list's entries the lines alone do not say which is which.
    """
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for line in _lines(diff):
        entry = _ENTRY.fullmatch(line.text.strip())
        if line.changes and not line.is_annotation and entry is not None:
            (before if line.sign == "-" else after)[entry["key"]] = entry["value"].strip("\"'")
    keys = list(dict.fromkeys([*before, *after]))
    return [_said(FieldChange(key, before.get(key), after.get(key))) for key in keys]


def _short(value: str | None) -> str:
    if value is None:
        return UNSET
    return value if len(value) <= SHOWN_VALUE else f"{value[: SHOWN_VALUE - 1]}…"


def _pods(plan: ChangePlan) -> str:
    """`2 pods`: as many as the workload has; empty where the plan does not say."""
    wanted = _replicas(plan.live)
    return "" if wanted is None else f"{wanted} pod{'' if wanted == 1 else 's'}"


@lru_cache(maxsize=64)
def _replicas(live: str) -> int | None:
    """Kept for the next time: reading the object takes most of what telling a plan in one line does."""
    try:
        read = yaml.safe_load(live) if live else None
    except yaml.YAMLError:
        return None
    wanted = (read.get("spec") or {}).get("replicas") if isinstance(read, dict) else None
    return wanted if isinstance(wanted, int) else None


def _on(pods: str) -> str:
    return f" on {pods}" if pods else ""
