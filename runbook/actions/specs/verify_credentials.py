"""The runbook's "verify API key is set"."""

from runbook.actions.spec import SECRET, ActionKind, ActionName, ActionSpec, Right

VERIFY_CREDENTIALS = ActionSpec(
    name=ActionName("verify_credentials"),
    title="Verify the API key",
    kind=ActionKind.INSPECTION,
    success="the key is present, well formed and accepted by PostHog",
    rights=(Right("get", SECRET),),
)
