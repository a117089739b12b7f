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
    """

    name: str
    title: str
    translate: Callable[[Any, str], list[Alert]]
