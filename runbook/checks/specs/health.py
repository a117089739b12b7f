"""Does our integration say that it is healthy?"""

from datetime import datetime
from typing import TYPE_CHECKING

from runbook.checks.facts import Facts, RecordedFacts
from runbook.checks.findings import Finding, Status
from runbook.checks.health import Health, health_of, says_well
from runbook.checks.readings import HealthReading, Title
from runbook.checks.spec import CheckName, CheckSpec
from runbook.decision.leaves import Verdict

if TYPE_CHECKING:  # it names checks itself
    from runbook.policy.policy import Policy


class HealthFacts(Facts):
    """The word that the integration says of itself, `None` where it says none, and what the word means."""

    http_status: int | None = None
    status: Title | None = None
    health: Health | None = None


def judge_health(reading: HealthReading, *, policy: "Policy", now: datetime) -> Finding:
    """The integration's own word; without a known one it is unknown, unless the server itself failed."""
    health = health_of(reading.status, healthy_words=policy.healthy_words)
    answered = f"HTTP {reading.http_status}"
    if says_well(reading.status, reading.http_status, healthy_words=policy.healthy_words):
        status, summary = Status.OK, f"says {reading.status}"
    elif health is not Health.UNKNOWN:
        status, summary = Status.BAD, f"says {reading.status} ({answered})"
    elif reading.http_status >= 500:
        status, summary = Status.BAD, f"answers {answered}"
        summary += f" and says {reading.status}" if reading.status else ""
    elif reading.status:
        status, summary = Status.UNKNOWN, f"says {reading.status} ({answered}), which is not conclusive"
    else:
        status, summary = Status.UNKNOWN, f"{answered} without a PostHog status"
    return Finding(
        check=HEALTH.name,
        status=status,
        summary=f"{summary}: {reading.detail}" if reading.detail else summary,
        facts=RecordedFacts.of(
            HealthFacts(http_status=reading.http_status, status=reading.status, health=health)
        ),
        source=reading.url,
        observed_at=now,
    )


HEALTH = CheckSpec[HealthFacts, HealthReading](
    name=CheckName("health"),
    title="Health",
    order=20,
    question="Does our integration say that it is healthy?",
    hope="our integration says that it is healthy",
    asked="the integration",
    facts=HealthFacts,
    judge=lambda reading, policy, now: judge_health(reading, policy=policy, now=now),
    lasting=frozenset(Verdict),
)
