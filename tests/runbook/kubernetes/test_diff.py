"""The diff that an approver sees is exactly the change, without noise and without secrets."""

import base64
import re
from copy import deepcopy
from typing import Any

import pytest

from runbook.kubernetes.diff import manifest_text, masked_lines, unified_diff
from runbook.redaction import LAST_APPLIED

ENV = [{"name": "LOG_LEVEL", "value": "info"}, {"name": "API_KEY", "value": "old-key"}]


def deployment() -> dict[str, Any]:
    """A Deployment as the API server gives it."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "posthog-integration",
            "uid": "1",
            "resourceVersion": "10",
            "generation": 1,
            "creationTimestamp": "2026-11-01T00:00:00Z",
            "managedFields": [{"manager": "kubectl"}],
            "annotations": {LAST_APPLIED: "{}", "team": "growth"},
        },
        "spec": {"template": {"spec": {"containers": [{"name": "app", "env": deepcopy(ENV)}]}}},
        "status": {"readyReplicas": 3},
    }


def secret(key: str) -> dict[str, Any]:
    """The Secret with the integration's key."""
    data = {"api-key": base64.b64encode(key.encode()).decode(), "other": "c2FtZQ=="}
    return {"kind": "Secret", "metadata": {"name": "posthog-secrets"}, "data": data}


def env_of(manifest: dict[str, Any]) -> list[dict[str, str]]:
    """The environment of the first container."""
    env: list[dict[str, str]] = manifest["spec"]["template"]["spec"]["containers"][0]["env"]
    return env


def test_set_variable_is_all_that_shows() -> None:
    """Setting a variable shows as its two lines; server-written fields that change with it do not show."""
    after = deepcopy(deployment())
    env_of(after).append({"name": "POSTHOG_FALLBACK", "value": "true"})
    after["metadata"].update(resourceVersion="11", generation=2, managedFields=[])
    after["metadata"]["annotations"][LAST_APPLIED] = "{...}"
    after["status"] = {"readyReplicas": 2}
    diff = unified_diff(deployment(), after, name="deployment/posthog-integration")
    changed = [line for line in diff.splitlines() if line[:1] in "+-"]
    assert changed == [
        "--- deployment/posthog-integration (live)",
        "+++ deployment/posthog-integration (after)",
        "+        - name: POSTHOG_FALLBACK",
        "+          value: 'true'",
    ]


def test_no_change_is_an_empty_diff() -> None:
    """Noise alone, or another order of keys, is no change."""
    after = dict(reversed(deployment().items()))
    after["status"] = {}
    assert unified_diff(deployment(), after, name="x") == ""


def test_changed_secret_shows_without_its_value() -> None:
    """Which key of a Secret changes is shown; neither value, in no encoding, nor a fingerprint of it."""
    name = "secret/posthog-secrets"
    diff = unified_diff(secret("old-secret-key"), secret("new-secret-key"), name=name)
    assert "-  api-key: '[redacted:secret-data]'" in diff
    assert "+  api-key: '[redacted:secret-data, changed]'" in diff
    assert "   other: '[redacted:secret-data]'" in diff
    for value in ("old-secret-key", "new-secret-key"):
        assert value not in diff
        assert base64.b64encode(value.encode()).decode() not in diff
    assert diff == unified_diff(secret("old-secret-key"), secret("third-secret"), name=name)


def test_changed_secret_variable_shows_without_its_value() -> None:
    """A variable is recognised by its name, also when one before it goes away."""
    after = deployment()
    env_of(after)[1]["value"] = "new-key"
    del env_of(after)[0]
    diff = unified_diff(deployment(), after, name="x")
    assert "[redacted:api-key, changed]" in diff
    assert "old-key" not in diff
    assert "new-key" not in diff


def test_key_inside_of_a_text_shows_as_changed() -> None:
    """A key within an argument is masked, and that it changes is still seen."""
    diff = unified_diff({"args": ["--key=phx_aaaaaaaa"]}, {"args": ["--key=phx_bbbbbbbb"]}, name="x")
    assert "+- --key=[redacted:phx, changed]" in diff


@pytest.mark.parametrize(("before", "after", "sign"), [(None, {"a": 1}, "+"), ({"a": 1}, None, "-")])
def test_object_that_appears_or_goes(
    before: dict[str, Any] | None, after: dict[str, Any] | None, sign: str
) -> None:
    """An object that is created or deleted shows as a whole."""
    assert unified_diff(before, after, name="x").splitlines()[-1] == f"{sign}a: 1"


def test_text_over_lines_stays_over_lines() -> None:
    """One line of a long text that changes shows as one line."""
    diff = unified_diff({"script": "one\ntwo\nthree\n"}, {"script": "one\n2\nthree\n"}, name="x")
    assert "-  two\n+  2" in diff


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTHOG_API_KEY", "plain-value"),
        ("DB_PASSWORD", "two words"),
        ("DATABASE_URL", "postgresql://ana:hunter2-plain@db/x"),
        ("SETTING", "phx_canary0Q7zX4bV9nM2kL8"),
        ("SETTING", "phx_can\u200bary0Q7zX4bV9nM2kL8"),
        ("SETTING", "x\u2028phx_canary0Q7zX4bV9nM2kL8"),
    ],
)
def test_a_variable_that_holds_a_secret_never_shows(name: str, value: str) -> None:
    """By its name or by its shape, changed or beside a change, in a diff and in the whole object."""
    before, after = deployment(), deployment()
    env_of(before).append({"name": name, "value": value})
    env_of(after).extend([{"name": name, "value": f"{value}2"}, {"name": "NEW", "value": "1"}])
    for text in (unified_diff(before, after, name="x"), manifest_text(before), manifest_text(after)):
        assert "[redacted:" in text
        assert not re.search("plain-value|two words|hunter2|canary|ary0Q7", text)
    assert re.search(r"^\+ +value: ", unified_diff(before, after, name="x"), re.MULTILINE)


@pytest.mark.parametrize(
    ("lines", "masked"),
    [
        (
            ["       - name: API_KEY", "-        value: old", "+        value: new"],
            [
                "       - name: API_KEY",
                "-        value: [redacted:api-key]",
                "+        value: [redacted:api-key]",
            ],
        ),
        (["+- name: 'TOKEN'", '+  value: "abc"'], ["+- name: 'TOKEN'", "+  value: [redacted:token]"]),
        (["- name: LOG_LEVEL", "  value: info"], ["- name: LOG_LEVEL", "  value: info"]),
        (["- name: TOKEN", "  value: ''"], ["- name: TOKEN", "  value: ''"]),
        (
            ["- name: TOKEN", "  value: '[redacted:token, changed]'"],
            ["- name: TOKEN", "  value: '[redacted:token, changed]'"],
        ),
        (["- name: TOKEN", "- name: X", "  value: x"], ["- name: TOKEN", "- name: X", "  value: x"]),
    ],
)
def test_lines_of_a_diff_are_masked_by_the_name_before(lines: list[str], masked: list[str]) -> None:
    """As a text that somebody else has made of it."""
    assert masked_lines(lines) == masked


def test_what_is_not_shown_is_spelled_out() -> None:
    """An approver sees every character of a change; none of it can look like another line of the diff."""
    hidden = {"a": "x\u202ey\u200b", "b": "one\u2028+  replicas: 100", "c": "\x1b[2J", "d\u202e": "1"}
    diff = unified_diff({}, hidden, name="x")
    assert [line for line in diff.splitlines() if line.startswith("+")][1:] == [
        "+a: x\\u202ey\\u200b",
        "+b: 'one\\u2028+  replicas: 100'",
        "+c: \\u001b[2J",
        "+d\\u202e: '1'",
    ]
