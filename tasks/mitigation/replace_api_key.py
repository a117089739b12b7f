"""The runbook's remedy for 401: put the new key into the Secret and restart the pods.

The new key comes from a Prefect `Secret` block, so that nobody types it into a form; the one before stays in
the same Secret under another name, so that it can be put back and never leaves the cluster.
"""

import base64
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from blocks.errors import Refused
from blocks.posthog import well_formed
from blocks.secret import read_secret
from runbook.actions import ChangePlan
from runbook.diff import unified_diff
from runbook.patches import EFFECT_ANNOTATION, PREVIOUS_SUFFIX, restart_patch
from runbook.readings import ProbeOutcome
from tasks.effects import Receipt
from tasks.mitigation.base import Change, Step
from tasks.mitigation.deployment import affected, blocked, restart_step, versions


class ReplaceApiKey:
    """Replace the key, provided that PostHog rejects the present one and accepts the new one."""

    async def preview(self, change: Change) -> ChangePlan:
        """The Secret (masked) and the Deployment, before and after."""
        cluster = change.environment.cluster
        new_key = await replacement_key(change)
        present = await cluster.read_api_key()
        if reason := await _objection(change, present, new_key):
            return blocked(change, reason)
        version = await cluster.read_secret_version()
        await self._write(change, present, new_key, version=version, dry_run=True)
        deployment = await cluster.read_deployment()
        restarted = await cluster.patch_deployment(
            restart_patch(change.since, effect_id=f"{change.effect_id}/restart"), dry_run=True
        )
        secret = f"Secret {cluster.secret_name}"
        before = {cluster.secret_key: present} if present else {}
        diffs = (
            unified_diff(_manifest(before), _manifest(self._data(change, present, new_key)), name=secret),
            unified_diff(deployment, restarted, name=change.action.target),
        )
        return ChangePlan(
            action=change.action,
            diff="\n".join(diffs),
            affects=(f"{secret}, key {cluster.secret_key}", *affected(deployment)),
            resource_versions={"secret": version, **versions(deployment)},
        )

    def steps(self, change: Change) -> tuple[Step, ...]:
        """First the Secret, compared and set on its resourceVersion; then the restart."""
        cluster = change.environment.cluster
        target = f"Secret {cluster.secret_name}"

        async def observe() -> Receipt | None:
            present, new_key = await cluster.read_api_key(), await replacement_key(change)
            return {"secret": cluster.secret_name} if present == new_key else None

        async def act() -> Receipt:
            version = await cluster.read_secret_version()
            present, new_key = await cluster.read_api_key(), await replacement_key(change)
            written = await self._write(change, present, new_key, version=version)
            return {"secret": cluster.secret_name, "resource_version": written}

        replace = Step("secret", target, f"replace {cluster.secret_key} in {target}", observe, act)
        return (replace, restart_step(change))

    async def _write(
        self,
        change: Change,
        present: SecretStr | None,
        new_key: SecretStr,
        *,
        version: str,
        dry_run: bool = False,
    ) -> str:
        return await change.environment.cluster.patch_secret(
            self._data(change, present, new_key),
            resource_version=version,
            annotations={EFFECT_ANNOTATION: f"{change.effect_id}/secret"},
            dry_run=dry_run,
        )

    def _data(self, change: Change, present: SecretStr | None, new_key: SecretStr) -> dict[str, SecretStr]:
        name = change.environment.cluster.secret_key
        return {name: new_key} | ({f"{name}{PREVIOUS_SUFFIX}": present} if present else {})


async def replacement_key(change: Change) -> SecretStr:
    """The new key from its Prefect Secret block.

    Raises:
        Refused: there is no such block.
    """
    name = change.environment.runbook_policy.policy.replacement_key_block
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
    block = f"Secret block {change.environment.runbook_policy.policy.replacement_key_block!r}"
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


def _manifest(data: Mapping[str, SecretStr]) -> dict[str, Any]:
    """What the Secret's data look like, for a diff that masks them."""
    encoded = {name: base64.b64encode(key.get_secret_value().encode()).decode() for name, key in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "data": encoded}
