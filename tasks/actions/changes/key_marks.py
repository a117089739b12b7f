"""What a plan knows of the keys in the Secret, and whether the new one still is there."""

from hashlib import sha256

from pydantic import SecretStr

from blocks.kubernetes.cluster import Cluster
from runbook.actions.catalogue import FINGERPRINT, ChangePlan
from runbook.kubernetes.ownership import last_written
from runbook.kubernetes.reversals import Reversal

NEW_KEY = "replacement key"
PRESENT_KEY = "present key"
PREVIOUS_KEY = "previous key"
"""What the keys are called in a plan, which has a fingerprint of each."""


def key_mark(cluster: Cluster, key: SecretStr | None) -> str:
    """What a plan binds of a key that is in the cluster."""
    return FINGERPRINT + ("none" if key is None else key_fingerprint(cluster, key))


def key_fingerprint(cluster: Cluster, key: SecretStr) -> str:
    """Tells two keys apart and nothing else: salted by the cluster's target, and cut short."""
    return sha256(f"{cluster.target}\n{key.get_secret_value()}".encode()).hexdigest()[:16]


async def key_reversal(cluster: Cluster, plan: ChangePlan) -> Reversal | None:
    """How the key that the plan has set was replaced since; `None` while it stands.

    Raises:
        OutsideError: the target cannot be read.
    """
    secret = await cluster.secret.read_keys()
    name = cluster.secret_key
    present = key_mark(cluster, secret.values.get(name))
    if present == FINGERPRINT + plan.basis[NEW_KEY]:
        return None
    put_back = present == plan.bound.get(PRESENT_KEY)
    what = "the replaced key again" if put_back else "another key"
    return Reversal(
        writing=last_written(secret.as_object, ("f:data", f"f:{name}")),
        detail=f"{name} in Secret {cluster.secret_name} is {what}",
        put_back=put_back,
    )
