"""What a payload of an alert would do at the receiver of a settings file, without a receiver or a store."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from deployments.cli.errors import CommandError, ExitCode
from deployments.cli.sources import read_settings
from deployments.receiver.authentication import is_open
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.sources.mapped import MappedSettings, mapped_source
from deployments.settings.settings import find_config
from runbook.alerts.alert import Alert
from runbook.alerts.explaining import ExplainedAlert, explain
from runbook.alerts.mapping.formats import FORMATS
from runbook.alerts.mapping.sns import ConfirmationWanted
from runbook.alerts.sources import EmptyAlerts, Source, UnreadablePayload
from runbook.alerts.unrouted import EVERY_SERVICE, Routing
from runbook.policy.policy import Policy
from runbook.value import Value

NO_ALERT = "it tells of no alert: nothing happens"
UNREADABLE = "unreadable alert"


class Explained(Value):
    """What reads a payload, and what each alert in it says.

    `open` says whether the source has a credential. `error` is why something of it cannot be read, `note`
    what else a person should know; both may be empty.
    """

    source: str
    path: str
    section: str
    open: bool
    alerts: tuple[ExplainedAlert, ...] = ()
    error: str = ""
    note: str = ""


@dataclass(frozen=True)
class _Receiver:
    """What the settings say, or would say without a file."""

    config: ReceiverSettings
    routing: Routing
    environment: str
    service: str

    def read(self, source: Source, payload: Any) -> list[Alert]:
        """The alerts, each of the service that the receiver takes it for."""
        default = self.config.default_service(source.name) if self.knows(source) else ""
        alerts = source.translate(payload, default or self.service)
        return [
            alert.model_copy(update={"service": self.config.service_here(alert.service)}) for alert in alerts
        ]

    def knows(self, source: Source) -> bool:
        """Whether it is one of the settings', and not a format that is only tried."""
        return source.name in {one.name for one in self.config.paths.values()}


def explained(body: bytes, *, source: str | None, format_name: str | None, config: Path | None) -> Explained:
    """What the payload says.

    Raises:
        CommandError: it is no JSON, is too long, or there is no such source or format.
    """
    receiver = _receiver(config)
    payload = _payload(body, receiver.config.max_body_bytes)
    path, chosen = _chosen(receiver, payload, source, format_name)
    known = receiver.knows(chosen)
    told = Explained(
        source=chosen.title,
        path=path,
        section=receiver.config.section_of(chosen.name) if known else f'format = "{chosen.name}"',
        open=not known or is_open(chosen.name, receiver.config),
    )
    try:
        alerts = receiver.read(chosen, payload)
    except ConfirmationWanted as wanted:
        topic = wanted.confirmation.topic
        return told.model_copy(update={"note": f"SNS asks to confirm {topic}: runbook alerts confirm-sns"})
    except EmptyAlerts as error:
        return told.model_copy(update={"note": f"{error}: the receiver refuses it"})
    except UnreadablePayload as error:
        return told.model_copy(
            update={"error": _unreadable(error, receiver), "note": _other_format(receiver, payload)}
        )
    if not alerts:
        return told.model_copy(update={"note": NO_ALERT})
    shown = explain(chosen, payload, alerts, routing=receiver.routing, environment=receiver.environment)
    broken = [alert.summary for alert in alerts if alert.name == UNREADABLE]
    return told.model_copy(update={"alerts": tuple(shown), "error": "; ".join(broken)})


def _receiver(config: Path | None) -> _Receiver:
    path = find_config(config)
    if path is None:
        return _Receiver(ReceiverSettings(), EVERY_SERVICE, "default", Policy().service)
    settings = read_settings(path, systems=False)
    return _Receiver(
        settings.receiver, settings.routing, settings.prefect.environment, settings.policy.service
    )


def _payload(body: bytes, most: int) -> Any:
    if len(body) > most:
        advice = "send fewer alerts at once, or set [receiver] max_body_bytes"
        problem = f"the payload is {len(body)} bytes long, and the receiver takes {most}"
        raise CommandError(problem, advice, code=ExitCode.USAGE)
    try:
        return orjson.loads(body)
    except ValueError:
        advice = "give the body of the request; at the receiver it would be an alert that cannot be read"
        raise CommandError("the payload is not JSON", advice, code=ExitCode.USAGE) from None


def _chosen(
    receiver: _Receiver, payload: Any, source: str | None, format_name: str | None
) -> tuple[str, Source]:
    paths = receiver.config.paths
    if format_name is not None:
        return f"/alerts/mapped/{format_name}", _of_format(format_name)
    if source is not None:
        found = [(path, one) for path, one in paths.items() if source in (one.name, path)]
        if not found:
            names = ", ".join(one.name for one in paths.values())
            raise CommandError(f"there is no source {source!r}", f"there are {names}", code=ExitCode.USAGE)
        return found[0]
    return max(paths.items(), key=lambda each: _fit(receiver, each[1], payload))


def _of_format(name: str) -> Source:
    try:
        return mapped_source(name, MappedSettings.model_validate({"format": name}))
    except ValidationError:
        names = ", ".join(FORMATS)
        raise CommandError(
            f"there is no format {name!r}", f"there are {names}", code=ExitCode.USAGE
        ) from None


def _fit(receiver: _Receiver, source: Source, payload: Any) -> tuple[int, int, int]:
    """How well a source reads the payload: at all, how many alerts, and how many fields of the first."""
    try:
        alerts = receiver.read(source, payload)
    except (ConfirmationWanted, EmptyAlerts):
        return 1, 0, 0
    except UnreadablePayload:
        return 0, 0, 0
    if not alerts:
        return 1, 0, 1
    shown = explain(source, payload, alerts[:1], routing=EVERY_SERVICE, environment="")
    fields = sum(one.path != "" and not one.path.startswith("(") for one in shown[0].fields)
    theirs = source.name == "grafana" and isinstance(payload, dict) and "orgId" in payload
    return 2, len(alerts), 2 * fields + theirs


def _unreadable(error: UnreadablePayload, receiver: _Receiver) -> str:
    service = receiver.service
    return f"cannot be read: {error}. At the receiver it would open an incident of {service} with the body"


def _other_format(receiver: _Receiver, payload: Any) -> str:
    """A format that would read it, if there is one."""
    name = next(_reading(receiver, payload), "")
    return f'format = "{name}" reads it: set it in [receiver.plain], or try --format {name}' if name else ""


def _reading(receiver: _Receiver, payload: Any) -> Iterator[str]:
    for name in FORMATS:
        try:
            if receiver.read(_of_format(name), payload):
                yield name
        except UnreadablePayload:
            continue
