"""The runbook's remedy for 401: put the new key into the Secret and restart the pods.

The new key comes from a Prefect `Secret` block, so that nobody types it into a form; the one before stays in
the same Secret under another name, so that it can be put back and never leaves the cluster.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import SecretStr

from blocks.kubernetes.cluster import Cluster
from blocks.kubernetes.rollout import available_pods
from blocks.kubernetes.secret import SecretKeys
from blocks.transport.errors import Conflict, Refused
from runbook.actions.catalogue import FINGERPRINT, ChangePlan
from runbook.actions.specs.replace_api_key import REPLACE_API_KEY
from runbook.incidents.effect_ids import EffectId
from runbook.kubernetes.diff import changed_lines, manifest_text, unified_diff
from runbook.kubernetes.keepers import foretold
from runbook.kubernetes.ownership import SOMEBODY
from runbook.kubernetes.patches import EFFECT_ANNOTATION, PREVIOUS_SUFFIX, last_effect
from runbook.kubernetes.reversals import Reversal
from tasks.actions.changes.base import Change, Mitigations, Step
from tasks.actions.changes.binding import fingerprint, place_of, require_bound
from tasks.actions.changes.key_marks import (
    NEW_KEY,
    PRESENT_KEY,
    PREVIOUS_KEY,
    key_fingerprint,
    key_mark,
    key_reversal,
)
from tasks.actions.changes.replacement_key import objection, replacement_key, unread_reason
from tasks.actions.changes.workload import (
    PAUSED,
    WORKLOAD,
    affected,
    blocked,
    earlier_fingerprint,
    in_place,
    look_for_room,
    restart_patch,
    restart_step,
    spec_fingerprint,
    unchanged,
    version_of,
)
from tasks.effects import SINCE, Observe, Receipt

SECRET = "Secret"  # noqa: S105  its name in a plan, not its value

_LOOK = "Check it again"

Keys = dict[str, SecretStr | None]
"""Keys of the Secret's data with their values; `None` is one that is not, or no longer, there."""


class ReplaceApiKey:
    """Replace the key, provided that PostHog rejects the present one and accepts the new one."""

    async def preview(self, change: Change) -> ChangePlan:
        """The Secret (masked) and the workload, before and after."""
        cluster, new_key = change.environment.cluster, await replacement_key(change)
        secret = await cluster.secret.read_keys()
        present = secret.values.get(cluster.secret_key)
        if reason := await unread_reason(change, secret) or await objection(change, present, new_key):
            return blocked(change, reason)
        bound = {PRESENT_KEY: _mark(change, present)}
        return await _plan(change, secret, _replaced(change, secret, new_key), key=new_key, bound=bound)

    def steps(self, change: Change, plan: ChangePlan) -> tuple[Step, ...]:
        """First the Secret, compared and set on its resourceVersion; then the restart.

        The key that is in place is compared with the one that was approved, not with the one that the block
        holds by then.
        """

        async def keys(secret: SecretKeys) -> Keys:
            new_key = await replacement_key(change)
            if _fingerprint(change, new_key) != plan.basis[NEW_KEY]:
                block = f"Secret block {change.policy.replacement_key_block!r}"
                raise Conflict("Prefect", f"{block} contains a different key than the approved one", _LOOK)
            return _replaced(change, secret, new_key)

        async def observe() -> Receipt | None:
            return await _in_place(change, plan.basis[NEW_KEY])

        return (_secret_step(change, plan, observe, keys, "replace"), restart_step(change, plan))

    async def preview_undo(self, change: Change, done: ChangePlan) -> ChangePlan:
        """The previous key back in its place, if the key is still the one that was put there.

        The block is not read: whatever it contains now, the key to restore is in the cluster.
        """
        secret = await change.environment.cluster.secret.read_keys()
        present, previous = _kept(change, secret)
        added = done.bound.get(PRESENT_KEY) == _mark(change, None)
        if added and present is None:
            return in_place(change, "there was no such key before, and there is none now")
        if previous is None and not added:
            return in_place(
                change, "no previous key is kept in the cluster: it was restored, or there was none"
            )
        if present is None or _fingerprint(change, present) != done.basis[NEW_KEY]:
            return blocked(change, "somebody has changed the key since, which is kept")
        if _mark(change, previous) != done.bound.get(PRESENT_KEY, _mark(change, previous)):
            return blocked(change, "the previous key in the cluster is not the one that was replaced")
        bound = {PREVIOUS_KEY: _mark(change, previous)}
        return await _plan(change, secret, _put_back(change, previous), key=present, bound=bound)

    def undo_steps(self, change: Change, plan: ChangePlan, done: ChangePlan) -> tuple[Step, ...]:  # noqa: ARG002  the previous key is in the cluster only
        """First the Secret, then the restart."""

        async def keys(secret: SecretKeys) -> Keys:
            _, previous = _kept(change, secret)
            if previous is None and plan.bound.get(PREVIOUS_KEY) != _mark(change, None):
                raise Refused(
                    "Kubernetes", "the previous key is gone", "Create a new key and save it in the Secret"
                )
            require_bound(plan, {PREVIOUS_KEY: _mark(change, previous)})
            return _put_back(change, previous)

        async def observe() -> Receipt | None:
            if PREVIOUS_KEY in plan.bound:
                return await _in_place(change, plan.bound[PREVIOUS_KEY].removeprefix(FINGERPRINT))
            _, previous = _kept(change, await change.environment.cluster.secret.read_keys())
            return None if previous else {"secret": change.environment.cluster.secret_name}

        return (_secret_step(change, plan, observe, keys, "put back"), restart_step(change, plan))

    async def reversal(self, cluster: Cluster, plan: ChangePlan) -> Reversal | None:
        """Whether the key has changed."""
        return await key_reversal(cluster, plan)


MITIGATIONS: Mitigations = {REPLACE_API_KEY: ReplaceApiKey()}


async def _plan(
    change: Change, secret: SecretKeys, keys: Keys, *, key: SecretStr, bound: Mapping[str, str]
) -> ChangePlan:
    """Dry-run both requests; the basis has a salted fingerprint of the new key, which is random and long."""
    cluster, deployment = change.environment.cluster, await change.environment.cluster.workload.read()
    if deployment["spec"].get("paused"):
        return blocked(change, PAUSED)
    await _write(change, keys, version=secret.version, dry_run=True)
    patch = restart_patch(change, version=version_of(deployment))
    restarted = await cluster.changes.patch_workload(patch, dry_run=True)
    room = await look_for_room(change, deployment, restarted)
    if room.blocked:
        return blocked(change, room.blocked)
    before = {name: secret.values.get(name) for name in keys}
    name = f"Secret {cluster.secret_name}"
    objects = ((_manifest(before), _manifest(keys), name), (deployment, restarted, change.action.target))
    return ChangePlan(
        action=change.action,
        diff="\n".join(unified_diff(old, new, name=named) for old, new, named in objects),
        changes="\n".join(changed_lines(old, new) for old, new, _ in objects),
        affects=(
            f"{name}, key {cluster.secret_key}",
            *foretold(secret.as_object, ("f:data", f"f:{cluster.secret_key}")),
            *await affected(cluster, deployment),
            *room.affects,
        ),
        live=manifest_text(deployment),
        basis={
            SECRET: _content(change, secret),
            NEW_KEY: _fingerprint(change, key),
            WORKLOAD: spec_fingerprint(deployment),
        },
        earlier={SECRET: secret.version, WORKLOAD: earlier_fingerprint(deployment)},
        resource_versions={SECRET: secret.version, WORKLOAD: version_of(deployment)},
        bound={**await place_of(change, deployment), **_whose(change), **bound},
        available=available_pods(deployment),
    )


def _secret_step(
    change: Change,
    plan: ChangePlan,
    observe: Observe,
    keys: Callable[[SecretKeys], Awaitable[Keys]],
    verb: str,
) -> Step:
    cluster = change.environment.cluster
    target = f"Secret {cluster.secret_name}"

    async def seen() -> Receipt | None:
        require_bound(plan, _whose(change))
        return await observe()

    async def act() -> Receipt:
        await unchanged(change, plan)  # or the key would be in place and its restart refused
        require_bound(plan, _whose(change))
        secret = await cluster.secret.read_keys()
        written = await keys(secret)
        version = await _write(change, written, version=_version(change, plan, secret))
        return {"secret": cluster.secret_name, "resource_version": version}

    async def traces() -> Receipt | None:
        noted = last_effect((await cluster.secret.read_keys()).as_object)
        return {"secret": cluster.secret_name, SINCE: SOMEBODY} if noted == _effect(change) else None

    return Step("secret", target, f"{verb} {cluster.secret_key} in {target}", seen, act, traces)


def _effect(change: Change) -> EffectId:
    return EffectId.of_step(change.effect_id, "secret")


def _version(change: Change, plan: ChangePlan, secret: SecretKeys) -> str:
    """The version that the Secret is written on: its own as long as it has the content of the plan.

    A plan of an earlier release is bound to the version that it was made on.

    Raises:
        Conflict: somebody has changed one of its values since.
    """
    if not plan.basis[SECRET].startswith(FINGERPRINT):
        return plan.resource_versions[SECRET]
    if plan.basis[SECRET] != _content(change, secret):
        name = change.environment.cluster.secret_name
        raise Conflict("Kubernetes", f"Secret {name} has changed since the plan was made", _LOOK)
    return secret.version


def _content(change: Change, secret: SecretKeys) -> str:
    """Stands for all values of the Secret; what else is written on it, as by an operator, is none of them."""
    each = {name: _fingerprint(change, value) for name, value in secret.values.items()}
    return fingerprint(each)


async def _write(change: Change, keys: Keys, *, version: str, dry_run: bool = False) -> str:
    return await change.environment.cluster.changes.patch_secret(
        keys,
        resource_version=version,
        annotations={EFFECT_ANNOTATION: _effect(change)},
        dry_run=dry_run,
    )


async def _in_place(change: Change, fingerprint: str) -> Receipt | None:
    """Whether the key in the cluster is the one with this fingerprint."""
    cluster = change.environment.cluster
    present = (await cluster.secret.read_keys()).values.get(cluster.secret_key)
    there = _mark(change, present) == f"{FINGERPRINT}{fingerprint}"
    return {"secret": cluster.secret_name} if there else None


def _replaced(change: Change, secret: SecretKeys, new_key: SecretStr) -> Keys:
    """The new key in its place; the one before, and no other, is kept beside it."""
    name = change.environment.cluster.secret_key
    kept = f"{name}{PREVIOUS_SUFFIX}"
    present = secret.values.get(name)
    return {name: new_key, kept: present} if present or kept in secret.values else {name: new_key}


def _put_back(change: Change, previous: SecretStr | None) -> Keys:
    """The previous key in its place; without one the key is removed, as it was added."""
    name = change.environment.cluster.secret_key
    return {name: previous, f"{name}{PREVIOUS_SUFFIX}": None}


def _kept(change: Change, secret: SecretKeys) -> tuple[SecretStr | None, SecretStr | None]:
    """The present key and the one before."""
    name = change.environment.cluster.secret_key
    return secret.values.get(name), secret.values.get(f"{name}{PREVIOUS_SUFFIX}")


def _whose(change: Change) -> dict[str, str]:
    """Which key of which Secret it is."""
    cluster = change.environment.cluster
    return {"secret key": f"{cluster.namespace}/{cluster.secret_name}, {cluster.secret_key}"}


def _mark(change: Change, key: SecretStr | None) -> str:
    return key_mark(change.environment.cluster, key)


def _fingerprint(change: Change, key: SecretStr) -> str:
    return key_fingerprint(change.environment.cluster, key)


def _manifest(data: Mapping[str, SecretStr | None]) -> dict[str, Any]:
    """What the Secret's data look like, for a diff that masks them."""
    present = {name: key.get_secret_value() for name, key in data.items() if key is not None}
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in present.items()}
    return {"apiVersion": "v1", "kind": "Secret", "data": encoded}
