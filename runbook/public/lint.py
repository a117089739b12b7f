"""What a public text may not say: each rule with its words, and what to do about them.

The words follow PostHog's handbook (impact first, plain, nobody is blamed) and the placeholders of the
runbook's own template. A text that has a finding is not published; a person has to edit it.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from runbook.outside_text import OutsideLine
from runbook.public.reading import plain, readings, skeleton, word_pattern
from runbook.redaction import redact
from runbook.value import Value


class PublicRule(StrEnum):
    """The rules, each with what to do where a text breaks it."""

    PLACEHOLDER = "placeholder"
    SECRET = "secret"  # noqa: S105 - the name of a rule
    ADDRESS = "address"
    HOST = "internal host"
    WORKLOAD = "pod or workload"
    NEVER_SAY = "word of never_say"
    BLAME = "blame"
    IMPACT_FIRST = "impact first"

    @property
    def advice(self) -> str:
        """What to do."""
        return _ADVICE[self]


_ADVICE = {
    PublicRule.PLACEHOLDER: "Put in what is meant, or leave it out",
    PublicRule.SECRET: "Leave it out, and rotate it if it was real",
    PublicRule.ADDRESS: "Leave it out: say which area and which region are affected",
    PublicRule.HOST: "Leave it out: say which area and which region are affected",
    PublicRule.WORKLOAD: "Leave it out: say what users notice",
    PublicRule.NEVER_SAY: "Use other words, such as some users",
    PublicRule.BLAME: "Say what happens, not whose fault it is",
    PublicRule.IMPACT_FIRST: "Say what users notice in the first two sentences",
}


class LintFinding(Value):
    """A word that may not be published. A secret is masked here, too."""

    rule: PublicRule
    word: OutsideLine

    @property
    def sentence(self) -> str:
        """The rule, the word and what to do."""
        word = f" {self.word!r}" if self.word else ""
        return f"{self.rule}{word}: {self.rule.advice}"


_PATTERNS: dict[PublicRule, tuple[str, ...]] = {
    PublicRule.PLACEHOLDER: (
        r"\[[^\[\]]*\](?!\()",  # a link in Markdown is none
        r"\{\{|\}\}|\{%|%\}",
        r"<[^<>\s][^<>]*>",
        r"\b(?:TODO|TBD|FIXME|XXX|YYYY-MM-DD|HH:MM|N/A)\b",  # what people leave where words are to come
        r"(?i:\blorem ipsum\b)",
    ),
    PublicRule.ADDRESS: (
        r"(?<![\d.])(?:0*\d{1,3}\.){3}0*\d{1,3}(?![\d.]*\d)",
        r"(?i:\b0x[0-9a-f]{7,8}\b)",
        r"(?i:\b0x[0-9a-f]+(?:\.(?:0x[0-9a-f]+|\d+)){1,3}\b)",
        r"(?i:\bhttps?://\d{8,10}(?![\w.]))",
        r"(?i:(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}(?::|[0-9a-f]{1,4})(?![\w:]))",
        r"(?i:(?<![\w:])(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?(?![\w:]))",
        r"(?i:(?<![\w:])::(?:[0-9a-f]{1,4}:)*[0-9a-f]{1,4}(?![\w:]))",
    ),
    PublicRule.HOST: (
        r"(?i:\blocalhost\b)",
        r"(?i:\b(?:[a-z0-9-]+\.)+(?:svc|local|internal|intern|corp|lan|intranet|private|cluster|consul"
        r"|localdomain|home\.arpa)\b)",
        r"(?i:\bip-\d+-\d+-\d+-\d+\b)",
        r"(?i:(?<![\w-])(?!\d{4}-\d\d-\d\dT)"  # a time is no port
        r"(?=[\d.-]*[a-z])[a-z0-9][a-z0-9.-]+:\d{2,5}\b(?!:\d\d\b))",
    ),
    PublicRule.WORKLOAD: (
        r"\b[a-z][a-z0-9]*(?:-[a-z0-9]+)*-[a-f0-9]{8,10}-[a-z0-9]{5}\b",
        r"(?i:\b(?:pod|deployment|statefulset|daemonset|replicaset|namespace|configmap|node|svc)s?/[\w.-]+)",
        r"(?i:\bkubectl\b)",
        r"(?i:\b(?:pod|container|namespace|node)s? [a-z0-9]+(?:-[a-z0-9]+)+\b)",
    ),
    PublicRule.BLAME: (
        r"(?i:\b(?:fault of|to blame|blame[sd]?|blaming|human error|operator error|careless(?:ly|ness)?"
        r"|negligen(?:t|ce)|incompeten(?:t|ce)|stupid|sloppy)\b)",
        r"(?i:\b\w+['\u2019]s (?:fault|mistake|error|negligence)\b(?! (?:rate|page|message|code)s?\b))",
        r"(?i:\b(?:an?|our|the|one) (?:\w+ )?(?:engineer|developer|employee|colleague|operator|admin)"
        r" (?:\w+ )?(?:forgot|broke|deleted|misconfigured|failed|caused|mistakenly|accidentally)\b)",
    ),
}
"""Shapes of words, by rule."""

_IMPACT = re.compile(
    r"(?i:\b(?:users?|customers?|visitors?|you|your|everyone|everybody|everything|events?|flags?|recordings?"
    r"|experiments?|surveys?|reports?|dashboards?|data)\b)"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_FIRST = 2


def lint(text: str, *, never_say: Sequence[str] = ()) -> tuple[LintFinding, ...]:
    """What keeps this text, a title or a body, from being published; each word once, rule by rule."""
    found: dict[tuple[PublicRule, str], LintFinding] = {}
    for rule, word in _words(text, never_say):
        found.setdefault((rule, word), LintFinding(rule=rule, word=word))
    return tuple(found.values())


def lint_message(title: str, body: str, *, never_say: Sequence[str] = ()) -> tuple[LintFinding, ...]:
    """The same for title and body together: the body says what users notice in its first two sentences."""
    found = dict.fromkeys((*lint(title, never_say=never_say), *lint(body, never_say=never_say)))
    beginning = [part for part in _SENTENCE.split(body.strip()) if part.strip()][:_FIRST]
    if not any(_IMPACT.search(part) for part in beginning):
        first = beginning[0] if beginning else ""
        found[LintFinding(rule=PublicRule.IMPACT_FIRST, word=first)] = None
    return tuple(found)


def _words(text: str, never_say: Sequence[str]) -> Iterator[tuple[PublicRule, str]]:
    read = readings(text)
    if any(redact(reading) != reading for reading in read):
        yield PublicRule.SECRET, ""
    for rule, patterns in _PATTERNS.items():
        for pattern in patterns:
            for reading in read:
                for match in re.finditer(pattern, reading):
                    yield rule, match.group()
    skeletons = [skeleton(reading) for reading in read] if never_say else []
    for word in filter(skeleton, never_say):
        if said := re.search(rf"(?<!\w){_spaced(plain(word))}(?!\w)", read[0], re.IGNORECASE):
            yield PublicRule.NEVER_SAY, said.group()
        elif any(re.search(word_pattern(word), each) for each in skeletons):
            yield PublicRule.NEVER_SAY, word


def _spaced(word: str) -> str:
    """The pattern of some words, however many spaces or lines are between them: a page shows them as one."""
    return r"\s+".join(map(re.escape, word.split()))
