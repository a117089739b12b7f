"""The runbook's POSTHOG_FALLBACK=true: work without PostHog while it fails."""

from runbook.actions.by_hand import switch_on_command
from runbook.actions.spec import (
    CHANGES_WORKLOAD,
    ActionKind,
    ActionName,
    ActionSpec,
    ByHand,
    Proof,
    Risk,
    TemporarySwitch,
)
from runbook.channels.public_impact import PublicImpact
from runbook.checks.specs.error_rate import ERROR_RATE
from runbook.checks.specs.health import HEALTH

DISABLE_FALLBACK = ActionSpec(
    name=ActionName("disable_fallback"),
    title="Disable the fallback",
    kind=ActionKind.CHANGE,
    risk=Risk.MEDIUM,
    success="the rollout finishes and the error rate stays under the threshold",
    proof=Proof(checks=(ERROR_RATE, HEALTH)),
    undo="restore the previous value of the switch",
    reversible=True,
    rights=CHANGES_WORKLOAD,
)

ENABLE_FALLBACK = ActionSpec(
    name=ActionName("enable_fallback"),
    title="Enable the fallback (graceful degradation)",
    kind=ActionKind.CHANGE,
    risk=Risk.MEDIUM,
    success="the rollout finishes and the error rate falls under the threshold",
    proof=Proof(checks=(ERROR_RATE,), holds_requests_back=True),
    undo="restore the previous value of the switch",
    reversible=True,
    by_hand=ByHand(
        when="500 or 503: enable the fallback:",
        commands=lambda target, policy: [switch_on_command(policy.fallback_switch, target)],
    ),
    switch=TemporarySwitch(
        off=DISABLE_FALLBACK,
        setting=lambda policy: policy.fallback_switch,
        impact="events and feature flags may be delayed: the fallback is on",
        public=PublicImpact.DELAYED,
        still_on="the fallback is still on",
    ),
    rights=CHANGES_WORKLOAD,
)
