"""The paper runbook: this incident's values in commands that can be pasted, and no secret."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runbook.actions.by_hand import Target
from runbook.actions.specs.roll_back import ROLL_BACK
from runbook.evidence.paper import Places, paper_runbook
from runbook.incidents import events as e
from runbook.incidents.effects import EffectOutcome
from runbook.policy.policy import Policy
from tests.drill.cluster_bench import APP, DEPLOYMENT, LABELS, Bench, bench, deployment, env_patch
from tests.drill.kubectl import kubectl_for
from tests.runbook.journals import ALERT, FALLBACK, OPENED, PLAN, effect, every_event, incident

PLACES = Places(
    target=Target(
        namespace="default",
        kind="deployment",
        name=APP,
        container="app",
        secret_name="posthog-secrets",
        secret_key="api-key",
    ),
    selector=f"app={APP}",
    status_page_url="https://status.example/",
    health_url="https://api.example/health?deep=1&x='",
    prometheus_url="http://prometheus.example",
    error_rate_query="sum by (status) (rate(posthog_errors_total[5m]))",
    errors_metric="posthog_errors_total",
    ingest_url="https://us.i.example",
    slack_channel="#incidents",
)


def paper(*events: e.Event) -> str:
    """The paper runbook of an incident, five minutes after its opening."""
    return paper_runbook(incident(*events), PLACES, Policy(), at=OPENED + timedelta(minutes=5))


def template(bench: Bench) -> dict[str, Any]:
    """What the workload's pods are made of."""
    made: dict[str, Any] = bench.cluster.get("Deployment", APP)["spec"]["template"]["spec"]
    return made


def commands(text: str) -> list[str]:
    """Every line of shell in it."""
    blocks = re.findall(r"```sh\n(.*?)\n```", text, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_it_tells_the_incident_and_every_step_of_the_runbook() -> None:
    """Who reads it knows nothing else: what is known, what to look at, to do, to say and to keep."""
    text = paper(*every_event())
    for words in (
        ALERT.summary,
        "PostHog outage",
        "https://status.example/",
        "rollout undo",
        "RATE_LIMIT_MODE=queue",
        "POSTHOG_FALLBACK=true",
        "patch secret posthog-secrets",
        "#incidents",
        "-logs.txt",
        "&step=15",
    ):
        assert words in text


def test_it_is_written_before_anything_is_known() -> None:
    """The incident was opened a moment ago, and everything else is away."""
    assert "not decided yet" in paper()


def test_an_effect_that_may_have_happened_is_told_as_such_and_how_to_undo_it() -> None:
    """Whoever goes on by hand must not do it twice."""
    made = effect(EffectOutcome.APPLIED).model_copy(update={"id": f"inc-20261122-1500/{FALLBACK.id}/set"})
    intended = made.model_copy(update={"outcome": None})
    text = paper(e.ActionPreviewed(plan=PLAN, since=OPENED), e.EffectIntended(effect=intended))
    assert "STARTED, and it is not known whether it happened" in text
    assert f"To undo what the runbook did ({FALLBACK.spec.title})" in text


def test_every_command_is_one_that_a_shell_can_read() -> None:
    """Values with quotes and ampersands included."""
    script = "\n".join(commands(paper(*every_event())))
    checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_prometheus_may_have_a_query_of_its_own() -> None:
    """The tenant's name stays in the address, behind the question."""
    places = PLACES.model_copy(update={"prometheus_url": "http://prometheus.example/p/?tenant=a"})
    text = paper_runbook(incident(*every_event()), places, Policy(), at=OPENED)
    asked = [line for line in commands(text) if "prometheus.example" in line]
    assert len(asked) == 2
    assert all("http://prometheus.example/p/api/v1/query" in line for line in asked)
    assert all(line.partition("'")[2].partition("'")[0].endswith("&tenant=a") for line in asked)


def test_no_secret_gets_onto_paper() -> None:
    """What a sender put into its alert is masked here, too."""
    secret = "phx_" + "s" * 40
    leaky = ALERT.model_copy(update={"summary": f"key {secret} refused"})
    text = paper_runbook(incident(alert=leaky), PLACES, Policy(), at=OPENED)
    assert secret not in text


STATEFUL = PLACES.model_copy(
    update={"target": PLACES.target.model_copy(update={"kind": "statefulset"}), "selector": "app=x y"}
)


@pytest.mark.parametrize("places", [PLACES, STATEFUL])
def test_a_roll_back_always_goes_to_a_revision_that_somebody_chose(places: Places) -> None:
    """Without a number kubectl takes the revision before the newest, which is often the bad one."""
    text = paper_runbook(incident(*every_event()), places, Policy(), at=OPENED)
    undoing = [line for line in commands(text) if "rollout undo" in line]
    assert undoing
    assert all("--to-revision=" in line for line in undoing)


def test_a_roll_back_names_the_revision_that_the_runbook_chose() -> None:
    """The runbook has looked at the revisions already."""
    action = FALLBACK.model_copy(update={"name": ROLL_BACK.name})
    plan = PLAN.model_copy(update={"action": action, "to_revision": "1"})
    told = paper(e.ActionPreviewed(plan=plan, since=OPENED))
    assert f"kubectl -n default rollout undo deployment/{APP} --to-revision=1" in commands(told)


@pytest.mark.real
async def test_its_kubectl_commands_show_and_choose_a_revision(tmp_path: Path) -> None:
    """The first revision serves, the second pulls no image, and a restart has made a third of that."""
    async with bench(None, deployment()) as cluster:
        await cluster.until(cluster.complete)
        good = template(cluster)
        await cluster.patch(DEPLOYMENT, env_patch("LOG_LEVEL", "debug"))
        await cluster.until(cluster.complete)
        await cluster.patch(DEPLOYMENT, env_patch("LOG_LEVEL", "trace"))
        await cluster.until(cluster.complete)
        kubectl = kubectl_for(cluster, tmp_path)
        lines = commands(paper())
        shown = next(line for line in lines if "get replicasets" in line)
        answer = await kubectl(shown)
        rows = [line.split() for line in answer.out.splitlines()]
        assert (answer.code, rows[0]) == (0, ["REVISION", "READY", "MADE", "IMAGES"])
        assert [row[0] for row in rows[1:]] == ["1", "2", "3"]
        undo = next(line for line in lines if "rollout undo" in line)
        assert (await kubectl(f"REVISION= ; {undo}")).code != 0
        assert (await kubectl(f"REVISION=1; {undo}")).code == 0
        assert template(cluster) == good


@pytest.mark.real
async def test_its_kubectl_commands_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The switches are set and taken off, and the pods start with the key of the file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "api-key").write_text("phc_new")
    wanted = [
        line for line in commands(paper()) if "kubectl" in line and not re.search(r"logs|rollout undo", line)
    ]
    async with bench(None, deployment()) as cluster:
        await cluster.until(cluster.complete)
        kubectl = kubectl_for(cluster, tmp_path)
        answers = [(line, await kubectl(line)) for line in wanted]
        assert [(line, answer.err) for line, answer in answers if answer.code] == []
        assert {pod.env["POSTHOG_API_KEY"] for pod in cluster.cluster.pods(LABELS)} == {"phc_new"}
        assert not any("phc_" in answer.out + answer.err for _, answer in answers)
