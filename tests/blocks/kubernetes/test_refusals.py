"""What the Cluster block makes of the API server's refusals and silences when it writes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from blocks.kubernetes.cluster import Cluster
from blocks.transport.errors import (
    Conflict,
    Forbidden,
    NotFound,
    OutsideError,
    Refused,
    Unauthenticated,
    Unavailable,
)
from deployments.drill.cluster import Fault, Rule
from tests.blocks.cluster_world import RULES, TOKEN, ClusterWorld, cluster_world

PATCH = {"spec": {"replicas": 3}}


@pytest.fixture
async def world() -> AsyncIterator[ClusterWorld]:
    """The integration, rolled out."""
    async with cluster_world() as running:
        yield running


CALLS: dict[str, Callable[[Cluster], Awaitable[Any]]] = {
    "deployments": lambda block: block.changes.patch_workload(PATCH),
    "secrets": lambda block: block.changes.patch_secret({"api-key": SecretStr("k")}, resource_version="1"),
    "poddisruptionbudgets": lambda block: block.workload.disruption_budgets(),
    "pods": lambda block: block.workload.pods(),
}


def without(verb: str, resource: str) -> tuple[Rule, ...]:
    """All rules that the runbook needs, but for one."""
    return tuple(rule for rule in RULES if (verb, resource) != (rule.verbs[0], rule.resources[0]))


@pytest.mark.parametrize(
    ("verb", "resource", "rule"),
    [
        (
            "patch",
            "deployments",
            "{apiGroups: [apps], resources: [deployments], resourceNames: [posthog-integration], "
            "verbs: [patch]}",
        ),
        (
            "patch",
            "secrets",
            "{apiGroups: [''], resources: [secrets], resourceNames: [posthog-secrets], verbs: [patch]}",
        ),
        (
            "list",
            "poddisruptionbudgets",
            "{apiGroups: [policy], resources: [poddisruptionbudgets], verbs: [list]}",
        ),
        ("list", "pods", "{apiGroups: [''], resources: [pods], verbs: [list]}"),
    ],
)
async def test_a_missing_right_is_shown_as_the_rule_to_add(
    world: ClusterWorld, verb: str, resource: str, rule: str
) -> None:
    """The error has verb and resource for programs, and for the admin the line of YAML."""
    world.restrict(*without(verb, resource))

    with pytest.raises(Forbidden) as caught:
        await CALLS[resource](world.block)

    error = caught.value
    assert (error.verb, error.resource) == (verb, resource)
    assert f"cannot {verb} {resource}" in error.detail
    assert error.next_step == f"Escalate to an admin: the runbook's Role lacks {rule}"


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [
        (
            400,
            "BadRequest",
            'admission webhook "freeze.example.com" denied the request: no change on Fridays',
        ),
        (403, "Forbidden", 'admission webhook "freeze.example.com" denied the request: no change on Fridays'),
        (
            422,
            "Invalid",
            "deployments.apps \"posthog-integration\" is forbidden: ValidatingAdmissionPolicy 'freeze' with "
            "binding 'freeze' denied request: no change on Fridays",
        ),
        (500, "", 'admission webhook "freeze.example.com" denied the request: no change on Fridays'),
        (403, "Forbidden", "exceeded quota: no change on Fridays"),
    ],
)
async def test_a_policy_of_the_cluster_speaks_in_its_own_words(
    world: ClusterWorld, status: int, reason: str, message: str
) -> None:
    """Whatever its code, it is a refusal that no right would change, and its words are kept."""
    world.imitation.faults.append(
        Fault(path="/deployments/", method="PATCH", status=status, reason=reason, message=message)
    )

    with pytest.raises(Refused) as caught:
        await world.block.changes.patch_workload(PATCH)

    assert type(caught.value) is Refused
    assert "no change on Fridays" in caught.value.detail
    assert caught.value.next_step == "A policy of the cluster forbids it: ask its administrators"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthenticated),
        (404, NotFound),
        (409, Conflict),
        (422, Refused),
        (405, Refused),
        (415, Refused),
    ],
)
async def test_a_refused_write_is_told_by_its_kind(
    world: ClusterWorld, status: int, kind: type[OutsideError]
) -> None:
    """What will not heal by itself is never retried."""
    world.imitation.faults.append(
        Fault(path="/deployments/", method="PATCH", status=status, reason="", message="no", times=None)
    )

    with pytest.raises(kind) as caught:
        await world.block.changes.patch_workload(PATCH)

    assert type(caught.value) is kind
    assert "cannot patch deployments/posthog-integration: no" in str(caught.value)


PAGE = "<html><head><title>Not Found</title></head><body>default backend</body></html>"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 302, "text": PAGE},
        {"status": 400, "text": PAGE},
        {"status": 401, "text": PAGE, "times": 2},
        {"status": 403, "text": PAGE},
        {"status": 403, "text": "Access denied"},
        {"status": 403, "text": '{"message": "Forbidden"}'},
        {"status": 404, "text": PAGE},
        {"status": 404, "text": "default backend - 404"},
        {"status": 408, "text": ""},
        {"status": 410, "text": PAGE},
        {"status": 422, "text": '{"kind": "Status", "apiVersion": "v1", "sta'},
        {"status": 200, "text": PAGE},
        {"status": 200, "text": ""},
        {"status": 200, "text": '{"message": "maintenance"}'},
        {"short_body": 300},
    ],
    ids=str,
)
async def test_an_answer_that_is_not_the_api_servers_is_none(
    world: ClusterWorld, fault: dict[str, Any], method: str
) -> None:
    """A load balancer answers for a server that is away: it may heal, and a write may have arrived."""
    world.imitation.faults.append(Fault(path="/deployments/", method=method, **fault))

    with pytest.raises(Unavailable) as caught:
        await (world.block.workload.read() if method == "GET" else world.block.changes.patch_workload(PATCH))

    assert caught.value.may_have_landed is (method == "PATCH")
    assert "<html>" not in str(caught.value)
    if fault.get("text") == PAGE and fault["status"] != 200:
        assert "a page named 'Not Found'" in caught.value.detail


@pytest.mark.parametrize("status", [401, 403])
async def test_the_page_of_a_proxy_says_nothing_of_our_rights(world: ClusterWorld, status: int) -> None:
    """The person reads what answered, and no advice about credentials or Role; it is not asked again."""
    page = "<!DOCTYPE html><html><head><title>Sign in &#124; Corporate proxy</title></head></html>"
    world.imitation.faults.append(Fault(path="/pods", status=status, text=page, times=None))
    before = len(world.asked("GET"))

    with pytest.raises(Unavailable) as caught:
        await world.block.workload.pods()

    told = str(caught.value)
    assert f"a page named 'Sign in | Corporate proxy' (HTTP {status}, not by the API server)" in told
    assert "Role" not in told
    assert caught.value.next_step == "Check the proxies between here and the API server"
    assert len(world.asked("GET")) - before == (2 if status == 401 else 1)


async def test_a_gateway_that_does_not_know_our_account_is_told_as_such(world: ClusterWorld) -> None:
    """Rancher's proxy refuses an expired token in JSON of its own."""
    answer = '{"type": "error", "status": "401", "message": "Unauthorized 401: must authenticate"}'
    world.imitation.faults.append(Fault(path="/pods", status=401, text=answer, times=None))

    with pytest.raises(Unauthenticated) as caught:
        await world.block_with(timeout_seconds=1).workload.pods()

    assert "must authenticate" in caught.value.detail


async def test_a_group_that_the_server_does_not_have_is_not_found(world: ClusterWorld) -> None:
    """Its router says so in plain text, which is no load balancer's."""
    missing = Fault(path="/poddisruptionbudgets", status=404, text="404 page not found\n")
    world.imitation.faults.append(missing)

    with pytest.raises(NotFound):
        await world.block.workload.disruption_budgets()


@pytest.mark.parametrize(
    ("fault", "landed"),
    [
        (Fault(method="PATCH", status=500), False),
        (Fault(method="PATCH", status=503), False),
        (Fault(method="PATCH", status=504), False),
        (Fault(method="PATCH", close="before_effect"), False),
        (Fault(method="PATCH", close="after_effect"), True),
        (Fault(method="PATCH", delay_after=3), True),
        (Fault(method="PATCH", short_body=40), True),
    ],
    ids=["500", "503", "504", "cut before", "cut after", "silence after", "half an answer"],
)
async def test_a_write_whose_end_is_unknown_may_have_landed(
    world: ClusterWorld, fault: Fault, landed: bool
) -> None:
    """Whether it did cannot be seen from here: it is sent once, and whoever called must read it back."""
    world.imitation.faults.append(fault)

    with pytest.raises(Unavailable) as caught:
        await world.block_with(timeout_seconds=0.5).changes.patch_workload(PATCH)

    assert caught.value.may_have_landed
    assert len(world.asked("PATCH")) == 1
    assert (world.imitation.get("Deployment", "posthog-integration")["spec"]["replicas"] == 3) is landed


async def test_too_many_requests_landed_nowhere(world: ClusterWorld) -> None:
    """The server's own throttling comes before any effect, and says how long to wait."""
    body = {"message": "too many requests", "details": {"retryAfterSeconds": 7}}
    world.imitation.faults.append(Fault(method="PATCH", status=429, body=body))

    with pytest.raises(Unavailable) as caught:
        await world.block.changes.patch_workload(PATCH)

    assert (caught.value.may_have_landed, caught.value.retry_after_seconds) == (False, 7)


async def test_an_expired_token_is_read_again_before_a_write(world: ClusterWorld) -> None:
    """Looked at twice, each time with new ones, it is the end, with what renews them; nothing was changed."""
    world.imitation.expire(TOKEN)

    with pytest.raises(Unauthenticated) as caught:
        await world.block.changes.patch_workload(PATCH)

    assert caught.value.next_step == "Put a new kubeconfig into the Cluster block"
    assert len(world.asked("PATCH")) == 4


async def test_an_immutable_secret_is_refused_with_what_to_do(world: ClusterWorld) -> None:
    """Nobody can unset it: the way is another Secret, not another request."""
    world.imitation.apply({"kind": "Secret", "metadata": {"name": "posthog-secrets"}, "immutable": True})
    version = (await world.block.secret.read_keys()).version

    with pytest.raises(Refused) as caught:
        await world.block.changes.patch_secret(
            {"api-key": SecretStr("k")}, resource_version=version, dry_run=True
        )

    assert "field is immutable when `immutable` is set" in caught.value.detail
    assert "create another one with the new value" in caught.value.next_step
