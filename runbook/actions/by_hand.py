"""The commands that make or take back a change by hand, for whoever goes on without the runbook."""

import shlex
from typing import TYPE_CHECKING

from runbook.actions.switch import Switch
from runbook.value import Value

STATEFUL_SET = "statefulset"
"""kubectl's word for it."""
if TYPE_CHECKING:  # a plan knows its action's spec, which may take its commands from here
    from runbook.actions.catalogue import ChangePlan


class Target(Value):
    """Where the workload is. `kind` is kubectl's word for it: `deployment` or `statefulset`."""

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
    """What to type, in order, to take a change back; ends with a look at the rollout."""
    look = target.kubectl(f"rollout status {target.reference}")
    if done.action.spec.undo_by_hand is not None:
        return (*done.action.spec.undo_by_hand(done, target), look)
    commands = [target.kubectl(_put_back(name, was, target)) for name, was in done.before.items()]
    return (*commands, look)


def deletion_commands(pod: str, target: Target) -> tuple[str, ...]:
    """What to type to delete a pod that holds a rollout up; ends with a look at the rollout."""
    return target.kubectl(f"delete pod {pod}"), target.kubectl(f"rollout status {target.reference}")


def revisions_command(target: Target, selector: str) -> str:
    """What to type to see the revisions, oldest first, with what tells a good one from a bad one."""
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
    """What to type to turn a switch on."""
    container = f" -c {target.container}" if target.container else ""
    setting = shlex.quote(f"{switch.variable}={switch.value}")
    return target.kubectl(f"set env {target.reference}{container} {setting}")


def switch_off_command(variable: str, target: Target, done: "ChangePlan | None" = None) -> str:
    """What to type to take a temporary switch off: its variable is what it was before `done`, as the runbook
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
