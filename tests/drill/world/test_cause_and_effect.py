"""A world per family of incidents: what causes the errors, what ends them and what does not.

Everything is seen and done at the wire, as the runbook would.
"""

import asyncio
from pathlib import Path

import httpx
import pytest

from runbook.kubernetes.fields import EnvironmentVariable
from runbook.kubernetes.ownership import owners
from tests.drill.world_bench import (
    CURED_WITHIN_SECONDS,
    VISIBLE_WITHIN_SECONDS,
    cured,
    hands_on,
    visible,
    within,
)

pytestmark = pytest.mark.proof


async def test_an_expired_key_needs_a_new_one_and_new_pods(tmp_path: Path) -> None:
    """A new key in the secret cures nothing until the pods restart; capture never showed an error."""
    async with hands_on("expired-key", tmp_path) as hands:
        await visible(hands, "401")
        assert (await hands.health()).status_code == 503
        await hands.patch_secret(hands.at.replacement_project_key.get_secret_value())
        await asyncio.sleep(2.5)  # longer than errors take to stop: nothing may change
        assert (await hands.errors())["401"] > 5
        await hands.patch_deployment(restart=True)
        await cured(hands)
        state = await hands.state()
        assert {pod["key"] for pod in state["pods"]} == {"replacement_project_key"}
        recorded = (await hands.client.get(f"{hands.at.control_url}/requests?system=cluster")).json()
        (write,) = [request for request in recorded if request["path"].endswith("/secrets/posthog-secrets")]
        assert (write["method"], write["body"]) == (
            "PATCH",
            {"data": {"api-key": "<replacement_project_key>"}},
        )


async def test_a_restart_alone_does_not_cure_an_expired_key(tmp_path: Path) -> None:
    """New pods with the old key fail as the old ones did."""
    async with hands_on("expired-key", tmp_path) as hands:
        old = {pod["name"] for pod in (await hands.state())["pods"]}
        await hands.patch_deployment(restart=True)

        async def replaced() -> bool:
            pods = (await hands.state())["pods"]
            return len(pods) == 2 and not old & {pod["name"] for pod in pods}

        await within(4, replaced, "the pods are new")
        await asyncio.sleep(2.5)
        assert (await hands.errors())["401"] > 5


async def test_the_fallback_ends_the_errors_and_then_posthog_recovers(tmp_path: Path) -> None:
    """With the fallback nothing calls PostHog; seconds later the status page resolves its incident."""
    async with hands_on("posthog-outage", tmp_path) as hands:
        await visible(hands, "503")
        summary = f"{hands.at.status_page_url}/api/v1/summary"
        (incident,) = (await hands.client.get(summary)).json()["ongoing_incidents"]
        assert incident["current_worst_impact"] == "full_outage"
        await hands.patch_deployment(env={"POSTHOG_FALLBACK": "true"})
        await cured(hands)
        assert (await hands.health()).json()["mode"] == "fallback"

        async def silent() -> bool:
            return bool((await hands.state())["integration"]["per_second"]["requests"] == 0)

        await within(CURED_WITHIN_SECONDS + 2, silent, "no pod calls PostHog")

        async def resolved() -> bool:
            return not (await hands.client.get(summary)).json()["ongoing_incidents"]

        await within(5, resolved, "the status page resolves")
        history = (await hands.state())["history"]
        assert [entry["who"] for entry in history] == ["scenario", "PostHog", "PostHog"]


async def test_an_outage_goes_on_without_the_fallback(tmp_path: Path) -> None:
    """PostHog does not recover by itself: its recovery is caused by the fallback."""
    async with hands_on("posthog-outage", tmp_path) as hands:
        await asyncio.sleep(6)  # longer than the scenario's recovery takes from its cause
        assert (await hands.errors())["503"] > 15
        assert (await hands.state())["status_page_incident"] is not None


async def test_errors_that_no_status_page_lists(tmp_path: Path) -> None:
    """Six of ten calls fail with 500 while the status page is all well."""
    async with hands_on("unlisted-errors", tmp_path) as hands:
        await visible(hands, "500")
        summary = (await hands.client.get(f"{hands.at.status_page_url}/api/v1/summary")).json()
        assert summary["ongoing_incidents"] == []

        async def known() -> bool:  # the first second has too few calls for a share
            share = (await hands.health()).json()["services"]["posthog"]["error_share"]
            return bool(share == pytest.approx(0.6, abs=0.1))

        await within(5, known, "six of ten calls fail")
        await hands.patch_deployment(env={"POSTHOG_FALLBACK": "true"})
        await cured(hands)


async def test_a_missing_scope_waits_for_the_admin(tmp_path: Path) -> None:
    """Only a hand-off in Slack that names the scope makes the dashboard's admin add it."""
    async with hands_on("missing-scope", tmp_path) as hands:
        await visible(hands, "403")
        slack = {"Authorization": f"Bearer {hands.at.slack_token.get_secret_value()}"}

        async def say(text: str) -> None:
            body = {"channel": hands.at.slack_channel, "text": text}
            await hands.client.post(f"{hands.at.slack_url}chat.postMessage", json=body, headers=slack)

        await say("API key missing required scope 'feature_flag:read'")
        await asyncio.sleep(2)  # longer than the admin takes
        assert (await hands.errors())["403"] > 2
        await say("Ask the dashboard admin to give the API key the missing scope")
        await cured(hands, after=1 + CURED_WITHIN_SECONDS)
        assert (await hands.state())["history"][-1]["who"] == "dashboard admin"


async def test_a_queue_stays_below_the_limit(tmp_path: Path) -> None:
    """With RATE_LIMIT_MODE=queue the 429 stop though the limit is as it was."""
    async with hands_on("rate-limited", tmp_path) as hands:
        await visible(hands, "429")
        await hands.patch_deployment(env={"RATE_LIMIT_MODE": "queue"})
        await cured(hands)
        state = await hands.state()
        assert state["faults"]["posthog"]["limit_per_second"] == 8
        assert state["integration"]["health"]["mode"] == "queue"
        assert state["integration"]["per_second"]["requests"] > 2


async def test_a_raised_limit_ends_the_need_for_a_queue(tmp_path: Path) -> None:
    """PostHog's support raises the limit once it was asked; then full traffic passes without a queue."""
    async with hands_on("rate-limited", tmp_path) as hands:
        await visible(hands, "429")
        slack = {"Authorization": f"Bearer {hands.at.slack_token.get_secret_value()}"}
        body = {"channel": hands.at.slack_channel, "text": "Ask PostHog support for a higher rate limit"}
        await hands.client.post(f"{hands.at.slack_url}chat.postMessage", json=body, headers=slack)
        await cured(hands, after=1 + CURED_WITHIN_SECONDS)
        assert (await hands.state())["integration"]["per_second"]["requests"] > 15


async def test_what_git_has_is_put_back_until_git_has_something_else(tmp_path: Path) -> None:
    """The switch is gone in a moment, by the name of who did it; the same change in Git ends the errors."""
    async with hands_on("reverted-by-gitops", tmp_path) as hands:
        await visible(hands, "429")
        await hands.patch_deployment(env={"RATE_LIMIT_MODE": "queue"})
        cluster = hands.world.systems.cluster
        field = EnvironmentVariable(container=hands.at.container, variable="RATE_LIMIT_MODE")

        async def put_back() -> bool:
            return field.read(cluster.get("Deployment", hands.at.deployment)) == "direct"

        await within(2, put_back, "the switch is put back")
        live = cluster.get("Deployment", hands.at.deployment)
        assert [owner.manager for owner in owners(live, field.path)] == ["kustomize-controller"]
        patch = {"cluster": {"mode_in_git": "queue"}}
        await hands.world.change(patch, who="an engineer", what="merges")
        await cured(hands, after=1 + CURED_WITHIN_SECONDS)


async def test_a_queue_cures_only_half_of_mixed_errors(tmp_path: Path) -> None:
    """Of 429 and 503 the queue ends the first; the fallback ends both."""
    async with hands_on("mixed-errors", tmp_path) as hands:
        await visible(hands, "429", "503")
        await hands.patch_deployment(env={"RATE_LIMIT_MODE": "queue"})

        async def only_503() -> bool:
            return set(await hands.errors()) == {"503"}

        await within(CURED_WITHIN_SECONDS + 2, only_503, "the 429 stop")
        await hands.patch_deployment(env={"POSTHOG_FALLBACK": "true"})
        await cured(hands)


async def test_memory_runs_out_until_the_pods_are_new(tmp_path: Path) -> None:
    """The kubelet's restarts do not help, PostHog sees no error, and a rollout restart cures."""
    async with hands_on("out-of-memory", tmp_path) as hands:

        async def killed() -> bool:
            pods = (await hands.cluster.get("/api/v1/namespaces/default/pods")).json()["items"]
            statuses = [pod["status"]["containerStatuses"][0] for pod in pods]
            return all(
                (status.get("lastState") or {}).get("terminated", {}).get("reason") == "OOMKilled"
                and not status["ready"]
                for status in statuses
            )

        await within(VISIBLE_WITHIN_SECONDS, killed, "both pods were killed")
        health = await hands.health()
        assert (health.status_code, health.json()["services"]["posthog"]["status"]) == (503, "unhealthy")
        await asyncio.sleep(2)
        assert (await hands.health()).status_code == 503
        assert not await hands.errors()
        await hands.patch_deployment(restart=True)
        await cured(hands)


async def test_memory_recovers_when_the_leak_ends(tmp_path: Path) -> None:
    """Without the leak the killed containers come back by themselves."""
    async with hands_on("out-of-memory", tmp_path) as hands:
        await asyncio.sleep(1)
        assert (await hands.health()).status_code == 503
        await hands.client.post(f"{hands.at.control_url}/fault", json={"integration": {"leak": None}})
        await cured(hands, after=10)


async def test_a_bad_release_is_cured_by_the_one_before(tmp_path: Path) -> None:
    """The newest revision crash-loops, without an error from PostHog, until it is rolled back."""
    async with hands_on("bad-rollout", tmp_path) as hands:

        async def crashing() -> bool:
            health = await hands.health()
            return health.status_code == 503 and health.json()["services"]["workers"]["ready"] == 0

        await within(VISIBLE_WITHIN_SECONDS, crashing, "no pod is ready")
        assert not await hands.errors()
        await hands.patch_deployment(restart=True)
        await asyncio.sleep(2)
        assert await crashing()
        await hands.roll_back()
        await cured(hands, after=4)


async def test_a_bad_release_is_cured_by_somebodys_fix(tmp_path: Path) -> None:
    """A third revision takes the place of the crashing one, without anybody's roll back."""
    async with hands_on("fix-in-between", tmp_path) as hands:
        await hands.client.post(f"{hands.at.control_url}/fault", json={"cluster": {"fixed_release": True}})
        await cured(hands, after=10)
        sets = (await hands.cluster.get("/apis/apps/v1/namespaces/default/replicasets")).json()["items"]
        numbers = {one["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for one in sets}
        assert numbers == {"1", "2", "3"}


async def test_a_false_alarm_is_a_world_in_order(tmp_path: Path) -> None:
    """Nothing fails, the service is healthy, and the status page tells of another region only."""
    async with hands_on("false-alarm", tmp_path) as hands:
        await cured(hands)
        summary = (await hands.client.get(f"{hands.at.status_page_url}/api/v1/summary")).json()
        assert summary["ongoing_incidents"] == []
        (maintenance,) = summary["in_progress_maintenances"]
        assert {c["group_name"] for c in maintenance["affected_components"]} == {"EU Cloud 🇪🇺"}
        assert await hands.rates() == {}


async def test_a_blind_world_still_shows_its_errors_in_logs_and_health(tmp_path: Path) -> None:
    """Status page and both Prometheus drop the connection; logs, health and a probe still tell."""
    async with hands_on("blind", tmp_path) as hands:
        for url in (hands.at.status_page_url, hands.at.prometheus_url, hands.at.prometheus_backup_url):
            with pytest.raises(httpx.TransportError):
                await hands.client.get(url)

        async def logged() -> bool:
            return "status=503" in await hands.logs()

        await within(VISIBLE_WITHIN_SECONDS, logged, "the logs show it")
        assert (await hands.health()).status_code == 503
        probe = {"api_key": hands.at.posthog_project_key.get_secret_value(), "distinct_id": "probe"}
        answer = await hands.client.post(f"{hands.at.posthog_ingest_url}/flags?v=2", json=probe)
        assert answer.status_code == 503


async def test_partial_metrics_look_well_and_say_in_a_warning_that_they_are_not_all(tmp_path: Path) -> None:
    """The missing store had the series of the errors; with its stores back the backup has it again."""
    query = {"query": "sum by (status) (rate(posthog_errors_total[3s]))"}
    async with hands_on("partial-metrics", tmp_path) as hands:

        async def asked(url: str) -> tuple[set[str], list[str]]:
            answer = (await hands.client.get(f"{url}/api/v1/query", params=query)).json()
            assert answer["status"] == "success"
            bad = {it["metric"]["status"] for it in answer["data"]["result"] if float(it["value"][1]) > 0}
            return bad, answer.get("warnings", [])

        async def logged() -> bool:
            return "status=503" in await hands.logs()

        await within(VISIBLE_WITHIN_SECONDS, logged, "the logs show it")
        for url in (hands.at.prometheus_url, hands.at.prometheus_backup_url):
            bad, warnings = await asked(url)
            assert bad == set()
            assert ["Unavailable" in warning for warning in warnings] == [True]

        await hands.world.change({"prometheus": {"backup_partial": False}}, who="test", what="store is back")
        assert (await asked(hands.at.prometheus_url))[0] == set()

        async def whole() -> bool:
            return await asked(hands.at.prometheus_backup_url) == ({"503"}, [])

        await within(VISIBLE_WITHIN_SECONDS, whole, "the backup shows it")
