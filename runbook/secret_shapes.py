"""What a secret looks like: key shapes, headers and labels, and the marks that are left for them.

Source of the prefixes: the vendors' documentation of their keys. PostHog's legacy keys have no prefix, so
they are only found under a label or when listed.
"""

import re
from typing import NamedTuple

MARK = re.compile(r"\[redacted:[a-z0-9-]+(?:, [a-z]+)?\]")
"""What masking leaves: `[redacted:phx]`, or `[redacted:api-key, changed]` in a diff."""

HARMLESS_VALUES = frozenset(
    {"null", "none", "true", "false", "not", "no", "missing", "invalid", "expired", "revoked", "unset"}
)
"""Words after a label that say something about a key; masking them would hide an incident's very cause."""


class Rule(NamedTuple):
    """One shape: the group `value` is masked, the group `keep` before it stays.

    `kind` names the mark; where it is empty the group `kind` does. `labelled`: a label led to the value, so
    some words are left.
    """

    kind: str
    pattern: re.Pattern[str]
    labelled: bool = False


def mark(kind: str, note: str = "") -> str:
    """The text that stands for a masked value."""
    return f"[redacted:{kind}{f', {note}' if note else ''}]"


def kind_of(name: str) -> str:
    """The kind to put into a mark for a value of this name: `POSTHOG_API_KEY` gives `api-key`."""
    found = SECRET_NAME.search(name)
    word = found["word"] if found else name
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", word)
    return re.sub(r"[^a-z0-9]+", "-", spaced.lower()).strip("-") or "secret"


_LABEL = (
    r"pass(?:word|wd|phrase)|pwd|secret|api[_-]?key|(?:access|private|signing|encryption|secret)[_-]?key"
    r"|(?:routing|integration|service)[_-]?key|token"
)
SECRET_NAME = re.compile(rf"(?P<word>{_LABEL}|authorization|cookie)$", re.IGNORECASE)
"""Names whose value is a secret, by how they end: `POSTHOG_API_KEY` is one, `secretName` is not."""

_MARK = MARK.pattern
_QUOTED = r"\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\\\r\n]|\\.)*'"
_BARE = rf"(?:{_MARK}|\\(?![\"'])|[^\s\"'\\,;&<>)}}\]])+"
_ESCAPED = r"(?P<quote>\\+\")[^\"\r\n]*?(?P=quote)"
_REST = r"[^\s\"'\\](?:[^\"'\r\n\\]*[^\s\"'\\])?"
_TOKEN = rf"(?:{_MARK}|[^\s\"'\\,;])+"
_SCHEME = r"(?:bearer|basic|oauth|token|apikey)"
_QUOTE = r"(?:\\?[\"'])?"
_HEADER = rf"{_QUOTE}[ \t]*[:=][ \t]*{_QUOTE}"
_ALONE = r"(?<![A-Za-z0-9])"


def _rule(kind: str, pattern: str, *, flags: int = 0, labelled: bool = False) -> Rule:
    return Rule(kind, re.compile(pattern, flags), labelled)


RULES: tuple[Rule, ...] = (
    _rule(
        "private-key",
        r"(?P<value>-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"
        r"(?:[\s\S]*?-----END [A-Z0-9 ]*PRIVATE KEY-----|(?:[A-Za-z0-9+/=\s]|\\[nr])*))",
    ),
    _rule("userinfo", r"(?P<keep>\b[A-Za-z][A-Za-z0-9+.-]*://)(?P<value>[^\s/?#\"'<>]+)(?=@)"),
    _rule(
        "slack-webhook",
        r"(?P<keep>hooks\.slack\.com/(?:services|triggers|workflows)/)(?P<value>[A-Za-z0-9/_-]+)",
        flags=re.IGNORECASE,
    ),
    _rule("", rf"{_ALONE}(?P<value>(?P<kind>ph[cxsar])_[A-Za-z0-9_-]{{6,}})"),
    _rule("inc", rf"{_ALONE}(?P<value>inc_[0-9a-fA-F]{{64}})"),
    _rule("whsec", rf"{_ALONE}(?P<value>whsec_[A-Za-z0-9+/=_-]{{6,}})"),
    _rule("", rf"{_ALONE}(?P<value>(?P<kind>xox[a-z]|xapp)-[A-Za-z0-9-]{{6,}})"),
    _rule("jwt", rf"{_ALONE}(?P<value>eyJ[A-Za-z0-9_-]{{8,}}\.[A-Za-z0-9_-]{{8,}}(?:\.[A-Za-z0-9_-]*)?)"),
    _rule(
        "authorization",
        rf"(?P<keep>authorization{_HEADER}{_SCHEME}[ \t]+)(?P<value>{_TOKEN})",
        flags=re.IGNORECASE,
    ),
    _rule(  # a scheme that is not known may carry its secret in any of its parameters: nothing of it is kept
        "authorization",
        rf"(?P<keep>authorization{_QUOTE}[ \t]*:[ \t]*{_QUOTE})(?!{_SCHEME}[ \t])(?P<value>{_REST})",
        flags=re.IGNORECASE,
    ),
    _rule(  # as a field of a log line it ends where the next field begins
        "authorization",
        rf"(?P<keep>authorization=)(?![\"']?{_SCHEME}[ \t])(?P<value>{_QUOTED}|{_BARE})",
        flags=re.IGNORECASE,
        labelled=True,
    ),
    _rule(
        "bearer",
        r"(?P<keep>\bbearer[ \t]+)(?P<value>(?=[A-Za-z._~+/=-]*[0-9]|\S{20})[A-Za-z0-9._~+/=-]{8,})",
        flags=re.IGNORECASE,
    ),
    _rule(
        "cookie",
        rf"(?P<keep>\b(?:set-)?cookie{_HEADER})(?P<value>{_REST})",
        flags=re.IGNORECASE,
    ),
    _rule(
        "",
        rf"(?P<keep>(?P<kind>{_LABEL})(?:\\*[\"'])?[ \t]*[:=][ \t]*)(?P<value>{_QUOTED}|{_ESCAPED}|{_BARE})",
        flags=re.IGNORECASE,
        labelled=True,
    ),
)
"""In the order in which they apply: whole blocks first, then shapes, headers, and labels last."""
