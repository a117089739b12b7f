"""No secret leaves the runbook in a text or a JSON value, and masking keeps what explains an incident."""

import base64
import json
from string import ascii_letters, digits
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import JsonValue

from runbook.redaction import LAST_APPLIED, redact, redact_value

SECRET_LETTERS = ascii_letters + digits + "!#$%&'*+-/=?^_{|}~ \"\\@.,;"
secrets = st.text(SECRET_LETTERS, min_size=8, max_size=60).filter(lambda text: text == text.strip())
texts = st.text(max_size=80)
HIDDEN = "[redacted:secret-data]"
HEX_64 = "0123456789abcdef" * 4
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKC\nAQEA+/8=\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("key phx_abcDEF123456.", "key [redacted:phx]."),
        ("phc_abcDEF123456", "[redacted:phc]"),
        ("phs_abcDEF123456", "[redacted:phs]"),
        ("pha_abcDEF123456", "[redacted:pha]"),
        ("phr_abcDEF123456", "[redacted:phr]"),
        (f"inc_{HEX_64}", "[redacted:inc]"),
        ("whsec_MfKQ9r8GKYqrTwjU/+=", "[redacted:whsec]"),
        ("xoxb-12345-abcde", "[redacted:xoxb]"),
        ("xoxp-12345-abcde", "[redacted:xoxp]"),
        ("xapp-1-A012-345-abc", "[redacted:xapp]"),
        ("hooks.slack.com/services/T0/B0/x1", "hooks.slack.com/services/[redacted:slack-webhook]"),
        (
            "Authorization: Bearer a.b-c status=401",
            "Authorization: Bearer [redacted:authorization] status=401",
        ),
        ("authorization=abc status=401", "authorization=[redacted:authorization] status=401"),
        ('{"Authorization": "Basic dTpw"}', '{"Authorization": "Basic [redacted:authorization]"}'),
        ("Authorization: AWS4 Key=A/2, Signature=z\nx", "Authorization: [redacted:authorization]\nx"),
        ("sent Bearer abcdef123456 to it", "sent Bearer [redacted:bearer] to it"),
        ("Cookie: session=abc; csrf=def", "Cookie: [redacted:cookie]"),
        ("password=hunter2, user=bob", "password=[redacted:password], user=bob"),
        ('"password": "two words"', '"password": "[redacted:password]"'),
        (r"{\"password\": \"two words\"}", r"{\"password\": \"[redacted:password]\"}"),
        ("api_key=abc&limit=5", "api_key=[redacted:api-key]&limit=5"),
        ("api-key: abc", "api-key: [redacted:api-key]"),
        ("POSTHOG_API_KEY=abc", "POSTHOG_API_KEY=[redacted:api-key]"),
        ("--from-literal=api-key=NEW --dry-run", "--from-literal=api-key=[redacted:api-key] --dry-run"),
        ("routing_key: 0123456789abcdef0123456789abcdef", "routing_key: [redacted:routing-key]"),
        (JWT, "[redacted:jwt]"),
        ("postgresql://bob:s3cret@db/x", "postgresql://[redacted:userinfo]@db/x"),
        (f"before {PEM} after", "before [redacted:private-key] after"),
        (PEM[:50], "[redacted:private-key]"),
    ],
)
def test_shape_of_a_secret_is_masked_with_its_kind(text: str, masked: str) -> None:
    """Each known shape of a secret becomes a mark that names its kind; what is around it stays."""
    assert redact(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "posthog request failed status=401 path=/flags",
        "trace 0123456789abcdef0123456789abcdef",
        "deployment/posthog-integration reads secret/posthog-secrets",
        "secret:\n  secretName: posthog-secrets",
        "the api_key: invalid, the token: expired",
        "Bearer authentication failed",
        "kubectl get secret posthog-secrets -o yaml",
        "https://status.posthog.com/api/v1/summary",
        "",
    ],
)
def test_text_without_a_secret_stays(text: str) -> None:
    """Names, trace ids and the words that explain an incident are not masked."""
    assert redact(text) == text


def _forms(secret: str) -> list[str]:
    raw = secret.encode()
    return [
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
    ]


@given(secret=secrets, before=texts, after=texts)
def test_listed_secret_never_survives(secret: str, before: str, after: str) -> None:
    """Whatever is around it, a listed secret is masked as it is, URL-encoded, JSON-escaped and in base64."""
    assume("redacted" not in secret)
    for form in _forms(secret):
        assume(form not in before and form not in after)
        assert form not in redact(f"{before} {form} {after}", [secret])


@given(secret=secrets, user=st.text(ascii_letters, min_size=1, max_size=9))
def test_listed_secret_is_found_inside_of_base64(secret: str, user: str) -> None:
    """Basic authentication encodes `user:password` as one: what the password decides of it is masked."""
    encoded = base64.b64encode(f"{user}:{secret}".encode()).decode()
    masked = redact(f"sent {encoded}", [secret])
    assert "[redacted:secret]" in masked
    assert encoded not in masked


PIECES = (
    *("password=", "Authorization: ", "authorization=", "Bearer ", "api_key: ", "https://", "cookie: "),
    *("@", '"', "\\", "[", "]", "\n", " ", "[redacted:phx]", "phx_abcdef12"),
)
labelled = st.lists(st.one_of(texts, st.sampled_from(PIECES)))


@given(parts=labelled, listed=st.lists(secrets, max_size=2))
def test_masking_twice_changes_nothing(parts: list[str], listed: list[str]) -> None:
    """Masking is idempotent, also where marks, labels and quotes lie next to each other."""
    once = redact("".join(parts), listed)
    assert redact(once, listed) == once


def test_short_listed_value_is_ignored() -> None:
    """A listed value of three letters would blank out ordinary words."""
    assert redact("the pod is up", ["pod"]) == "the pod is up"


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"password": "x"}, {"password": "[redacted:password]"}),
        ({"apiKey": 12345}, {"apiKey": "[redacted:api-key]"}),
        ({"tokens_left": 5}, {"tokens_left": 5}),
        ({"automountServiceAccountToken": True}, {"automountServiceAccountToken": True}),
        ({"token": None, "password": ""}, {"token": None, "password": ""}),
        ({"name": "API_KEY", "value": "x"}, {"name": "API_KEY", "value": "[redacted:api-key]"}),
        ({"name": "LOG_LEVEL", "value": "debug"}, {"name": "LOG_LEVEL", "value": "debug"}),
        ({"secret": {"secretName": "a"}}, {"secret": {"secretName": "a"}}),
        (["phx_abcdef12", 1], ["[redacted:phx]", 1]),
        ({"phx_abcdef12": 1}, {"[redacted:phx]": 1}),
        (
            {"kind": "Secret", "data": {"a": "eA=="}, "stringData": {"b": "x"}},
            {"kind": "Secret", "data": {"a": HIDDEN}, "stringData": {"b": HIDDEN}},
        ),
        ({"kind": "ConfigMap", "data": {"a": "x"}}, {"kind": "ConfigMap", "data": {"a": "x"}}),
    ],
)
def test_value_is_masked_by_its_name(value: JsonValue, masked: JsonValue) -> None:
    """In JSON a name is enough to mask a value; references, switches and absent values stay."""
    assert redact_value(value) == masked
    assert redact_value(masked) == masked


def test_secret_inside_of_last_applied_is_masked() -> None:
    """kubectl keeps a Secret's data a second time, as text in an annotation."""
    manifest = json.dumps({"kind": "Secret", "data": {"api-key": "c2VjcmV0LXZhbHVl"}})
    secret: JsonValue = {"kind": "Secret", "metadata": {"annotations": {LAST_APPLIED: manifest}}}
    config: JsonValue = {"metadata": {"annotations": {LAST_APPLIED: manifest}}}
    assert "c2VjcmV0" not in json.dumps(redact_value(secret))
    assert "c2VjcmV0" not in json.dumps(redact_value(config))


def test_listed_secret_is_masked_deep_in_a_value() -> None:
    """Listed secrets are found in any string of a JSON value, keys included."""
    value: JsonValue = {"a": [{"log": "sent correct-horse"}], "correct-horse": 1}
    assert "correct-horse" not in json.dumps(redact_value(value, ["correct-horse"]))
