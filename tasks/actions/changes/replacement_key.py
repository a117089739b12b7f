"""The new API key: where it comes from, and whether it should take the place of the present one."""

from pydantic import SecretStr

from blocks.kubernetes.secret import SecretKeys
from blocks.posthog import well_formed
from blocks.secret import read_secret
from blocks.transport.errors import Refused
from runbook.checks.readings import ProbeResult
from runbook.kubernetes.secret_uses import unread_because, uses_of
from tasks.actions.changes.base import Change


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


async def unread_reason(change: Change, secret: SecretKeys) -> str | None:
    """Why no pod would notice the new key: the settings name a Secret or a key that nothing reads."""
    cluster = change.environment.cluster
    uses = uses_of((await cluster.workload.read())["spec"]["template"], cluster.secret_name)
    reason = unread_because(uses, cluster.secret_name, cluster.secret_key, secret.values)
    return reason and f"{reason}. Correct `secret_name` and `secret_key` in [cluster]"


async def objection(change: Change, present: SecretStr | None, new_key: SecretStr) -> str | None:
    """Why the key should not be replaced: it is fine as it is, or the new one is no better."""
    posthog = change.environment.posthog
    block = f"Secret block {change.policy.replacement_key_block!r}"
    if present == new_key:
        return f"{block} contains the key that is already in use; save the new key in it"
    if flaw := well_formed(new_key.get_secret_value()):
        return f"the key in {block} cannot be valid: {flaw}"
    if present is not None:
        probed = await posthog.probe(present, "the cluster's Secret")
        if probed.outcome is ProbeResult.ACCEPTED:
            return "PostHog accepts the present key: there is nothing to replace"
    probed = await posthog.probe(new_key, block)
    if probed.outcome is not ProbeResult.ACCEPTED:
        return f"PostHog does not accept the key in {block}: {probed.outcome.replace('_', ' ')}"
    return None
