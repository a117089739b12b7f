"""The commands that make or undo a change by hand, for people who continue without the runbook."""

import shlex
from typing import TYPE_CHECKING

from runbook.actions.switch import Switch
from runbook.value import Value

STATEFUL_SET = "statefulset"
"""The resource type as kubectl names it."""
if TYPE_CHECKING:  # a plan knows its action's spec, which may take its commands from here
    from runbook.actions.catalogue import ChangePlan


class Target(Value):
    """Where the workload is. `kind` is the resource type for kubectl: `deployment` or `statefulset`."""

    namespace: str
    kind: str
    name: str
    container: str = ""
    secret_name: str = ""
    secret_key: str = ""

    def kubectl(self, words: str) -> str:
        """A command in the target's namespace."""
        return f"kubectl -n {self.namespace} {words}"

    @property
    def reference(self) -> str:
        """`deployment/posthog-integration`."""
        return f"{self.kind}/{self.name}"


def undo_commands(done: "ChangePlan", target: Target) -> tuple[str, ...]:
    """The commands, in order, that undo a change; the last one waits for the rollout."""
    look = target.kubectl(f"rollout status {target.reference}")
    if done.action.spec.undo_by_hand is not None:
        return (*done.action.spec.undo_by_hand(done, target), look)
    commands = [target.kubectl(_put_back(name, was, target)) for name, was in done.before.items()]
    return (*commands, look)


def deletion_commands(pod: str, target: Target) -> tuple[str, ...]:
    """The commands that delete a pod that blocks a rollout; the last one waits for the rollout."""
    return target.kubectl(f"delete pod {pod}"), target.kubectl(f"rollout status {target.reference}")


def revisions_command(target: Target, selector: str) -> str:
    """The command that lists the revisions, oldest first, with what distinguishes good from bad ones."""
    if target.kind == STATEFUL_SET:
        what, number, template = "controllerrevisions", ".revision", ".data.spec.template.spec"
        telling = "MARK:.metadata.name"
    else:
        what, template = "replicasets", ".spec.template.spec"
        number, telling = (
            r".metadata.annotations.deployment\.kubernetes\.io/revision",
            "READY:.status.readyReplicas",
        )
    shown = (
        f"REVISION:{number},{telling},MADE:.metadata.creationTimestamp,IMAGES:{template}.containers[*].image"
    )
    wanted = f"-l {shlex.quote(selector)} --sort-by='{number}' -o custom-columns='{shown}'"
    return target.kubectl(f"get {what} {wanted}")


def switch_on_command(switch: Switch, target: Target) -> str:
    """The command that turns a switch on."""
    container = f" -c {target.container}" if target.container else ""
    setting = shlex.quote(f"{switch.variable}={switch.value}")
    return target.kubectl(f"set env {target.reference}{container} {setting}")


def switch_off_command(variable: str, target: Target, done: "ChangePlan | None" = None) -> str:
    """The command that turns a switch off: its variable becomes what it was before `done`, as the runbook
    itself does it. Where that is not known, it is removed.
    """
    if done is not None and done.before:
        ((name, was),) = done.before.items()
        return target.kubectl(_put_back(name, was, target))
    container = f" -c {target.container}" if target.container else ""
    return target.kubectl(f"set env {target.reference}{container} {variable}-")


def _put_back(field: str, was: str | None, target: Target) -> str:
    """A field's name is `env NAME of CONTAINER`, `memory limit of CONTAINER` or `replicas`."""
    what, _, container = field.partition(" of ")
    if field == "replicas":
        return f"scale {target.reference} --replicas={was}"
    if what == "memory limit":
        return f"set resources {target.reference} -c {container} --limits=memory={was or 0}"
    variable = what.removeprefix("env ")
    setting = f"{variable}-" if was is None else shlex.quote(f"{variable}={was}")
    return f"set env {target.reference} -c {container} {setting}"
