"""The API key: present, well formed, accepted."""

from blocks.environment import Environment
from blocks.posthog import well_formed
from runbook.actions.catalogue import ActionOutcome
from runbook.actions.specs.verify_credentials import VERIFY_CREDENTIALS
from tasks.actions.inspections.base import Inspections


async def verify_credentials(environment: Environment) -> tuple[ActionOutcome, str]:
    """The runbook's "verify API key is set", and more: present, well formed, accepted by PostHog."""
    cluster = environment.cluster
    key = await cluster.secret.read_api_key()
    if key is None:
        return ActionOutcome.DONE, f"Secret {cluster.secret_name} has no {cluster.secret_key}"
    if flaw := well_formed(key.get_secret_value()):
        return ActionOutcome.DONE, f"the key is present but not well formed: {flaw}"
    reading = await environment.posthog.probe(key, f"Secret {cluster.secret_name}")
    answer = reading.outcome.replace("_", " ")
    words = f"the key is present and well formed; PostHog: {answer}"
    return ActionOutcome.DONE, f"{words} ({reading.detail})" if reading.detail else words


INSPECTIONS: Inspections = {VERIFY_CREDENTIALS: verify_credentials}
