"""`runbook doctor` against a served cluster: which rights there are, which are missing, and what to do."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from blocks.kubernetes.access.permissions import AccessLevel, Permission
from deployments.cli.errors import ExitCode
from deployments.drill.cluster import Fault, Rule
from tests.deployments.doctor_bench import (
    TOKEN,
    UNCALLED,
    UNWATCHED,
    before_systems,
    rights,
    rows,
    rule,
    world,
)

Capture = pytest.CaptureFixture[str]


async def test_all_rights_are_listed_by_level(tmp_path: Path, capsys: Capture) -> None:
    """With the shipped rights everything is allowed; questions are sent, and no object is changed."""
    async with world(tmp_path, rights()) as here:
        assert await here.doctor() == ExitCode.OK
        asked = {(each.method, each.path) for each in here.cluster.requests}

    shown = before_systems(capsys.readouterr().out)
    assert rows(shown) == [
        "level verb resource",
        "triage get deployments.apps posthog-integration allowed",
        "list replicasets.apps allowed",
        "list pods allowed",
        "get pods/log allowed",
        "list events allowed",
        "mitigation patch deployments.apps posthog-integration allowed",
        "delete pods allowed",
        "list poddisruptionbudgets.policy allowed",
        "list resourcequotas allowed",
        "list limitranges allowed",
        "full get secrets posthog-secrets allowed",
        "patch secrets posthog-secrets allowed",
    ]
    assert shown.endswith("All needed permissions are granted.\n")
    assert {path for method, path in asked if method != "GET"} == {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    }


@pytest.mark.parametrize("lost", rights())
async def test_each_missing_right_is_told_with_its_rule(
    tmp_path: Path, capsys: Capture, lost: Permission
) -> None:
    """The printed line, put into the Role, is all that it takes."""
    async with world(tmp_path, [each for each in rights() if each != lost]) as here:
        assert await here.doctor() == ExitCode.FAILED
        shown = capsys.readouterr().out
        assert sum(line.endswith("missing") for line in rows(shown)) == 1
        [line] = [line for line in shown.splitlines() if line.startswith("  - ")]

        added = yaml.safe_load(line)[0]
        more = Rule(
            tuple(added["verbs"]),
            tuple(added["apiGroups"]),
            tuple(added["resources"]),
            tuple(added.get("resourceNames", ())),
        )
        here.cluster.grant("runbook", TOKEN, [*(rule(each) for each in rights() if each != lost), more])
        assert await here.doctor() == ExitCode.OK


async def test_rights_on_the_same_object_are_one_rule(tmp_path: Path, capsys: Capture) -> None:
    """As an admin would write it, and never broken over two lines."""
    name = "posthog-secrets-" + "of-a-very-long-name-" * 5 + "x"
    async with world(tmp_path, rights("mitigation"), f'secret_name = "{name}"') as here:
        assert await here.doctor() == ExitCode.FAILED

    lines = before_systems(capsys.readouterr().out).splitlines()
    assert lines[-1] == (
        f"  - {{apiGroups: [''], resources: [secrets], resourceNames: [{name}], verbs: [get, patch]}}"
    )
    assert lines[-2] == "Escalate to an admin: add to the runbook's Role in namespace default"


@pytest.mark.parametrize(
    ("access", "granted", "code"),
    [
        ("triage", "triage", ExitCode.OK),
        ("mitigation", "triage", ExitCode.FAILED),
        ("mitigation", "mitigation", ExitCode.OK),
        ("full", "mitigation", ExitCode.FAILED),
        ("triage", "full", ExitCode.OK),
    ],
)
async def test_the_configured_access_decides(
    tmp_path: Path, access: AccessLevel, granted: AccessLevel, code: ExitCode
) -> None:
    """A right that is not made use of is not missed."""
    async with world(tmp_path, rights(granted), f'access = "{access}"') as here:
        assert await here.doctor() == code


async def test_a_right_that_is_not_needed_is_seen(tmp_path: Path, capsys: Capture) -> None:
    """Least privilege can be checked as well: what could be taken away is marked."""
    async with world(tmp_path, rights(), 'access = "mitigation"') as here:
        assert await here.doctor() == ExitCode.OK

    verdicts = [line.partition("posthog-secrets ")[2] for line in rows(capsys.readouterr().out)[-2:]]
    assert verdicts == ["allowed, not needed", "allowed, not needed"]


async def test_a_stateful_set_needs_its_own_rights(tmp_path: Path, capsys: Capture) -> None:
    """The rights for a Deployment are of no use for it."""
    async with world(tmp_path, rights(), 'workload_kind = "StatefulSet"') as here:
        assert await here.doctor() == ExitCode.FAILED
        missing = [line for line in rows(capsys.readouterr().out) if line.endswith("missing")]
        here.cluster.grant("runbook", TOKEN, [rule(each) for each in rights(kind="StatefulSet")])
        assert await here.doctor() == ExitCode.OK

    assert missing == [
        "triage get statefulsets.apps posthog-integration missing",
        "list controllerrevisions.apps missing",
        "mitigation patch statefulsets.apps posthog-integration missing",
    ]


async def test_json_has_every_right_and_the_rules(tmp_path: Path, capsys: Capture) -> None:
    """For machines: what is asked, what is allowed, what is needed, and what to add."""
    async with world(tmp_path, rights("triage"), 'access = "mitigation"') as here:
        assert await here.doctor("--json") == ExitCode.FAILED

    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["target"], told["access"]) == ("default/deployment/posthog-integration", "mitigation")
    assert told["ok"] is False
    assert told["rights"][0] == {
        "level": "triage",
        "verb": "get",
        "group": "apps",
        "resource": "deployments",
        "name": "posthog-integration",
        "allowed": True,
        "needed": True,
    }
    assert [(each["allowed"], each["needed"]) for each in told["rights"]] == [
        *[(True, True)] * 5,
        *[(False, True)] * 5,
        *[(False, False)] * 2,
    ]
    assert told["missing_rules"] == [
        "{apiGroups: [apps], resources: [deployments], resourceNames: [posthog-integration], verbs: [patch]}",
        "{apiGroups: [''], resources: [pods], verbs: [delete]}",
        "{apiGroups: [policy], resources: [poddisruptionbudgets], verbs: [list]}",
        "{apiGroups: [''], resources: [resourcequotas], verbs: [list]}",
        "{apiGroups: [''], resources: [limitranges], verbs: [list]}",
    ]


async def test_an_expired_token_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    """With the command that renews it, and no table of rights that nobody was asked about."""
    async with world(tmp_path, rights()) as here:
        here.cluster.expire(TOKEN)
        assert await here.doctor() == ExitCode.FAILED

    captured = capsys.readouterr()
    assert before_systems(captured.out) == UNCALLED + UNWATCHED
    assert captured.err == (
        "runbook: error: Kubernetes: cannot create selfsubjectaccessreviews: Unauthorized; "
        "re-authenticate: kubectl get pods\n"
    )


async def test_an_unreachable_cluster_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    """With an exit code of its own: nothing is known about the rights."""
    async with world(tmp_path, rights(), url="https://127.0.0.1:1") as here:
        assert await here.doctor() == ExitCode.UNREACHABLE

    captured = capsys.readouterr()
    assert before_systems(captured.out) == UNCALLED + UNWATCHED
    assert captured.err == (
        "runbook: error: Kubernetes: cannot create selfsubjectaccessreviews: https://127.0.0.1:1 "
        "does not accept connections; check the network connection to the cluster, or wait\n"
    )


async def test_a_cluster_in_trouble_is_no_missing_right(tmp_path: Path, capsys: Capture) -> None:
    """One question that fails leaves the whole answer open."""
    async with world(tmp_path, rights()) as here:
        here.cluster.faults.append(Fault(path="selfsubjectaccessreviews", status=500))
        assert await here.doctor() == ExitCode.UNREACHABLE

    assert before_systems(capsys.readouterr().out) == UNCALLED + UNWATCHED
