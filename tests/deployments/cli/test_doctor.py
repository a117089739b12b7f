"""`runbook doctor` against a served cluster: which rights there are, which are missing, and what to do."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from pytest_httpserver import HTTPServer

from blocks.kubernetes.access.permissions import (
    AccessLevel,
    Permission,
    WorkloadKind,
    needed_permissions,
    up_to,
)
from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.drill.cluster import Cluster, Fault, Rule, kubeconfig, serve
from tests.blocks.cluster_world import SECRET, deployment, stateful_set

Capture = pytest.CaptureFixture[str]
NOWHERE = "http://127.0.0.1:1"
TOKEN = "token-of-the-runbook"
UNCALLED = "Nobody can be paged: set [pager] or [slack].\n"
UNWATCHED = "The runbook itself is not monitored: set [self_watch].\n"


def rights(access: AccessLevel = "full", kind: WorkloadKind = "Deployment") -> list[Permission]:
    """What the runbook needs for this access."""
    table = needed_permissions(kind, "posthog-integration", "posthog-secrets")
    return [each for level in up_to(access) for each in table[level]]


def rule(permission: Permission) -> Rule:
    """A rule that grants this and no more."""
    names = (permission.name,) if permission.name else ()
    return Rule((permission.verb,), (permission.group,), (permission.resource,), names)


@dataclass
class World:
    """A served cluster, and a settings file that leads there."""

    cluster: Cluster
    settings: Path

    async def doctor(self, *options: str) -> int:
        """Run the command, beside the cluster."""
        return await asyncio.to_thread(main, ["doctor", "--config", str(self.settings), *options])


@asynccontextmanager
async def world(
    folder: Path, granted: Sequence[Permission], settings: str = "", *, url: str = ""
) -> AsyncIterator[World]:
    """A cluster that grants these rights; `settings` are more lines of `[cluster]`."""
    cluster = Cluster()
    for manifest in (deployment(), stateful_set(), SECRET):
        cluster.apply(manifest)
    cluster.grant("runbook", TOKEN, [rule(each) for each in granted])
    async with serve(cluster) as served:
        (folder / "kubeconfig").write_text(kubeconfig(url or served.url, served.ca_pem, TOKEN, "default"))
        sections = {
            "status_page": f'url = "{NOWHERE}"',
            "integration": f'health_url = "{NOWHERE}"',
            "prometheus": f'url = "{NOWHERE}"',
            "cluster": f'kubeconfig = "{folder / "kubeconfig"}"\ntimeout_seconds = 2\n{settings}',
        }
        file = folder / "runbook.toml"
        file.write_text("\n".join(f"[{name}]\n{lines}\n" for name, lines in sections.items()))
        yield World(cluster, file)


def rows(shown: str) -> list[str]:
    """The lines of the table, with single spaces."""
    return [" ".join(line.split()) for line in shown.split("\n\n")[1].splitlines()]


async def test_all_rights_are_listed_by_level(tmp_path: Path, capsys: Capture) -> None:
    """With the shipped rights everything is allowed; questions are sent, and no object is changed."""
    async with world(tmp_path, rights()) as here:
        assert await here.doctor() == ExitCode.OK
        asked = {(each.method, each.path) for each in here.cluster.requests}

    shown = capsys.readouterr().out
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

    lines = capsys.readouterr().out.splitlines()
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
    assert captured.out == UNCALLED + UNWATCHED
    assert captured.err == (
        "runbook: error: Kubernetes: cannot create selfsubjectaccessreviews: Unauthorized; "
        "re-authenticate: kubectl get pods\n"
    )


async def test_an_unreachable_cluster_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    """With an exit code of its own: nothing is known about the rights."""
    async with world(tmp_path, rights(), url="https://127.0.0.1:1") as here:
        assert await here.doctor() == ExitCode.UNREACHABLE

    captured = capsys.readouterr()
    assert captured.out == UNCALLED + UNWATCHED
    assert captured.err == (
        "runbook: error: Kubernetes: cannot create selfsubjectaccessreviews: https://127.0.0.1:1 "
        "does not accept connections; check the network connection to the cluster, or wait\n"
    )


async def test_a_cluster_in_trouble_is_no_missing_right(tmp_path: Path, capsys: Capture) -> None:
    """One question that fails leaves the whole answer open."""
    async with world(tmp_path, rights()) as here:
        here.cluster.faults.append(Fault(path="selfsubjectaccessreviews", status=500))
        assert await here.doctor() == ExitCode.UNREACHABLE

    assert capsys.readouterr().out == UNCALLED + UNWATCHED


async def test_what_does_not_need_the_cluster_is_told_without_it(tmp_path: Path, capsys: Capture) -> None:
    """Others may read the secrets before the cluster is set up; the rights are unknown, not missing."""
    (tmp_path / "token").write_text("a-token-of-some-length")
    async with world(tmp_path, rights(), url="https://127.0.0.1:1") as running:
        text = running.settings.read_text()
        running.settings.write_text(text.replace("[prometheus]\n", f"[prometheus]\n{BACKUP}"))
        assert await running.doctor() == ExitCode.UNREACHABLE
        captured = capsys.readouterr()
        assert "prometheus.credentials" in captured.out
        assert await running.doctor("--json") == ExitCode.UNREACHABLE
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["rights"], told["missing_rules"]) == (False, None, None)
    assert "prometheus.credentials" in told["settings"][0]


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("", UNCALLED),
        ('[pager]\nrouting_key = { file = "token" }', ""),
        ('[slack]\ntoken = { file = "token" }\nchannel = "C0123456789"', ""),
    ],
    ids=["neither", "pager", "slack"],
)
async def test_it_says_whether_somebody_can_be_called(
    tmp_path: Path, capsys: Capture, section: str, told: str
) -> None:
    """Both are optional, and without both no incident reaches a person."""
    (tmp_path / "token").write_text("a-token-of-some-length")
    async with world(tmp_path, rights()) as running:
        running.settings.write_text(f"{running.settings.read_text()}\n{section}\n")
        assert await running.doctor() == ExitCode.OK
        assert (UNCALLED in capsys.readouterr().out) is bool(told)
        assert await running.doctor("--json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["uncalled"] == told.strip()


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("", "The runbook itself is not monitored: set [self_watch]."),
        (
            "[self_watch]",
            "If the worker and the receiver both stop, nobody is notified: set [self_watch] ping_url.",
        ),
        ('[self_watch]\nalertmanager_url = "http://alertmanager:9093"', ""),
    ],
    ids=["off", "without a switch", "on"],
)
async def test_it_says_whether_somebody_watches_the_runbook(
    tmp_path: Path, capsys: Capture, section: str, told: str
) -> None:
    """Who never hears of a dead runbook believes that nothing happens."""
    (tmp_path / "token").write_text("a-token-of-some-length")
    async with world(tmp_path, rights()) as running:
        lines = f'[receiver]\ntoken = {{ file = "token" }}\n{section}\n'
        running.settings.write_text(running.settings.read_text() + lines)
        assert await running.doctor() == ExitCode.OK
        assert ("set [self_watch]" in capsys.readouterr().out) is bool(told)
        assert await running.doctor("--json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["unwatched"] == told


BACKUP = (
    'backup_urls = ["http://127.0.0.1:2"]\nbearer_token = { file = "token" }\n'  # more lines of [prometheus]
)


async def test_it_says_what_to_see_to_in_the_settings(tmp_path: Path, capsys: Capture) -> None:
    """A line of the answer, and no second one on standard error; it keeps nothing from being all right."""
    (tmp_path / "token").write_text("a-token-of-some-length")
    async with world(tmp_path, rights()) as running:
        text = running.settings.read_text()
        running.settings.write_text(text.replace("[prometheus]\n", f"[prometheus]\n{BACKUP}"))
        assert await running.doctor() == ExitCode.OK
        captured = capsys.readouterr()
        [told] = [line for line in captured.out.splitlines() if "prometheus.credentials" in line]
        assert told.startswith(f'{running.settings}: prometheus.credentials."http://127.0.0.1:2": missing')
        assert captured.err == ""
        assert await running.doctor("--json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["settings"] == [told]


async def test_a_prefect_server_without_a_password_is_told_and_fails(
    tmp_path: Path, capsys: Capture, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rights in the cluster are of no use where anybody may approve."""
    for path in ("/api/admin/settings", "/api/health"):
        httpserver.expect_request(path).respond_with_json({})
    url = httpserver.url_for("/api")
    monkeypatch.setenv("PREFECT_API_URL", url)
    with temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}):
        async with world(tmp_path, rights()) as running:
            assert await running.doctor() == ExitCode.FAILED
            assert f"Prefect at {url} answers without a password" in capsys.readouterr().out
            assert await running.doctor("--json") == ExitCode.FAILED
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["missing_rules"]) == (False, [])
    assert [each["grave"] for each in told["prefect"]] == [True]
