"""The receiver's first page: what it is, what is open, how to send a test alert, and what waits."""

import html
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import Request
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from deployments.receiver.home import Home, is_from_here
from deployments.receiver.settings import ReceiverSettings
from deployments.receiver.sources import alertmanager, grafana, pagerduty
from deployments.receiver.sources.mapped import MappedSettings
from runbook.alerts.alert import Alert
from runbook.channels.untold import key_of, told_nobody
from runbook.incidents import events as e
from runbook.incidents.effects import Authority
from tests.deployments.cli.test_gates import ROLL_BACK, asking
from tests.deployments.cli_store import Store
from tests.deployments.people_bench import SETTINGS, TOKENS, Receiver, opened, receiver_process

SECRET = "a-secret-of-some-length"
ADDRESS = "http://127.0.0.1:8181"
LOOKED_WITHIN_SECONDS = 20.0
PEOPLE_HEADER = """
[receiver.plain]
token = { file = "it's plain.token" }
"""


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory, make_httpserver: HTTPServer) -> Iterator[Receiver]:
    """A receiver with one open source, whose token is in a file with an awkward name."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "it's plain.token").write_text(SECRET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.deployments.people_bench.SETTINGS", SETTINGS + PEOPLE_HEADER)
        with receiver_process(folder, make_httpserver.url_for("/api")) as running:
            yield running


@pytest.fixture
def kept(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The receiver's store."""
    monkeypatch.setattr("tests.deployments.people_bench.SETTINGS", SETTINGS + PEOPLE_HEADER)
    return receiver.store(monkeypatch)


def page(receiver: Receiver, whose: str | None = None) -> httpx.Response:
    """The page, for a stranger or for somebody with a token."""
    headers = {"authorization": f"Bearer {TOKENS.get(whose, whose)}"} if whose else {}
    return httpx.get(f"{receiver.url}/", headers=headers, trust_env=False, timeout=30)


def text_of(answer: httpx.Response) -> str:
    """What a person reads, with single spaces."""
    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", answer.text, flags=re.S)).split())


def until(receiver: Receiver, words: str) -> str:
    """The page's text, once it has these words: numbers are those of the last look."""
    told = ""
    for _ in range(int(LOOKED_WITHIN_SECONDS / 0.25)):
        if words in (told := text_of(page(receiver))):
            return told
        time.sleep(0.25)
    pytest.fail(f"{words!r} is not on the page: {told}")


@pytest.mark.proof
def test_a_stranger_reads_numbers_and_no_incident(receiver: Receiver, kept: Store) -> None:
    """No id, service, alert, question or name of anybody; no secret; nothing from elsewhere, no script."""
    *before, asked = asking(ROLL_BACK)
    assert isinstance(asked, e.ApprovalRequested)
    incident = opened(kept, *before)
    kept.append(incident, asked, key=f"{e.ApprovalRequested.KEYS}{asked.gate}")
    told = until(receiver, "1 waits for an answer")
    shown = page(receiver).text
    service = kept.read(incident).service
    for inside in (incident, service, ROLL_BACK.action.id, "Asks:", SECRET, *TOKENS.values()):
        assert inside not in shown
    assert not set(TOKENS) & set(re.findall(r"\w+", told))
    assert "shown to people who prove who they are" in told
    assert "<script" not in shown
    assert re.findall(r"(?:src|href)=\"([^\"]+)\"", shown) == ["/docs", "/readyz", "/metrics"]
    assert page(receiver).headers["content-security-policy"].startswith("default-src 'none'")
    assert page(receiver, "guessed" * 8).status_code == 401
    assert incident not in page(receiver, "guessed" * 8).text


def test_a_proven_person_reads_what_is_asked(receiver: Receiver, kept: Store) -> None:
    """The same person reads it through the API."""
    alert = Alert(source="plain", service="x", name="<b>bold</b>", summary="s")
    incident = opened(kept, e.IncidentOpened(alert=alert), *asking(ROLL_BACK)[1:])
    answer = page(receiver, "ana")
    assert answer.status_code == 200
    assert "&lt;b&gt;bold&lt;/b&gt;" in answer.text
    assert "<b>bold" not in answer.text
    told = text_of(answer)
    assert f"runbook incident {incident}" in told
    assert "You are ana." in told


def test_an_incident_of_which_nobody_was_told_is_said_in_red(receiver: Receiver, kept: Store) -> None:
    """A stranger reads that there is one, a proven person reads which."""
    incident = opened(kept, *asking(ROLL_BACK)[:1], e.IncidentEscalated(because="it burns"))
    nobody = told_nobody(incident, 1, "it burns", [], Authority.policy("escalate"))
    assert nobody is not None
    kept.append(incident, e.EffectSettled(effect=nobody), key=key_of(1, nobody))
    until(receiver, "In 1 open incident a person is needed and nobody could be told")
    assert re.search(r'class="bad">In 1 open', page(receiver).text)
    assert "no pager and no channel is configured. A person is needed: it burns" in text_of(
        page(receiver, "ana")
    )
    metrics = httpx.get(f"{receiver.url}/metrics", trust_env=False).text
    assert "runbook_incidents_nobody_told 1.0" in metrics


def test_the_command_on_the_page_works_as_typed(receiver: Receiver, kept: Store) -> None:
    """The secret is where the settings say; the page does not know more of it than that."""
    [command] = re.findall(r"<pre>(.+?)</pre>", page(receiver).text, re.S)
    assert SECRET not in command
    sent = subprocess.run(
        ["sh", "-c", html.unescape(command)],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        env={"PATH": os.environ["PATH"]},
    )
    assert '"new":true' in sent.stdout, sent.stdout + sent.stderr
    assert kept is not None


def home(table: dict[str, object], **sections: object) -> Home:
    """The page's facts of such settings."""
    return Home(ReceiverSettings(**sections), "it's ours", table, Path("/etc/runbook"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("table", "sections", "shown"),
    [
        ({"token": {"env": "ALERT_TOKEN"}}, {"token": SECRET}, '-H "Authorization: Bearer $ALERT_TOKEN"'),
        (
            {"plain": {"token": {"file": "a b"}}},
            {"plain": MappedSettings(token=SecretStr(SECRET))},
            "-H \"Authorization: Bearer $(cat '/etc/runbook/a b')\"",
        ),
        (
            {"alertmanager": {"username": "am", "password": {"env": "AM_PASSWORD"}}},
            {"alertmanager": alertmanager.AlertmanagerSettings(username="am", password=SecretStr(SECRET))},
            '-u am:"$AM_PASSWORD"',
        ),
        ({}, {"token": SECRET}, '-H "Authorization: Bearer TOKEN"'),
    ],
)
def test_the_command_names_the_secret_by_its_reference(
    table: dict[str, object], sections: dict[str, object], shown: str
) -> None:
    """An environment variable, a file, or a word where the settings are not at hand."""
    command = home(table, **sections).test_alert(ADDRESS, ours=True)
    assert shown in command
    assert SECRET not in command


@pytest.mark.parametrize(
    ("sections", "shown"),
    [
        ({"token": SECRET}, '-H "Authorization: Bearer $TOKEN"'),
        (
            {"alertmanager": alertmanager.AlertmanagerSettings(username="am", password=SecretStr(SECRET))},
            '-u "USER:$PASSWORD"',
        ),
    ],
)
def test_a_stranger_s_command_has_a_place_for_the_secret(sections: dict[str, object], shown: str) -> None:
    """Neither where it is kept, nor the name of the sender, nor that of the service."""
    table = {"token": {"file": "a b"}, "alertmanager": {"password": {"env": "AM_PASSWORD"}}}
    command = home(table, **sections).test_alert(ADDRESS, ours=False)
    assert shown in command
    for inside in ("a b", "AM_PASSWORD", "am:", "it's ours", "/etc", SECRET):
        assert inside not in command


@pytest.mark.parametrize("username", ["it's", 'a"b', "a b", "$(id)", "`id`", "a\\"])
def test_a_user_of_any_name_is_quoted_for_a_shell(username: str) -> None:
    """The shell hands on exactly that name."""
    own = alertmanager.AlertmanagerSettings(username=username, password=SecretStr(SECRET))
    command = home({"alertmanager": {"password": {"env": "P"}}}, alertmanager=own).test_alert(
        ADDRESS, ours=True
    )
    argument = re.findall(r"-u .*", command)[0].removesuffix(" \\")
    told = subprocess.run(
        ["sh", "-c", f"printf %s {argument.removeprefix('-u ')}"], capture_output=True, text=True, check=True
    )
    assert told.stdout == f"{username}:"


THROUGH_A_PROXY = {"x-forwarded-for": "198.51.100.7"}
OTHER_HOST = {"host": "runbook.example.com"}


@pytest.mark.parametrize(
    "headers", [THROUGH_A_PROXY, {"forwarded": "for=198.51.100.7"}, {"via": "1.1 p"}, OTHER_HOST]
)
def test_who_is_not_at_this_machine_reads_no_path_of_it(
    receiver: Receiver, kept: Store, headers: dict[str, str]
) -> None:
    """A proxy of this machine passes on the requests of others, and a page can point its name here."""
    answer = httpx.get(f"{receiver.url}/", headers=headers, trust_env=False, timeout=30)
    assert "plain.token" not in answer.text
    assert "Bearer $TOKEN" in text_of(answer)
    proven = headers | {"authorization": f"Bearer {TOKENS['ana']}"}
    assert "plain.token" in httpx.get(f"{receiver.url}/", headers=proven, trust_env=False, timeout=30).text
    assert kept is not None


@pytest.mark.parametrize(
    ("config", "client", "here"),
    [
        ({}, ("127.0.0.1", 1), True),
        ({}, ("::1", 1), True),
        ({}, ("192.0.2.7", 1), False),
        ({}, None, False),
        ({"public_url": "https://runbook.example.com"}, ("127.0.0.1", 1), False),
    ],
)
def test_where_people_come_through_a_proxy_nobody_is_at_this_machine(
    config: dict[str, object], client: tuple[str, int] | None, here: bool
) -> None:
    """A proxy need not say that it is one; that there is one, the settings say."""
    scope = {"type": "http", "headers": [(b"host", b"localhost:8181")], "client": client}
    assert is_from_here(Request(scope), ReceiverSettings(**config)) is here  # type: ignore[arg-type]


def test_a_source_that_signs_has_no_command(receiver: Receiver) -> None:
    """Its own program has a test."""
    signed = {
        "grafana": grafana.GrafanaSettings(secret=SecretStr(SECRET)),
        "pagerduty": pagerduty.PagerDutySettings(),
    }
    known = home({}, **signed)
    assert known.test_alert(ADDRESS, ours=True) == ""
    [row] = [row for row in known.sources() if row.proofs]
    assert row.proofs == ("a signature of the body in X-Grafana-Alerting-Signature",)
    assert [row.section for row in known.sources()][1:]  # the closed ones name where to open them
    told = text_of(page(receiver))
    assert "POST /alerts/plain open" in told
    assert "POST /alerts/grafana closed" in told
    assert "[receiver.grafana]" in told
