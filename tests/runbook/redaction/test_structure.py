"""Masked data stays data: JSON and YAML parse as before, and only what holds a secret changes."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from runbook.redaction import LAST_APPLIED, Redactor, redact, redact_value

PASSWORD = "[redacted:password]"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"b": 1.10, "password": "x1", "a": 1E5}', f'{{"b": 1.10, "password": "{PASSWORD}", "a": 1E5}}'),
        ('{"password":12345678}', f'{{"password":"{PASSWORD}"}}'),
        ('{"password": null, "tokens": 512}', '{"password": null, "tokens": 512}'),
        ('{"Token": -1, "max_tokens": -512}', '{"Token": -1, "max_tokens": -512}'),
        ('{"password": -12345678}', '{"password": "[redacted:password]"}'),
        ('{ "a" : [ "x" , {"password":"y1"} ] }', f'{{ "a" : [ "x" , {{"password":"{PASSWORD}"}} ] }}'),
        ('{"password":"x1","password":"y2"}', f'{{"password":"{PASSWORD}","password":"{PASSWORD}"}}'),
        ('{"a":"caf\\u00e9 phx_abcDEF123456"}', '{"a":"caf\\u00e9 [redacted:phx]"}'),
        ('{"a":"café phx_abcDEF123456"}', '{"a":"café [redacted:phx]"}'),
        ('{"a":"password=\\"x1 y2\\""}', f'{{"a":"password=\\"{PASSWORD}\\""}}'),
        ('{"m":"{\\"password\\":\\"x1\\"}"}', f'{{"m":"{{\\"password\\":\\"{PASSWORD}\\"}}"}}'),
        ('INFO {"password":"x1"} sent', f'INFO {{"password":"{PASSWORD}"}} sent'),
        ('a={"b":1}\npassword={"value":"x1"}', f'a={{"b":1}}\npassword={{"value":"{PASSWORD}"}}'),
        ('{"a":1}\n{"token":"x1y2"}\n', '{"a":1}\n{"token":"[redacted:token]"}\n'),
        ('"password=x1\\n"', f'"password={PASSWORD}\\n"'),
        (
            '[["Authorization","Basic dTpw"],["a","b"]]',
            '[["Authorization","Basic [redacted:authorization]"],["a","b"]]',
        ),
        ('[{"name":"API_KEY","value":"x"}]', '[{"name":"API_KEY","value":"[redacted:api-key]"}]'),
        ('{"args":["--token","x1","-v"]}', '{"args":["--token","[redacted:token]","-v"]}'),
        ('{"phx_abcDEF123456":1}', '{"[redacted:phx]":1}'),
    ],
)
def test_json_is_written_back_with_nothing_else_changed(text: str, masked: str) -> None:
    """Numbers, spaces, escapes, the order of keys and keys that are there twice stay as they were."""
    assert redact(text) == masked
    assert redact(masked) == masked


def test_no_member_is_lost_where_masking_makes_keys_alike() -> None:
    """Two keys that become the same mark stay two members."""
    value: JsonValue = {"phx_abcDEF123456": 1, "phx_abcDEF123457": 2, "[redacted:phx]": 3}
    masked = redact_value(value)
    assert isinstance(masked, dict)
    assert sorted(str(item) for item in masked.values()) == ["1", "2", "3"]
    assert len(json.loads(redact(json.dumps(value)))) == 3


def test_copy_of_a_secret_in_an_annotation_is_masked() -> None:
    """kubectl keeps the manifest of a Secret as JSON in JSON; its data is masked there too."""
    copy = json.dumps({"kind": "Secret", "data": {"foo": "aHVudGVyMg=="}})
    text = json.dumps({"kind": "ConfigMap", "metadata": {"annotations": {LAST_APPLIED: copy}}})
    masked = json.loads(redact(text))
    inner = json.loads(masked["metadata"]["annotations"][LAST_APPLIED])
    assert inner == {"kind": "Secret", "data": {"foo": "[redacted:secret-data]"}}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("a: 1\npassword: hunter2\nb: 2\n", f"a: 1\npassword: '{PASSWORD}'\nb: 2\n"),
        ("password: hunter2 # old\nb: 2", f"password: '{PASSWORD}' # old\nb: 2"),
        ("password: hunter2", f"password: {PASSWORD}"),
        ("password: |\n  one\n  two\nb: 2", f"password: |\n  {PASSWORD}\nb: 2"),
        ("password:\n  hunter2\nb: 2", f"password:\n  '{PASSWORD}'\nb: 2"),
        ("passwords:\n- one1\n- two2\nb: 2", f"passwords:\n- '{PASSWORD}'\n- '{PASSWORD}'\nb: 2"),
        ("- name: DB_PASSWORD\n  value: hunter2", f"- name: DB_PASSWORD\n  value: '{PASSWORD}'"),
        ("owner: alice@example.com on call\nb: 2", "owner: '[redacted:email] on call'\nb: 2"),
        ("to: [alice@example.com, x]\nb: 2", "to: ['[redacted:email]', x]\nb: 2"),
        ("alice@example.com: 1\nb: 2", "'[redacted:email]': 1\nb: 2"),
        ("INFO token: x1y2\nand then more words", "INFO token: [redacted:token]\nand then more words"),
    ],
)
def test_yaml_keeps_its_values(text: str, masked: str) -> None:
    """A mark would begin a list, so it is quoted where a text of several lines is YAML, and only there."""
    assert redact(text) == masked
    assert redact(masked) == masked


YAML_SCALARS = st.sampled_from(
    (
        *(
            "alice@example.com",
            "alice@example.com is on call",
            "203.0.113.7",
            "203.0.113.7:443 refused",
            "hunter2",
        ),
        *(
            "it's phx_abcDEF123456",
            "phx_abcDEF123456",
            "postgres://a:b@c/d",
            "Basic dTpw",
            "Bearer abcdef123456",
        ),
        *(
            "line one\nphx_abcDEF123456\nline three",
            "plain",
            "two words",
            "a: b",
            "- c",
            "#d",
            "",
            "yes",
            "12",
            "@x",
        ),
        *("password=hunter2", "curl -u a:b https://x", 'quoted "x"', "{a: b}", "[c]", "café"),
    )
)
YAML_NAMES = st.sampled_from(
    (
        "password",
        "owner",
        "url",
        "Authorization",
        "args",
        "note",
        "name",
        "value",
        "tokens",
        "cookie",
        "kind",
        "data",
    )
)
yaml_values = st.recursive(
    YAML_SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(YAML_NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(value=st.dictionaries(YAML_NAMES, yaml_values, min_size=2, max_size=5), flow=st.booleans())
def test_yaml_stays_yaml(value: dict[str, Any], flow: bool) -> None:
    """A manifest parses after masking, and its members are where they were."""
    text = yaml.safe_dump(value, default_flow_style=None if flow else False, allow_unicode=True, width=10_000)
    masked = redact(text)
    parsed = yaml.safe_load(masked)
    assert _names(parsed) == _names(value)
    assert redact(masked) == masked


def test_data_of_a_secret_in_yaml_is_masked() -> None:
    """Whatever its keys are, in whatever order the members stand; other objects beside it are left."""
    text = (
        "apiVersion: v1\nitems:\n- data:\n    foo: aHVudGVyMg==\n    bar: |\n      bW9y\n"
        "      ZQ==\n  kind: Secret\n"
        "- kind: ConfigMap\n  data:\n    foo: plain\n"
    )
    masked = redact(text)
    assert yaml.safe_load(masked)["items"][0]["data"]["foo"] == "[redacted:secret-data]"
    assert yaml.safe_load(masked)["items"][1]["data"] == {"foo": "plain"}
    assert "bW9y" not in masked


def test_hosts_of_the_settings_stay_readable() -> None:
    """An address that is configured is ours, public or not."""
    redactor = Redactor(
        hosts=["https://203.0.113.5:9090/prometheus", "2001:db8::5", "https://[2001:db8::6]/"]
    )
    text = "asked 203.0.113.5:9090 and [2001:db8::5]:443 and [2001:db8::6] for 203.0.113.7"
    assert redactor.text(text) == text.replace("203.0.113.7", "[redacted:ip]")
    assert "203.0.113.5" not in redact(text)


def test_value_that_is_nested_too_deep_keeps_its_upper_levels() -> None:
    """What is too deep becomes a mark; the object around it stays an object."""
    value: JsonValue = "x"
    for _ in range(300):
        value = {"a": value}
    masked = redact_value({"deep": value, "b": 1})
    assert isinstance(masked, dict)
    assert masked["b"] == 1
    assert "[redacted:nested-too-deep]" in json.dumps(masked)


def _names(value: Any) -> Any:
    """The names of members, without scalars and without what lists hold that are no lists before."""
    if isinstance(value, dict):
        return {key: _names(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_names(item) for item in value]
    return None
