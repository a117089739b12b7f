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
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from deployments.receiver.home import Home
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
    command = home(table, **sections).test_alert(ADDRESS)
    assert shown in command
    assert SECRET not in command


def test_a_source_that_signs_has_no_command(receiver: Receiver) -> None:
    """Its own program has a test."""
    signed = {
        "grafana": grafana.GrafanaSettings(secret=SecretStr(SECRET)),
        "pagerduty": pagerduty.PagerDutySettings(),
    }
    known = home({}, **signed)
    assert known.test_alert(ADDRESS) == ""
    [row] = [row for row in known.sources() if row.proofs]
    assert row.proofs == ("a signature of the body in X-Grafana-Alerting-Signature",)
    assert [row.section for row in known.sources()][1:]  # the closed ones name where to open them
    told = text_of(page(receiver))
    assert "POST /alerts/plain open" in told
    assert "POST /alerts/grafana closed" in told
    assert "[receiver.grafana]" in told
