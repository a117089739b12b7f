"""The runbook's remedy for 401: a new key, and a restart."""

import shlex
from typing import TYPE_CHECKING

from runbook.actions.spec import (
    CHANGES_WORKLOAD,
    SECRET,
    ActionKind,
    ActionName,
    ActionSpec,
    ByHand,
    Proof,
    Right,
    Risk,
)
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.probe import PROBE
from runbook.kubernetes.patches import PREVIOUS_SUFFIX

if TYPE_CHECKING:
    from runbook.actions.by_hand import Target
    from runbook.actions.catalogue import ChangePlan
    from runbook.policy.policy import Policy


def _by_hand(target: "Target", _policy: "Policy") -> list[str]:
    """The new key is read without an echo into a file named after it, so it is in no shell's history."""
    made = f"create secret generic {target.secret_name} --from-file={target.secret_key}"
    merged = f"patch secret {target.secret_name} --type=merge --patch-file=/dev/stdin"
    return [
        f'read -rs NEW && printf %s "$NEW" > {shlex.quote(target.secret_key)}',
        f"{target.kubectl(made)} --dry-run=client -o json | {target.kubectl(merged)}",
        f"rm {shlex.quote(target.secret_key)}",
        target.kubectl(f"rollout restart {target.reference}"),
        target.kubectl(f"rollout status {target.reference}"),
    ]


def _undo_by_hand(_done: "ChangePlan", target: "Target") -> list[str]:
    """The key is copied within the cluster and never shown."""
    copy = (
        f'[{{"op":"copy","from":"/data/{target.secret_key}{PREVIOUS_SUFFIX}",'
        f'"path":"/data/{target.secret_key}"}}]'
    )
    return [
        target.kubectl(f"patch secret {target.secret_name} --type=json -p='{copy}'"),
        target.kubectl(f"rollout restart {target.reference}"),
    ]


REPLACE_API_KEY = ActionSpec(
    name=ActionName("replace_api_key"),
    title="Replace the API key and restart",
    kind=ActionKind.CHANGE,
    risk=Risk.HIGH,
    success="PostHog accepts the new key, all pods run with it, errors fall under the threshold",
    proof=Proof(checks=(PROBE, ERROR_RATE)),
    undo="restore the previous key (kept in the cluster) and restart",
    reversible=True,
    undo_by_hand=_undo_by_hand,
    by_hand=ByHand(
        when=(
            "401 or 403: replace the API key. The first line reads the new key without showing or storing it:"
        ),
        commands=_by_hand,
    ),
    rights=(Right("get", SECRET), Right("patch", SECRET), *CHANGES_WORKLOAD),
)
