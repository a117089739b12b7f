"""A switch of the integration: an environment variable that turns a behaviour on."""

from runbook.value import Value


class Switch(Value):
    """An environment variable of the integration that turns a behaviour on, as the runbook names it."""

    variable: str
    value: str
