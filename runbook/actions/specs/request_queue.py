"""The runbook's RATE_LIMIT_MODE=queue: queue requests while PostHog limits their rate."""

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

DISABLE_REQUEST_QUEUE = ActionSpec(
    name=ActionName("disable_request_queue"),
    title="Stop queueing requests to PostHog",
    kind=ActionKind.CHANGE,
    risk=Risk.MEDIUM,
    success="the rollout finishes and the error rate stays under the threshold",
    proof=Proof(checks=(ERROR_RATE, HEALTH)),
    undo="restore the previous value of the switch",
    reversible=True,
    rights=CHANGES_WORKLOAD,
)

ENABLE_REQUEST_QUEUE = ActionSpec(
    name=ActionName("enable_request_queue"),
    title="Queue requests to PostHog",
    kind=ActionKind.CHANGE,
    risk=Risk.MEDIUM,
    success="the rollout finishes and the rate of 429 falls under the threshold",
    proof=Proof(checks=(ERROR_RATE,), errors_like="429", holds_requests_back=True),
    undo="restore the previous value of the switch",
    reversible=True,
    by_hand=ByHand(
        when="429: queue the requests:",
        commands=lambda target, policy: [switch_on_command(policy.queue_switch, target)],
    ),
    switch=TemporarySwitch(
        off=DISABLE_REQUEST_QUEUE,
        setting=lambda policy: policy.queue_switch,
        impact="events may be delayed: requests to PostHog are queued",
        public=PublicImpact.DELAYED,
        still_on="requests are still queued",
    ),
    rights=CHANGES_WORKLOAD,
)
