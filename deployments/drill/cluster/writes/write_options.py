"""The options of a write: whether it is a dry run, how strictly it is read, and who makes it."""

from dataclasses import dataclass, field

from deployments.drill.cluster.objects import JsonObject
from deployments.drill.cluster.writes.managed_fields import Writer

CONTROLLERS = Writer("kube-controller-manager")


@dataclass
class WriteOptions:
    """The options of a write, and the server's warnings about it.

    `validation` is the request's fieldValidation: Strict refuses unknown fields, Warn reports them in
    `warnings`. `writer` is who owns what the write changes; its managers are `managers` where they are given.
    """

    dry_run: bool = False
    validation: str = "Warn"
    writer: Writer = CONTROLLERS
    managers: list[JsonObject] | None = None
    warnings: list[str] = field(default_factory=list)
