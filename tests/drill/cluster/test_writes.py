"""Writes to the simulated cluster: what is stored, what is refused, what a dry run shows."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.drill.cluster_bench import (
    APP,
    DEPLOYMENT,
    JSON_PATCH,
    MERGE,
    SECRET,
    SECRETS,
    STRATEGIC,
    Bench,
    bench,
    container,
    deployment,
    env_patch,
)


@pytest.fixture(name="bench")
async def _bench() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_a_stale_resource_version_conflicts(bench: Bench) -> None:
    """A PUT or PATCH that carries an old resourceVersion gets 409 and stores nothing."""
    read = (await bench.http.get(SECRET)).json()
    await bench.patch(SECRET, {"stringData": {"api-key": "phc_other"}})
    read["data"]["api-key"] = _encoded("phc_mine")
    put = await bench.http.put(SECRET, json=read)
    stale = {"metadata": {"resourceVersion": read["metadata"]["resourceVersion"]}, "data": read["data"]}
    patch = await bench.patch(SECRET, stale)
    for answer in (put, patch):
        assert answer.status_code == 409
        assert answer.json()["reason"] == "Conflict"
        assert answer.json()["message"] == (
            'Operation cannot be fulfilled on secrets "posthog-secrets": the object has been modified; '
            "please apply your changes to the latest version and try again"
        )
    assert bench.cluster.get("Secret", "posthog-secrets")["data"]["api-key"] == _encoded("phc_other")


async def test_without_a_resource_version_the_last_write_wins(bench: Bench) -> None:
    """An unconditional PUT replaces whatever is there."""
    body = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "posthog-secrets"}}
    answer = await bench.http.put(SECRET, json={**body, "stringData": {"api-key": "phc_new"}})
    assert answer.status_code == 200
    assert answer.json()["data"] == {"api-key": _encoded("phc_new")}


async def test_string_data_is_folded_into_data_and_never_returned(bench: Bench) -> None:
    """stringData is write-only, as in a real cluster; other keys stay."""
    await bench.patch(SECRET, {"stringData": {"second": "value"}})
    read = (await bench.http.get(SECRET)).json()
    assert read["data"] == {"api-key": _encoded("phc_old"), "second": _encoded("value")}
    assert "stringData" not in read


async def test_a_write_that_changes_nothing_stores_nothing(bench: Bench) -> None:
    """The resourceVersion stays, so that a caller can tell that nothing happened."""
    before = bench.cluster.get("Secret", "posthog-secrets")
    answer = await bench.patch(SECRET, {"data": before["data"]})
    assert answer.json()["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_generation_counts_changes_of_the_spec_only(bench: Bench) -> None:
    """A change of labels leaves the generation, a change of the template raises it."""
    labelled = await bench.patch(DEPLOYMENT, {"metadata": {"labels": {"team": "a"}}})
    assert labelled.json()["metadata"]["generation"] == 1
    changed = await bench.patch(DEPLOYMENT, env_patch("RATE_LIMIT_MODE", "queue"))
    assert changed.json()["metadata"]["generation"] == 2


async def test_a_status_in_an_ordinary_write_is_ignored(bench: Bench) -> None:
    """Only the status subresource writes a status."""
    answer = await bench.patch(DEPLOYMENT, {"status": {"replicas": 99}}, MERGE)
    assert answer.json()["status"]["replicas"] == 2


@pytest.mark.parametrize(
    ("method", "path", "kind", "body"),
    [
        ("PATCH", DEPLOYMENT, STRATEGIC, env_patch("RATE_LIMIT_MODE", "queue")),
        ("PATCH", DEPLOYMENT, MERGE, {"spec": {"replicas": 5}}),
        ("PATCH", DEPLOYMENT, JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 5}]),
        ("PATCH", f"{DEPLOYMENT}/scale", MERGE, {"spec": {"replicas": 5}}),
        ("PUT", SECRET, "application/json", {"metadata": {"name": "posthog-secrets"}, "data": {}}),
        ("POST", SECRETS, "application/json", {"metadata": {"name": "new"}, "stringData": {"a": "b"}}),
        ("DELETE", DEPLOYMENT, "application/json", {"dryRun": ["All"]}),
    ],
)
async def test_a_dry_run_stores_nothing(bench: Bench, method: str, path: str, kind: str, body: Any) -> None:
    """Every write can be tried: it succeeds, and neither an object nor the version counter moves."""
    before = [bench.cluster.objects(each) for each in ("Deployment", "ReplicaSet", "Secret")]
    answer = await bench.http.request(
        method, path, json=body, params={"dryRun": "All"}, headers={"content-type": kind}
    )
    assert answer.is_success
    assert [bench.cluster.objects(each) for each in ("Deployment", "ReplicaSet", "Secret")] == before


async def test_a_dry_run_returns_the_object_that_would_be(bench: Bench) -> None:
    """The answer has the change, its defaults and the next generation, under the old resourceVersion."""
    before = bench.cluster.get("Deployment", APP)
    shown = (await bench.patch(DEPLOYMENT, env_patch("RATE_LIMIT_MODE", "queue"), dryRun="All")).json()
    env = shown["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env[-1] == {"name": "RATE_LIMIT_MODE", "value": "queue"}
    assert shown["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert shown["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_a_dry_run_is_refused_where_the_write_would_be(bench: Bench) -> None:
    """Validation, conflicts and missing objects count in a dry run too."""
    invalid = await bench.patch(DEPLOYMENT, {"spec": {"replicas": -1}}, dryRun="All")
    missing = await bench.patch(DEPLOYMENT + "-x", {"spec": {"replicas": 1}}, dryRun="All")
    stale = await bench.patch(SECRET, {"metadata": {"resourceVersion": "1"}}, dryRun="All")
    unknown = await bench.patch(SECRET, {"data": {}}, dryRun="Some")
    assert [each.status_code for each in (invalid, missing, stale, unknown)] == [422, 404, 409, 400]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"replicas": -1}, "spec.replicas"),
        ({"selector": {"matchLabels": {"app": "other"}}}, "spec.selector"),
        ({"template": {"metadata": {"labels": {"app": "other"}}}}, "spec.template.metadata.labels"),
        ({"template": {"spec": {"containers": []}}}, "spec.template.spec.containers"),
        (
            {"template": {"spec": {"containers": [container(image="")]}}},
            "spec.template.spec.containers[0].image",
        ),
        (
            {"template": {"spec": {"containers": [container(env=[{"value": "x"}])]}}},
            "spec.template.spec.containers[0].env[0].name",
        ),
        (
            {"template": {"spec": {"containers": [container(env=[{"name": "a=b", "value": "x"}])]}}},
            "spec.template.spec.containers[0].env[0].name",
        ),
        (
            {"template": {"spec": {"containers": [container(), container()]}}},
            "spec.template.spec.containers[1].name",
        ),
        (
            {"template": {"spec": {"containers": [container(ports=[{"containerPort": 99999}])]}}},
            "spec.template.spec.containers[0].ports[0].containerPort",
        ),
        ({"strategy": {"type": "Recreate"}}, "spec.strategy.rollingUpdate"),
    ],
)
async def test_an_invalid_object_is_refused_with_the_field(
    bench: Bench, change: dict[str, Any], field: str
) -> None:
    """422 Invalid names each offending field, for people and for programs."""
    answer = await bench.patch(DEPLOYMENT, {"spec": change}, MERGE)
    assert answer.status_code == 422
    body = answer.json()
    assert body["reason"] == "Invalid"
    assert field in [cause["field"] for cause in body["details"]["causes"]]
    assert body["message"].startswith(f'Deployment.apps "{APP}" is invalid: ')


@pytest.mark.parametrize("value", [5, True, ["x"], {"a": "b"}])
async def test_a_value_of_the_wrong_type_is_refused(bench: Bench, value: Any) -> None:
    """An environment value that is no string is refused; the server repeats the patch in its message."""
    answer = await bench.patch(DEPLOYMENT, env_patch("RATE_LIMIT_MODE", value))
    assert answer.status_code == 422
    assert "spec.template.spec.containers.env.value of type string" in answer.json()["message"]


async def test_secret_data_that_is_not_base64_is_refused(bench: Bench) -> None:
    """A key written without encoding is a bad request, and not stored."""
    answer = await bench.http.post(
        SECRETS, json={"metadata": {"name": "raw"}, "data": {"k": "phc_not_encoded!"}}
    )
    assert answer.status_code == 400
    assert "illegal base64 data at input byte" in answer.json()["message"]


async def test_unknown_fields_are_dropped_warned_about_or_refused(bench: Bench) -> None:
    """fieldValidation decides: Warn is the default, Strict refuses, Ignore is silent."""
    patch = {"spec": {"replicaz": 3}}
    warned = await bench.patch(DEPLOYMENT, patch)
    assert warned.headers["warning"] == '299 - "unknown field \\"spec.replicaz\\""'
    assert "replicaz" not in warned.json()["spec"]
    ignored = await bench.patch(DEPLOYMENT, patch, fieldValidation="Ignore")
    assert "warning" not in ignored.headers
    strict = await bench.patch(DEPLOYMENT, patch, fieldValidation="Strict")
    assert strict.status_code == 422
    assert 'strict decoding error: unknown field "spec.replicaz"' in strict.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "kind", "code", "reason"),
    [
        ("GET", DEPLOYMENT + "-x", "application/json", 404, "NotFound"),
        ("POST", SECRETS, "application/json", 409, "AlreadyExists"),
        ("PATCH", SECRET, "text/plain", 415, "UnsupportedMediaType"),
        ("PATCH", SECRET, "application/json", 415, "UnsupportedMediaType"),
        ("POST", SECRET, "application/json", 405, "MethodNotAllowed"),
        ("POST", "/api/v1/namespaces/nowhere/secrets", "application/json", 404, "NotFound"),
        ("PUT", SECRET + "-x", "application/json", 404, "NotFound"),
    ],
)
async def test_refusals_are_status_bodies(
    bench: Bench, method: str, path: str, kind: str, code: int, reason: str
) -> None:
    """Each refusal has the code and reason that clients branch on."""
    body = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "posthog-secrets"}}
    answer = await bench.http.request(method, path, json=body, headers={"content-type": kind})
    assert answer.status_code == code
    status = answer.json()
    assert (status["kind"], status["status"], status["reason"], status["code"]) == (
        "Status",
        "Failure",
        reason,
        code,
    )


async def test_defaults_are_filled_in(bench: Bench) -> None:
    """What is read back has more fields than what was sent, as diffs against a real cluster must bear."""
    spec = bench.cluster.get("Deployment", APP)["spec"]
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    assert spec["progressDeadlineSeconds"] == 600
    assert spec["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


async def test_json_patch_replaces_the_template(bench: Bench) -> None:
    """The patch that `kubectl rollout undo` sends is understood."""
    template = deployment(container(image="integration:2"))["spec"]["template"]
    operations = [{"op": "replace", "path": "/spec/template", "value": template}]
    answer = await bench.patch(DEPLOYMENT, operations, JSON_PATCH)
    assert answer.json()["spec"]["template"]["spec"]["containers"][0]["image"] == "integration:2"


async def test_items_of_a_list_carry_no_kind(bench: Bench) -> None:
    """As on the real wire, only the list says what it holds."""
    body = (await bench.http.get(SECRETS)).json()
    assert (body["kind"], body["apiVersion"]) == ("SecretList", "v1")
    assert all("kind" not in item for item in body["items"])
