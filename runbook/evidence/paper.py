"""The paper runbook: one incident's steps to go on by hand, where Prefect, Slack or the cluster is away.

The seed runbook's commands with this incident's values. It stands by itself: whoever reads it needs kubectl,
curl and their own rights, and nothing of ours. It holds no secret: keys come from files that people have.
"""

import shlex
from datetime import datetime
from urllib.parse import urlencode

from runbook.actions.by_hand import (
    STATEFUL_SET,
    Target,
    revisions_command,
    switch_off_command,
    undo_commands,
)
from runbook.actions.catalogue import CATALOGUE
from runbook.actions.specs.roll_back import roll_back_command
from runbook.channels.wording import VERDICT_TITLES
from runbook.incidents.current_action import current_action
from runbook.incidents.incident import Incident
from runbook.policy.policy import Policy
from runbook.redaction import redact_secrets
from runbook.templates.environments import render_markdown
from runbook.value import Value

STEP_SECONDS = 15
"""Between two points of the metrics that are kept."""


class Places(Value):
    """Where everything is, as the settings say."""

    target: Target
    selector: str
    status_page_url: str
    health_url: str
    prometheus_url: str
    error_rate_query: str
    errors_metric: str
    ingest_url: str
    slack_channel: str = ""


def paper_runbook(incident: Incident, places: Places, policy: Policy, *, at: datetime) -> str:
    """The text, as Markdown. `at` (aware UTC) is when it is made; metrics are asked for until then."""
    target = places.target
    decision = incident.decision
    text = render_markdown(
        "paper.md.j2",
        incident=incident,
        places=places,
        target=target,
        at=at,
        verdict=VERDICT_TITLES[decision.verdict] if decision else "not decided yet",
        now_doing=current_action(incident),
        triage=_triage(places, policy),
        acts=_acts(target, policy),
        switch_off=[
            switch_off_command(spec.switch.setting(policy).variable, target)
            for spec in CATALOGUE.values()
            if spec.switch is not None
        ],
        chosen=[roll_back_command(target, number) for number in _chosen_revisions(incident)],
        stateful=target.kind == STATEFUL_SET,
        undo={
            plan.action.spec.title: undo_commands(plan, target)
            for plan in incident.previews.values()
            if incident.has_begun(plan.action)
        },
        evidence=_evidence(incident, places, policy, at),
        window=policy.evidence_window_seconds,
    )
    return redact_secrets(text) + "\n"


def _triage(places: Places, policy: Policy) -> dict[str, str]:
    """The runbook's four checks."""
    query = urlencode({"query": places.error_rate_query})
    logs = f"logs -l {shlex.quote(places.selector)} --all-containers --prefix --tail=-1"
    return {
        "PostHog's status page": f"curl -sS {shlex.quote(places.status_page_url)}",
        "Health of the integration": f"curl -sS -w '\\n%{{http_code}}\\n' {shlex.quote(places.health_url)}",
        "Error rate by status": f"curl -sS {shlex.quote(_asked(places, '/api/v1/query', query))}",
        "Recent error logs": places.target.kubectl(
            f"{logs} --since={policy.log_window_seconds}s | grep -i error | tail -20"
        ),
        "Pods": places.target.kubectl(f"get pods -l {shlex.quote(places.selector)} -o wide"),
        "Revisions, oldest first": revisions_command(places.target, places.selector),
        "PostHog answers": f"curl -sS -o /dev/null -w '%{{http_code}}\\n' {shlex.quote(places.ingest_url)}",
    }


def _asked(places: Places, path: str, query: str) -> str:
    """A question to Prometheus, whose address may have a query of its own, such as a tenant's name."""
    base, _, own = places.prometheus_url.partition("?")
    return f"{base.rstrip('/')}{path}?{query}{own and '&'}{own}"


def _acts(target: Target, policy: Policy) -> dict[str, list[str]]:
    """What a person types to act, under its line; in the order of the HTTP statuses that they begin with."""
    ways = sorted((spec.by_hand for spec in CATALOGUE.values() if spec.by_hand), key=lambda way: way.when)
    return {way.when: way.commands(target, policy) for way in ways}


def _chosen_revisions(incident: Incident) -> list[str]:
    """The number of the revision that the runbook itself would go back to, where it has looked."""
    planned = [plan for plan in incident.previews.values() if not incident.has_begun(plan.action)]
    return [plan.to_revision for plan in planned if plan.to_revision and not plan.blocked]


def _evidence(incident: Incident, places: Places, policy: Policy, at: datetime) -> list[str]:
    """Before it vanishes: the logs of every container, and the metrics from before the alert until now."""
    window = policy.evidence_window_seconds
    logs = f"logs -l {shlex.quote(places.selector)} --all-containers --prefix --tail=-1 --since={window}s"
    asked = urlencode(
        {
            "query": places.errors_metric,
            "start": f"{incident.opened_at.timestamp() - window:.0f}",
            "end": f"{at.timestamp():.0f}",
            "step": STEP_SECONDS,
        }
    )
    metrics = shlex.quote(_asked(places, "/api/v1/query_range", asked))
    return [
        places.target.kubectl(f"{logs} > {incident.id}-logs.txt"),
        f"curl -sS {metrics} > {incident.id}-metrics.json",
    ]
