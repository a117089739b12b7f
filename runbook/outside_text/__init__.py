"""Text from outside: the one door that it comes in by, and how it is written for each place it is shown.

Whatever the source (alerts, health answers, logs, status pages, errors, people): `door` makes it normal,
masks it and cuts it, in this order. Models take it in with the types of `fields`, so nobody can forget it.
What is shown goes through the renderer of its place: `slack`, `markdown`, `plain`, `terminal`, `machine`.
"""

from runbook.outside_text.door import (
    CUT,
    MAX_LINE,
    MAX_NAME,
    MAX_TEXT,
    beginning,
    cut,
    let_in,
    let_in_identity,
    let_in_json,
    let_in_line,
    let_in_name,
    let_in_named,
)
from runbook.outside_text.fields import (
    Outside,
    OutsideFields,
    OutsideIdentity,
    OutsideJson,
    OutsideLine,
    OutsideName,
    OutsideNamed,
    OutsideText,
    OutsideTexts,
)
from runbook.outside_text.normal import normal, one_line, spelled_out

__all__ = [
    "CUT",
    "MAX_LINE",
    "MAX_NAME",
    "MAX_TEXT",
    "Outside",
    "OutsideFields",
    "OutsideIdentity",
    "OutsideJson",
    "OutsideLine",
    "OutsideName",
    "OutsideNamed",
    "OutsideText",
    "OutsideTexts",
    "beginning",
    "cut",
    "let_in",
    "let_in_identity",
    "let_in_json",
    "let_in_line",
    "let_in_name",
    "let_in_named",
    "machine",
    "mail",
    "markdown",
    "normal",
    "one_line",
    "plain",
    "slack",
    "spelled_out",
    "teams",
    "terminal",
    "terminal_codes",
]
