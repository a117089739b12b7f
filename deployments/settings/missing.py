"""What a team has not configured, and what follows from it. Nothing of it keeps anything from starting."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deployments.receiver.authentication import is_open
from deployments.settings.clicks import missing_clicks
from deployments.settings.settings import Settings
from runbook.actions.spec import Risk
from runbook.approvals.identity import Proof
from runbook.decision.severity import Severity
from runbook.policy.policy import Policy

if TYPE_CHECKING:
    from blocks.environment import Environment
    from blocks.kubernetes.cluster import Cluster
    from blocks.self_watch import SelfWatch


@dataclass(frozen=True)
class Missing:
    """One thing that is not there. `name` is short, `what` and `so` are sentences."""

    name: str
    what: str
    so: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.what}: {self.so}. {self.next_step}."


def missing(settings: Settings, systems: "Environment") -> list[Missing]:
    """All that is not there. The gravest is first."""
    return [
        *missing_sources(settings),
        *missing_channels(systems),
        *_clicks(settings, systems),
        *missing_cluster(systems.cluster),
        *missing_watch(systems.self_watch),
        *missing_people(settings.policy),
    ]


def missing_sources(settings: Settings) -> Iterator[Missing]:
    """Whether any alert is accepted."""
    if not any(is_open(source.name, settings.receiver) for source in settings.receiver.paths.values()):
        yield Missing("sources", "No alert source is open", "every alert is refused", "Set [receiver] token")


def missing_channels(systems: "Environment") -> Iterator[Missing]:
    """Who is told, and who is not."""
    callers, speakers = systems.paging_channels, systems.speakers
    if not callers and not speakers:
        so = "when the runbook needs a person, nobody can be told"
        yield Missing("channels", "No pager and no channel", so, "Set [pager], [slack], [email] or [teams]")
    elif not callers:
        kinds = ", ".join(speaker.kind for speaker in speakers)
        so = f"pages reach the channel only ({kinds}), and wake nobody"
        yield Missing("pager", "No pager", so, "Set [pager]")
    elif not speakers:
        asked = systems.status_page_publisher and _asks_about_texts(systems.runbook_policy.policy)
        so = f"the team is told nothing but pages{', and not asked about public texts' if asked else ''}"
        yield Missing("channel", "No channel", so, "Set [slack]")
    if systems.status_page_publisher is None:
        advice = "Set [status_page_publisher] if you have one"
        yield Missing("own status page", "No status page of your own", "customers are told nothing", advice)


def _asks_about_texts(policy: Policy) -> bool:
    """Whether a severity is published whose texts need a yes."""
    return any(policy.publishes(each) and each not in policy.publish_without_asking for each in Severity)


def _clicks(settings: Settings, systems: "Environment") -> Iterator[Missing]:
    if told := missing_clicks(settings.receiver, settings.policy, systems.slack):
        yield Missing("Slack clicks", *told)


def missing_cluster(cluster: "Cluster") -> Iterator[Missing]:
    """Whether there are credentials for the cluster; they are not tried."""
    path = cluster.credentials.kubeconfig_path
    if path is not None and not any(Path(part).expanduser().exists() for part in path.split(":")):
        what = f"No cluster (there is no kubeconfig at {path})"
        so = "triage does not see the workload, and nothing can be changed"
        yield Missing("cluster", what, so, "Set `kubeconfig` in [cluster]")


def missing_watch(watch: "SelfWatch | None") -> Iterator[Missing]:
    """What would go unnoticed if the runbook itself stopped."""
    if watch is None:
        so = "if the runbook itself stops, nobody is told"
        yield Missing("self-watch", "No self-watch", so, "Set [self_watch]")
    elif watch.ping_url is None and watch.alertmanager_url is None:
        so = "if the worker and the receiver both stop, nobody is told"
        yield Missing("self-watch", "A self-watch without a ping", so, "Set [self_watch] ping_url")


def missing_people(policy: Policy) -> Iterator[Missing]:
    """Whether the settings know who may approve, and what an empty list means for a high-risk change."""
    if policy.people:
        return
    advice = "List people in [policy.people] to require another person"
    rule = policy.rule_for(Risk.HIGH)
    if rule.count == 1 and len(rule.approvers) < 2 and (not rule.proofs or Proof.OS_PEER in rule.proofs):
        so = "an account on the receiver's machine may approve alone, also what it started by hand"
    else:
        so = "whoever starts a response by hand cannot approve its high-risk changes"
    yield Missing("people", "Nobody is listed in [policy.people]", so, advice)
