"""Alerts whose service is none that the runbook may act for: which these are, and what people are told."""

from collections.abc import Sequence

from runbook.alerts.episodes import AlertRecord
from runbook.channels.wording import count
from runbook.value import Value

NAMED = 5
"""How many alerts are named; of the rest, only how many they are."""


class Routing(Value):
    """Which services an environment acts for, and which belong to others.

    `known` are its own; without any, every service but those `elsewhere` is taken for one of them.
    `elsewhere` has the environment of each service of another one. `setting` is where people change it.
    """

    known: frozenset[str] = frozenset()
    elsewhere: dict[str, str] = {}
    setting: str = "[receiver] known_services"

    def is_ours(self, service: str) -> bool:
        """Whether an alert of that service may open an incident on this environment's target."""
        return service not in self.elsewhere and (not self.known or service in self.known)

    def why_not(self, service: str) -> str:
        """Why an alert of that service opens none here, for its sender."""
        if environment := self.elsewhere.get(service):
            return f"{service} belongs to the environment {environment}, and nobody responds to it here"
        return f"{service} is none of {self.setting}"


EVERY_SERVICE = Routing()
"""An environment that has not said which services are its own."""


def unrouted_text(service: str, alerts: Sequence[AlertRecord], routing: Routing) -> str:
    """One sentence for the channel, and what to do about it."""
    names = list(dict.fromkeys(alert.name or alert.key for alert in alerts))
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    said = f"📭 {count(len(alerts), 'alert')} of {service}: {', '.join(names[:NAMED])}{rest}. "
    if environment := routing.elsewhere.get(service):
        return (
            f"{said}That service belongs to the environment {environment}, and nobody responds to it here. "
            f"Send its alerts to the receiver of {environment}; “runbook alerts --unrouted” lists all"
        )
    return (
        f"{said}This runbook does not act for that service, so nobody responds to it here. Add it to "
        f"{routing.setting}, or send it elsewhere; “runbook alerts --unrouted” lists all"
    )
