"""A program that alerts come from: a value in the file of each."""

from collections.abc import Callable
from typing import Any

from runbook.alerts.alert import Alert
from runbook.value import Value


class Source(Value):
    """A program that sends alerts. `name` stands in addresses and journals, `title` is for people.

    `translate` takes the JSON value that was sent, of whatever type, and the service whose alerts these are
    where the payload names none (empty for none). It returns the alerts, or raises `UnreadablePayload` and
    nothing else.

    `paths` say where each field of an alert comes from, as in a mapping (`runbook.alerts.mapping.paths`), for
    people who want to know; `[*]` stands for the place of the alert, `{event}` for the type of the event.
    With `first_counts`, the first path that finds something is what is read.
    """

    name: str
    title: str
    translate: Callable[[Any, str], list[Alert]]
    paths: dict[str, tuple[str, ...]] = {}
    first_counts: bool = False
