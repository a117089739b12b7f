"""What is true in a world now, as the drill shows it and the tests check it. Holds no secret."""

import json
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from deployments.drill.cluster import RecordedRequest
from deployments.drill.world.integration.pods import LABELS, Pod
from deployments.drill.world.keys import Keys

if TYPE_CHECKING:
    from deployments.drill.world.world import World

_RATE_SECONDS = 2.0
_SWITCHES = ("POSTHOG_FALLBACK", "RATE_LIMIT_MODE")


def world_state(world: "World") -> dict[str, Any]:
    """Return the faults in force, and what every system shows of itself."""
    systems = world.systems
    return {
        "scenario": world.scenario.name,
        "now": world.clock().isoformat(),
        "began_at": world.began_at.isoformat() if world.began_at else None,
        "started_at": world.started_at.isoformat(),
        "faults": world.faults.model_dump(mode="json"),
        "history": world.history,
        "status_page_incident": systems.status_page.ongoing.model_dump()
        if systems.status_page.ongoing
        else None,
        "keys": {
            name: systems.posthog.accepts(getattr(world.keys, name).get_secret_value())
            for name in ("project_key", "replacement_project_key")
        },
        "pods": [_pod(pod, world.keys) for pod in systems.cluster.pods(LABELS)],
        "integration": {"health": systems.integration.health(), "per_second": _rates(world)},
        "slack_messages": len(systems.slack.messages),
        "slack_told": {
            user: systems.slack.people.told_to(user)
            for user in {each["user"] for each in systems.slack.people.told}
        },
        "statuspage_incidents": [_brief(i, "status") for i in systems.statuspage_api.incidents],
        "incident_io_incidents": [
            _brief(i, "incident_status") for i in systems.incident_io.status_page_incidents
        ],
        "mails": [
            {"to": mail.readers, "subject": mail.subject, "effect": mail.effect}
            for mail in systems.mail.taken
        ],
        "teams": {name: len(workflow.posted) for name, workflow in systems.teams.items()},
        "pages": [
            {"dedup_key": p.dedup_key, "state": p.state, "summary": p.summary}
            for p in systems.pagerduty.pages
        ],
    }


def cluster_requests(requests: Iterable[RecordedRequest], keys: Keys) -> list[dict[str, Any]]:
    """Return the requests to the cluster in the form of the other systems' records.

    A key of the world, plain or as a secret's base64, reads there as ``<replacement_project_key>``: the
    cluster is where keys belong, so a search for leaks must not find them here.
    """
    return [
        {
            "at": request.at.isoformat(),
            "system": "cluster",
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "headers": {},
            "authenticated_as": request.user,
            "body": _named(request.body, keys),
            "status": request.status,
        }
        for request in requests
    ]


def _named(body: Any, keys: Keys) -> Any:
    if not isinstance(body, (dict, list)):
        return body
    text = json.dumps(body)
    for name in Keys.model_fields:
        key: str = getattr(keys, name).get_secret_value()
        text = text.replace(key, f"<{name}>").replace(b64encode(key.encode()).decode(), f"<{name}>")
    return json.loads(text)


def _pod(pod: Pod, keys: Keys) -> dict[str, Any]:
    env = pod.env
    names = {
        keys.project_key.get_secret_value(): "project_key",
        keys.replacement_project_key.get_secret_value(): "replacement_project_key",
    }
    started: datetime = pod.started_at
    return {
        "name": pod.name,
        "ready": pod.ready,
        "restarts": pod.restarts,
        "started_at": started.isoformat(),
        "key": names.get(env.get("POSTHOG_API_KEY", ""), "other"),
        "env": {name: env[name] for name in _SWITCHES if name in env},
    }


def _rates(world: "World") -> dict[str, Any]:
    calls = world.systems.integration.exporter.recent(now=time.monotonic(), seconds=_RATE_SECONDS)
    failures = Counter(failure for failure in calls if failure is not None)
    return {
        "requests": len(calls) / _RATE_SECONDS,
        "errors": {status: count / _RATE_SECONDS for status, count in sorted(failures.items())},
    }


def _brief(incident: Mapping[str, Any], status: str) -> dict[str, Any]:
    return {"id": incident["id"], "name": incident["name"], "status": incident[status]}
