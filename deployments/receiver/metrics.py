"""The receiver's metrics, in Prometheus' format: what came in, what was refused, what waits."""

from collections import Counter as Counted
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from runbook.alerts.episodes import Meaning
from runbook.alerts.intake import Message, Received

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class ReceiverMetrics:
    """The metrics of one receiver. Times are seconds."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        own = self._registry
        self.accepted = Counter(
            "runbook_notifications_accepted", "Requests answered with 2xx.", ["source"], registry=own
        )
        self.refused = Counter(
            "runbook_notifications_refused",
            "Requests that were rejected.",
            ["source", "reason"],
            registry=own,
        )
        self.alerts = Counter(
            "runbook_alerts",
            "Messages about alerts: began, ended, repeated, late, replayed, unrouted.",
            ["source", "turn"],
            registry=own,
        )
        self.joined = Counter(
            "runbook_alerts_joined", "Alerts that joined an open incident.", ["source"], registry=own
        )
        self.opened = Counter("runbook_incidents_opened", "Incidents opened.", ["source"], registry=own)
        self.seconds = Histogram(
            "runbook_notification_seconds",
            "From the request to its answer.",
            ["source"],
            buckets=_SECONDS,
            registry=own,
        )
        self.unstarted = Gauge(
            "runbook_incidents_unstarted", "Open incidents that no run works on yet.", registry=own
        )
        self.oldest_unstarted = Gauge(
            "runbook_oldest_unstarted_incident_seconds", "Age of the oldest of them.", registry=own
        )
        self.gates = Gauge("runbook_runs_waiting_for_approval", "Runs that wait for a person.", registry=own)
        self.oldest_gate = Gauge(
            "runbook_oldest_approval_request_seconds", "How long the oldest of them waits.", registry=own
        )
        self.untold = Gauge(
            "runbook_incidents_nobody_told",
            "Open incidents in which a person is needed and no pager and no channel took the message.",
            registry=own,
        )
        self.shed = Counter(
            "runbook_connections_shed", "Connections that the receiver closed.", ["reason"], registry=own
        )
        self.store_writable = Gauge(
            "runbook_store_writable", "Whether the last write to the store succeeded.", registry=own
        )
        self.prefect_up = Gauge(
            "runbook_prefect_up", "Whether Prefect answered the last time it was asked.", registry=own
        )

    def watch_queue(self, waiting: Callable[[], float]) -> None:
        """Show the number of messages that are not durable yet."""
        Gauge(
            "runbook_intake_queue_messages", "Messages that are not durable yet.", registry=self._registry
        ).set_function(waiting)

    def watch_connections(self, inside: Callable[[], float]) -> None:
        """Show the number of open connections."""
        Gauge("runbook_connections_open", "Open connections.", registry=self._registry).set_function(inside)

    def watch_slack_socket(self) -> Gauge:
        """Show whether Slack can reach us over the socket. Without Socket Mode it would be never."""
        return Gauge(
            "runbook_slack_socket_up", "Whether the socket at Slack is open.", registry=self._registry
        )

    def watch_self(self) -> Gauge:
        """Show when a round of the self-watch last went well. Without a self-watch it would be never."""
        return Gauge(
            "runbook_self_watch_last_success_timestamp_seconds",
            "When a synthetic alert last got from the intake to a decision; 0 means never.",
            registry=self._registry,
        )

    def count(self, messages: Sequence[Message], received: Sequence[Received]) -> None:
        """Count messages that are durable; each kind at once, since finding its counter takes longest."""
        pairs = list(zip(messages, received, strict=True))
        meanings = Counted((message.alert.source, one.meaning) for message, one in pairs)
        for (source, meaning), number in meanings.items():
            self.alerts.labels(source, meaning.value if meaning else "replayed").inc(number)
        began = Counted(
            (message.alert.source, one.opened) for message, one in pairs if one.meaning is Meaning.BEGAN
        )
        for (source, opened), number in began.items():
            (self.opened if opened else self.joined).labels(source).inc(number)

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self._registry)
