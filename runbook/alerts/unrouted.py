"""Alerts whose service is none that the runbook may act for: which these are, and what people are told."""

from collections.abc import Sequence
from itertools import groupby

from runbook.alerts.episodes import AlertRecord
from runbook.channels.wording import count
from runbook.policy.permissions import Permissions
from runbook.value import Value

NAMED = 5
"""How many alerts, or services, are named; of the rest, only how many they are."""

MOST_TOLD = 1_000
"""Alerts of one message; what is beyond waits for the next."""

_NAME = 60
"""Characters of a name."""


class Routing(Value):
    """Which services an environment acts for, and which belong to others.

    `known` are its own; without any, every service but those `elsewhere` is taken for one of them.
    `elsewhere` has the environment of each service of another one. `served` are those of these environments
    that are responded for here as well, each with what its policy permits. `setting` is where people change
    it.
    """

    known: frozenset[str] = frozenset()
    elsewhere: dict[str, str] = {}
    served: dict[str, Permissions] = {}
    setting: str = "[receiver] known_services"

    def is_ours(self, service: str) -> bool:
        """Whether an alert of that service may open an incident on this environment's target."""
        return service not in self.elsewhere and (not self.known or service in self.known)

    def served_for(self, service: str) -> str:
        """The other environment in which an alert of that service opens an incident; empty for none."""
        environment = self.elsewhere.get(service, "")
        return environment if environment in self.served else ""

    def why_not(self, service: str) -> str:
        """Why an alert of that service opens none here, for its sender."""
        if environment := self.elsewhere.get(service):
            return f"{service} belongs to the environment {environment}, and nobody responds to it here"
        return f"{service} is none of {self.setting}"


EVERY_SERVICE = Routing()
"""An environment that has not said which services are its own."""


def unrouted_text(alerts: Sequence[AlertRecord], routing: Routing) -> str:
    """A sentence for the channel about alerts of one service or of several, and what to do about it."""
    alerts = sorted(alerts, key=lambda alert: alert.service)
    services = [(name, list(found)) for name, found in groupby(alerts, key=lambda alert: alert.service)]
    if len(services) == 1:
        whose, named = _short(services[0][0]), _named(alerts)
    else:
        whose = count(len(services), "service")
        told = [f"{_short(name)} ({_named(found, 1)}{_home(name, routing)})" for name, found in services]
        named = _listed(told, NAMED)
    more = "at least " if len(alerts) >= MOST_TOLD else ""
    said = f"📭 {more}{count(len(alerts), 'alert')} of {whose}: {named}. "
    if len(services) == 1 and (environment := routing.elsewhere.get(services[0][0])):
        return (
            f"{said}That service belongs to the environment {environment}, and nobody responds to it here. "
            f"Save {environment} in this Prefect with “runbook configure”, or send its alerts to its own "
            f"receiver; “runbook doctor” says what is missing, “runbook alerts --unrouted” lists all"
        )
    them = "that service" if len(services) == 1 else "them"
    return (
        f"{said}This runbook does not act for {them}, so nobody responds here. Add to {routing.setting} what "
        "is yours, or send it elsewhere; “runbook alerts --unrouted” lists all"
    )


def _home(service: str, routing: Routing) -> str:
    environment = routing.elsewhere.get(service)
    return f", of the environment {environment}" if environment else ""


def _named(alerts: Sequence[AlertRecord], most: int = NAMED) -> str:
    return _listed(list(dict.fromkeys(_short(alert.name or alert.key) for alert in alerts)), most)


def _listed(names: Sequence[str], most: int) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{rest}"


def _short(name: str) -> str:
    """A name of at most so many characters; it was masked when it came in."""
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
