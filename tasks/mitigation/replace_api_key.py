"""The runbook's remedy for 401: put the new key into the Secret and restart the pods.

The new key comes from a Prefect `Secret` block, so that nobody types it into a form; the one before stays in
the same Secret under another name, so that it can be put back and never leaves the cluster.
"""

import base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic import SecretStr

from blocks.errors import Refused
from blocks.posthog import well_formed
from blocks.secret import read_secret
from runbook.actions import ChangePlan
from runbook.diff import manifest_text, unified_diff
from runbook.patches import EFFECT_ANNOTATION, PREVIOUS_SUFFIX
from runbook.readings import ProbeOutcome
from tasks.effects import Receipt
from tasks.mitigation.base import Change, Step
from tasks.mitigation.workload import (
    PAUSED,
    WORKLOAD,
    affected,
    blocked,
    in_place,
    restart_patch,
    restart_step,
    spec_fingerprint,
    unchanged,
    version_of,
)

SECRET = "Secret"  # noqa: S105  its name in a plan, not its value

Keys = dict[str, SecretStr | None]
"""Keys of the Secret's data with their values; `None` is one that is not, or no longer, there."""


class ReplaceApiKey:
    """Replace the key, provided that PostHog rejects the present one and accepts the new one."""

    async def preview(self, change: Change) -> ChangePlan:
        """The Secret (masked) and the workload, before and after."""
        new_key, present = await replacement_key(change), await change.environment.cluster.read_api_key()
        if reason := await _objection(change, present, new_key):
            return blocked(change, reason)
        return await _plan(change, _replaced(change, present, new_key))

    def steps(self, change: Change, plan: ChangePlan) -> tuple[Step, ...]:
        """First the Secret, compared and set on its resourceVersion; then the restart."""

        async def keys() -> Keys:
            new_key, present = await replacement_key(change), await change.environment.cluster.read_api_key()
            return _replaced(change, present, new_key)

        async def observe() -> Receipt | None:
            cluster = change.environment.cluster
            present, new_key = await cluster.read_api_key(), await replacement_key(change)
            return {"secret": cluster.secret_name} if present == new_key else None

        return (_secret_step(change, plan, observe, keys, "replace"), restart_step(change, plan))

    async def preview_undo(self, change: Change, done: ChangePlan) -> ChangePlan:
        """The previous key back in its place, if the key is still the one that was put there."""
        cluster = change.environment.cluster
        present, previous = await cluster.read_api_key(), await _previous(change)
        if _fingerprint(change, await replacement_key(change)) != done.basis["replacement key"]:
            return blocked(
                change, "the Secret block holds another key by now: put the right one back by hand"
            )
        if previous is None:
            return in_place(change, "no previous key is kept in the cluster: it is back, or there was none")
        if present != await replacement_key(change):
            return blocked(change, "somebody has changed the key since, which is kept")
        return await _plan(change, _put_back(change, previous))

    def undo_steps(self, change: Change, plan: ChangePlan, done: ChangePlan) -> tuple[Step, ...]:  # noqa: ARG002  the previous key is in the cluster only
        """First the Secret, then the restart."""

        async def keys() -> Keys:
            previous = await _previous(change)
            if previous is None:
                raise Refused("Kubernetes", "the previous key is gone", "Make a new key and put it in place")
            return _put_back(change, previous)

        async def observe() -> Receipt | None:
            return None if await _previous(change) else {"secret": change.environment.cluster.secret_name}

        return (_secret_step(change, plan, observe, keys, "put back"), restart_step(change, plan))


async def _plan(change: Change, keys: Keys) -> ChangePlan:
    """Dry-run both requests; the basis has a salted fingerprint of the new key, which is random and long."""
    cluster = change.environment.cluster
    version, deployment = await cluster.read_secret_version(), await cluster.read_deployment()
    if deployment["spec"].get("paused"):
        return blocked(change, PAUSED)
    await _write(change, keys, version=version, dry_run=True)
    patch = restart_patch(change, version=version_of(deployment))
    restarted = await cluster.patch_deployment(patch, dry_run=True)
    before = {name: await cluster.read_api_key(name) for name in keys}
    secret = f"Secret {cluster.secret_name}"
    diffs = (
        unified_diff(_manifest(before), _manifest(keys), name=secret),
        unified_diff(deployment, restarted, name=change.action.target),
    )
    return ChangePlan(
        action=change.action,
        diff="\n".join(diffs),
        affects=(f"{secret}, key {cluster.secret_key}", *await affected(cluster, deployment)),
        live=manifest_text(deployment),
        basis={
            SECRET: version,
            "replacement key": _fingerprint(change, await replacement_key(change)),
            WORKLOAD: spec_fingerprint(deployment),
        },
        resource_versions={SECRET: version, WORKLOAD: version_of(deployment)},
    )


def _secret_step(change: Change, plan: ChangePlan, observe: Any, keys: Any, verb: str) -> Step:
    cluster = change.environment.cluster
    target = f"Secret {cluster.secret_name}"

    async def act() -> Receipt:
        await unchanged(change, plan)  # or the key would be in place and its restart refused
        written = await _write(change, await keys(), version=plan.resource_versions[SECRET])
        return {"secret": cluster.secret_name, "resource_version": written}

    return Step("secret", target, f"{verb} {cluster.secret_key} in {target}", observe, act)


async def _write(change: Change, keys: Keys, *, version: str, dry_run: bool = False) -> str:
    return await change.environment.cluster.patch_secret(
        keys,
        resource_version=version,
        annotations={EFFECT_ANNOTATION: f"{change.effect_id}/secret"},
        dry_run=dry_run,
    )


def _replaced(change: Change, present: SecretStr | None, new_key: SecretStr) -> Keys:
    name = change.environment.cluster.secret_key
    kept: Keys = {f"{name}{PREVIOUS_SUFFIX}": present} if present else {}
    return {name: new_key, **kept}


def _put_back(change: Change, previous: SecretStr) -> Keys:
    name = change.environment.cluster.secret_key
    return {name: previous, f"{name}{PREVIOUS_SUFFIX}": None}


async def _previous(change: Change) -> SecretStr | None:
    cluster = change.environment.cluster
    return await cluster.read_api_key(f"{cluster.secret_key}{PREVIOUS_SUFFIX}")


async def replacement_key(change: Change) -> SecretStr:
    """The new key from its Prefect Secret block.

    Raises:
        Refused: there is no such block.
    """
    name = change.policy.replacement_key_block
    key = await read_secret(name)
    if key is None:
        raise Refused(
            "Prefect",
            f"there is no Secret block {name!r}",
            "Create a key in the PostHog dashboard and save it in a Secret block of this name",
        )
    return key


async def _objection(change: Change, present: SecretStr | None, new_key: SecretStr) -> str | None:
    """Why the key should not be replaced: it is fine as it is, or the new one is no better."""
    posthog = change.environment.posthog
    block = f"Secret block {change.policy.replacement_key_block!r}"
    if present == new_key:
        return f"{block} holds the key that is in use already; put the new key into it"
    if flaw := well_formed(new_key.get_secret_value()):
        return f"the key in {block} cannot be right: {flaw}"
    if present is not None:
        probed = await posthog.probe(present, "the cluster's Secret")
        if probed.outcome is ProbeOutcome.ACCEPTED:
            return "PostHog accepts the present key: there is nothing to replace"
    probed = await posthog.probe(new_key, block)
    if probed.outcome is not ProbeOutcome.ACCEPTED:
        return f"PostHog does not accept the key in {block}: {probed.outcome.replace('_', ' ')}"
    return None


def _fingerprint(change: Change, key: SecretStr) -> str:
    """Tells two keys apart and nothing else: salted by the cluster's target, and cut short."""
    salt = change.environment.cluster.target
    return sha256(f"{salt}\n{key.get_secret_value()}".encode()).hexdigest()[:16]


def _manifest(data: Mapping[str, SecretStr | None]) -> dict[str, Any]:
    """What the Secret's data look like, for a diff that masks them."""
    present = {name: key.get_secret_value() for name, key in data.items() if key is not None}
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in present.items()}
    return {"apiVersion": "v1", "kind": "Secret", "data": encoded}
