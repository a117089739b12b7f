"""What the readers of e-mails and of Teams got, against what the journal says that they were sent.

Pure: it reads the incident and what its world says to be true. An e-mail names its effect; a message in Teams
names nothing, so these are counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from deployments.drill.run.judge import Difference
from runbook.incidents.effects import EffectOutcome
from runbook.incidents.incident import Incident

_MAIL = ("email", "email-support")
_TEAMS = {"teams": "team", "teams-support": "support"}


def told_readers(facts: Mapping[str, Any]) -> dict[str, str]:
    """How many messages reached whom, as text for people."""
    mails = Counter(", ".join(mail["to"]) for mail in facts["mails"])
    told = {
        "e-mail": ", ".join(f"{number} to {readers}" for readers, number in mails.items()),
        "Teams": ", ".join(f"{number} to {name}" for name, number in facts["teams"].items() if number),
    }
    return {name: text or "nothing" for name, text in told.items()}


def judge_readers(incident: Incident, facts: Mapping[str, Any]) -> list[Difference]:
    """Where a message is missing that counts as sent, or has arrived twice; an empty list is a pass."""
    arrived = Counter(str(mail["effect"]) for mail in facts["mails"])
    sent = [effect for kind in _MAIL for effect in _sent(incident, kind)]
    wrong = [effect for effect in sent if arrived[effect] != 1]
    wrong += [effect for effect, times in arrived.items() if times > 1 and effect not in wrong]
    found = [
        Difference(what=f"e-mail {effect}", expected="once", actual=f"{arrived[effect]} times")
        for effect in wrong
    ]
    for kind, channel in _TEAMS.items():
        told, posted = len(list(_sent(incident, kind))), facts["teams"][channel]
        if posted < told:
            what = f"Teams, the {channel}"
            found.append(Difference(what=what, expected=f"{told} posted", actual=f"{posted} posted"))
    return found


def _sent(incident: Incident, kind: str) -> Iterator[str]:
    """The ids of the messages that the journal calls sent in a channel."""
    return (
        effect.id
        for effect in incident.effects.values()
        if effect.kind == kind and effect.outcome is EffectOutcome.APPLIED
    )
