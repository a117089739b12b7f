"""What does not come from Slack, comes late, or cannot be read: refused, counted, and told in one line."""

import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.channels.buttons import ButtonKind
from tests.conftest import EXAMPLES
from tests.deployments.cli.test_gates import ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import opened
from tests.deployments.slack_bench import ANA, KEYS, Chat
from tests.deployments.sleeping_run import FakePrefect

SECRET = KEYS.slack_signing_secret.get_secret_value()
FORM = "application/x-www-form-urlencoded"


def signed(body: bytes, *, secret: str = SECRET, at: float | None = None, **other: str) -> dict[str, str]:
    """The headers of a request that Slack has signed, or somebody else."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, "sha256").hexdigest()
    own = {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}", "content-type": FORM}
    return own | {name.replace("_", "-"): value for name, value in other.items()}


def post(chat: Chat, body: bytes, headers: dict[str, str]) -> httpx.Response:
    """Send it."""
    return httpx.post(chat.url, content=body, headers=headers, trust_env=False, timeout=30)


def click_on(chat: Chat, kept: Store) -> tuple[str, dict[str, Any]]:
    """An incident that asks, and a click that would approve."""
    incident = opened(kept, *asking(ROLL_BACK))
    message = chat.post(kept.read(incident), ButtonKind.APPROVE)
    return incident, chat.payload(ANA, message, ButtonKind.APPROVE)


def body_of(payload: Any) -> bytes:
    """The form."""
    return urlencode({"payload": payload if isinstance(payload, str) else json.dumps(payload)}).encode()


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("no headers", lambda _: {"content-type": FORM}),
        ("another secret", lambda body: signed(body, secret="0" * 32)),
        ("another body", lambda body: signed(body + b" ")),
        (
            "no version",
            lambda body: signed(body) | {"x-slack-signature": signed(body)["x-slack-signature"][3:]},
        ),
        ("another version", lambda body: signed(body) | {"x-slack-signature": "v1=" + "0" * 64}),
        ("cut", lambda body: signed(body) | {"x-slack-signature": signed(body)["x-slack-signature"][:-1]}),
        (
            "capitals",
            lambda body: signed(body) | {"x-slack-signature": signed(body)["x-slack-signature"].upper()},
        ),
        ("six minutes old", lambda body: signed(body, at=time.time() - 360)),
        ("six minutes ahead", lambda body: signed(body, at=time.time() + 360)),
        ("no time", lambda body: {k: v for k, v in signed(body).items() if "timestamp" not in k}),
        ("a time that is none", lambda body: signed(body) | {"x-slack-request-timestamp": "soon"}),
        (
            "a time with a sign",
            lambda body: signed(body) | {"x-slack-request-timestamp": f"+{int(time.time())}"},
        ),
        ("a huge time", lambda body: signed(body) | {"x-slack-request-timestamp": "9" * 400}),
        (
            "another time",
            lambda body: signed(body) | {"x-slack-request-timestamp": str(int(time.time()) - 60)},
        ),
        ("a token", lambda _: {"authorization": "Bearer " + "a" * 40, "content-type": FORM}),
    ],
)
def test_what_slack_has_not_signed_now_is_refused(
    name: str, headers: Callable[[bytes], dict[str, str]], chat: Chat, kept: Store
) -> None:
    """It learns nothing, and does nothing."""
    incident, payload = click_on(chat, kept)
    body = body_of(payload)
    before = kept.read(incident)
    answer = post(chat, body, headers(body))
    assert (answer.status_code, answer.json()) == (401, {"error": "not authenticated"}), name
    assert kept.read(incident) == before


def test_the_old_secret_is_taken_while_it_is_exchanged(chat: Chat, kept: Store, prefect: FakePrefect) -> None:
    """The settings are read again for each request: no restart."""
    (chat.receiver.folder / "new.secret").write_text("f" * 32)
    settings_file = chat.receiver.folder / "runbook.toml"
    new = 'signing_secret = { file = "new.secret" }\nprevious_signing_secrets = [{ file = "slack.secret" }]'
    both = settings_file.read_text().replace('signing_secret = { file = "slack.secret" }', new)
    settings_file.write_text(both)
    incident, payload = click_on(chat, kept)
    body = body_of(payload)
    assert post(chat, body, signed(body, secret="e" * 32)).status_code == 401
    assert post(chat, body, signed(body)).status_code == 200
    assert post(chat, body, signed(body, secret="f" * 32)).status_code == 200
    settings_file.write_text(both.replace(new.partition("\n")[2], ""))
    assert post(chat, body, signed(body)).status_code == 401
    assert kept.read(incident).pending_gate is None
    chat.soon(lambda: prefect.forms)


def test_without_a_secret_the_path_is_closed(chat: Chat, kept: Store) -> None:
    """For everybody; the log says what to set."""
    _, payload = click_on(chat, kept)
    chat.receiver.configure()
    body = body_of(payload)
    assert post(chat, body, signed(body)).status_code == 404
    assert "[receiver.slack]" in chat.receiver.log()


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ('teams = ["T0DRILLTEAM"]\napp_id = "A0RUNBOOK00"\n', 200),
        ('teams = ["T0OTHER"]\n', 403),
        ('app_id = "A0OTHER"\n', 403),
    ],
)
def test_only_our_app_and_workspace_are_taken(
    more: str, status: int, chat: Chat, kept: Store, prefect: FakePrefect
) -> None:
    """Where the settings say which."""
    settings_file = chat.receiver.folder / "runbook.toml"
    settings_file.write_text(settings_file.read_text().replace("[slack]", f"{more}[slack]"))
    incident, payload = click_on(chat, kept)
    assert chat.send(payload).status == status
    assert (kept.read(incident).pending_gate is None) == (status == 200)
    assert prefect.url


def test_somebody_of_another_company_in_a_shared_channel_is_refused(chat: Chat, kept: Store) -> None:
    """The message is in our workspace, and the person is not."""
    settings_file = chat.receiver.folder / "runbook.toml"
    settings_file.write_text(settings_file.read_text().replace("[slack]", 'teams = ["T0DRILLTEAM"]\n[slack]'))
    _, payload = click_on(chat, kept)
    payload["user"]["team_id"] = "T0PARTNER"
    assert chat.send(payload).status == 403


def _without(payload: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in names}


@pytest.mark.parametrize(
    ("name", "made", "status"),
    [
        ("no form", lambda p: json.dumps(p).encode(), 422),
        ("no payload", lambda _: b"other=1", 422),
        ("empty", lambda _: b"", 422),
        ("two payloads", lambda p: body_of(p) + b"&" + body_of(p), 422),
        ("no JSON", lambda _: body_of("{"), 422),
        ("a list", lambda p: body_of([p]), 422),
        ("deep", lambda _: body_of("[" * 20_000), 422),
        (
            "deep in the message",
            lambda p: body_of(
                json.dumps(p)[:-1] + ', "message": {"blocks": [' + '{"a":' * 5000 + "1" + "}" * 5000 + "]}}"
            ),
            422,
        ),
        ("another type", lambda p: body_of(p | {"type": "message_action"}), 422),
        ("no user", lambda p: body_of(_without(p, "user")), 422),
        ("no actions", lambda p: body_of(p | {"actions": []}), 422),
        ("no trigger", lambda p: body_of(_without(p, "trigger_id")), 422),
        ("a user of null", lambda p: body_of(p | {"user": {"id": None}}), 422),
        ("half a surrogate", lambda p: body_of(json.dumps(p).replace("u0ana", "\\ud800")), 422),
        ("no UTF-8", lambda _: b"payload=%FF%FE", 422),
        ("too long", lambda p: body_of(p | {"pad": "x" * 300_000}), 413),
        ("a broken button", lambda p: body_of(p | {"actions": [p["actions"][0] | {"value": "{}"}]}), 422),
        ("an unknown button", lambda p: body_of(p | {"actions": [{"action_id": "runbook.explode"}]}), 422),
    ],
)
def test_what_cannot_be_read_is_refused(
    name: str, made: Callable[[dict[str, Any]], bytes], status: int, chat: Chat, kept: Store
) -> None:
    """Also where Slack has signed it. Nothing of it is in the log."""
    incident, payload = click_on(chat, kept)
    body = made(payload)
    before, lines = kept.read(incident), len(chat.receiver.log().splitlines())
    assert post(chat, body, signed(body)).status_code == status, name
    assert kept.read(incident) == before
    told = [line for line in chat.receiver.log().splitlines()[lines:] if "/slack/interactions" in line]
    assert len(told) <= 1
    assert payload["response_url"] not in "".join(told)


def test_another_content_type_is_refused(chat: Chat, kept: Store) -> None:
    """A form is what Slack sends."""
    _, payload = click_on(chat, kept)
    body = body_of(payload)
    assert post(chat, body, signed(body, content_type="application/json")).status_code == 415


def test_requests_are_counted_as_those_of_other_sources(
    chat: Chat, kept: Store, prefect: FakePrefect
) -> None:
    """What was taken, and what was refused and why."""
    _, payload = click_on(chat, kept)
    body = body_of(payload)
    assert post(chat, body, signed(body)).status_code == 200
    post(chat, body, signed(body, secret="0" * 32))
    metrics = httpx.get(f"{chat.receiver.url}/metrics", trust_env=False).text
    assert 'runbook_notifications_accepted_total{source="slack"}' in metrics
    assert 'runbook_notifications_refused_total{reason="unauthenticated",source="slack"}' in metrics
    assert SECRET not in chat.receiver.log()
    chat.soon(lambda: prefect.forms)


def test_nothing_is_told_to_an_address_that_is_not_slacks(chat: Chat, kept: Store) -> None:
    """What a payload names is no reason to send anything there."""
    _, payload = click_on(chat, kept)
    payload["actions"][0]["value"] = payload["actions"][0]["value"].replace('"plan":"', '"plan":"0')
    for url in (
        "http://169.254.169.254/latest",
        f"{chat.receiver.url}/alerts/plain",
        "https://hooks.slack.com.example/x",
        "https://u@hooks.slack.com/x",
        "http://hooks.slack.com/x",
        "file:///etc/passwd",
        "//[",
    ):
        assert chat.send(payload | {"response_url": url}).status == 200
    chat.soon(lambda: chat.receiver.log().count("no address of Slack to tell it at") >= 7)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


def test_no_payload_breaks_it(chat: Chat, kept: Store) -> None:
    """Whatever stands in a field of a click or of a dialog, the answer is no server error, and no answer."""
    incident, click = click_on(chat, kept)
    before = kept.read(incident)
    view = {"id": "V1", "private_metadata": "{}", "state": {"values": {"reason": {"value": {"value": "x"}}}}}
    sent = {"type": "view_submission", "user": click["user"], "team": click["team"], "view": view}

    @settings(
        max_examples=max(25, EXAMPLES // 4),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(base=st.sampled_from([click, sent]), data=st.data())
    def breaks_nothing(base: dict[str, Any], data: st.DataObject) -> None:
        field = data.draw(st.sampled_from(["user", "actions", "trigger_id", "view", "message", "type"]))
        body = body_of(base | {field: data.draw(_JSON)})
        answer = post(chat, body, signed(body))
        assert answer.status_code < 500
        assert answer.status_code in (200, 422) or answer.status_code == 413

    breaks_nothing()
    told = kept.read(incident)
    assert told == before or told.pending_gate is None
