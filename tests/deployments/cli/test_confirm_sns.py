"""`runbook alerts confirm-sns`: the receiver keeps what SNS asks, and only a person's command calls it."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from blocks.store.journal import IncidentStore
from deployments.cli import main
from deployments.cli.errors import ExitCode
from deployments.receiver.sources.confirmations import MOST, Confirmations
from runbook.alerts.mapping.sns import Confirmation
from tests.deployments.cli_store import store_in
from tests.deployments.receiver.test_mapped import ALL
from tests.deployments.receiver_bench import AUTHORIZED, Prefect, serving
from tests.runbook.alerts.mapping_samples import sample

Capture = pytest.CaptureFixture[str]
SENT = sample("cloudwatch.confirmation")
PATH = "/alerts/mapped/my-cloudwatch"
TOPIC = SENT["TopicArn"]


def confirmation(topic: str) -> Confirmation:
    """What that topic asks."""
    return Confirmation(topic=topic, url=SENT["SubscribeURL"].replace(TOPIC, topic))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Confirmations:
    """Where the receiver keeps it, and the settings file that leads there."""
    store_in(tmp_path, monkeypatch)
    return Confirmations(tmp_path / ".runbook" / "sns")


@pytest.fixture
def asked(kept: Confirmations) -> Confirmations:
    """A topic has asked."""
    kept.keep("cloudwatch", Confirmation(topic=TOPIC, url=SENT["SubscribeURL"]))
    return kept


class Sns:
    """Amazon SNS at the wire: what was called, and what it answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.status = 200
        real = httpx.AsyncClient

        def answer(request: httpx.Request) -> httpx.Response:
            self.calls.append(str(request.url))
            if not self.status:
                raise httpx.ConnectError("refused", request=request)
            headers = {"location": "https://evil.example/"} if self.status == 302 else {}
            return httpx.Response(self.status, headers=headers, text="<ConfirmSubscriptionResponse/>")

        def client(**given: Any) -> httpx.AsyncClient:
            return real(**{**given, "transport": httpx.MockTransport(answer), "proxy": None})

        monkeypatch.setattr(httpx, "AsyncClient", client)


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> Sns:
    """Amazon SNS."""
    return Sns(monkeypatch)


async def receive(kept: Confirmations | None, payload: Any, tmp_path: Path) -> httpx.Response:
    """The answer of a receiver that keeps confirmations there."""
    store = IncidentStore(url=SecretStr(f"sqlite+aiosqlite:///{tmp_path}/received.db"))
    async with serving(store, Prefect(), ALL, confirmations=kept) as client:
        answer = await client.post(PATH, json=payload, headers=AUTHORIZED)
    assert await store.incidents() == []
    return answer


async def test_a_receiver_keeps_what_sns_asks_and_calls_nothing(
    kept: Confirmations, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It says what to do; the token is in a file for its owner only, not in the answer or the log."""
    answer = await receive(kept, SENT, tmp_path)
    assert answer.status_code == 202
    assert "runbook alerts confirm-sns" in answer.json()["ignored"][0]["reason"]
    [one] = kept.all()
    assert (one.source, one.confirmation.topic) == ("my-cloudwatch", TOPIC)
    assert one.confirmation.url == SENT["SubscribeURL"]
    [file] = (tmp_path / ".runbook" / "sns").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert SENT["Token"] not in answer.text + caplog.text
    assert "runbook alerts confirm-sns" in caplog.text


async def test_what_cannot_be_kept_is_refused_so_that_sns_asks_again(
    kept: Confirmations, tmp_path: Path
) -> None:
    """Nothing is lost without a word, and nobody fills the disk."""
    for number in range(MOST):
        kept.keep("x", confirmation(f"{TOPIC}-{number}"))
    full = await receive(kept, SENT, tmp_path)
    nowhere = await receive(None, SENT, tmp_path)
    assert (full.status_code, nowhere.status_code) == (503, 503)
    assert "too many topics ask" in full.json()["error"]
    assert len(kept.all()) == MOST


async def test_a_topic_that_asks_again_is_kept_once(kept: Confirmations, tmp_path: Path) -> None:
    """With its newest address."""
    again = SENT | {"SubscribeURL": SENT["SubscribeURL"].replace("2336", "9999")}
    for payload in (SENT, again):
        await receive(kept, payload, tmp_path)
    [one] = kept.all()
    assert "9999" in one.confirmation.url


def test_a_person_who_says_yes_confirms_it(asked: Confirmations, sns: Sns, capsys: Capture) -> None:
    """Once: then nothing asks any more."""
    assert main(["alerts", "confirm-sns", "--yes", "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["result"] == "confirmed"
    assert sns.calls == [SENT["SubscribeURL"]]
    assert asked.all() == []
    assert main(["alerts", "confirm-sns", "--yes"]) == ExitCode.NOTHING


@pytest.mark.parametrize(
    ("answer", "code"), [("y\n", ExitCode.OK), ("\n", ExitCode.FAILED), ("", ExitCode.FAILED)]
)
def test_a_person_at_the_terminal_sees_the_address_first(
    asked: Confirmations,
    sns: Sns,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    answer: str,
    code: ExitCode,
) -> None:
    """And is asked; anything but yes calls nothing, and keeps it."""
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert main(["alerts", "confirm-sns"]) == code
    shown = capsys.readouterr().out
    assert TOPIC in shown
    assert "https://sns.us-east-1.amazonaws.com/" in shown
    assert SENT["Token"] not in shown
    assert len(sns.calls) == len([0] if code == ExitCode.OK else [])
    assert len(asked.all()) == 1 - len(sns.calls)


@pytest.mark.parametrize(
    ("status", "code"), [(403, ExitCode.FAILED), (302, ExitCode.FAILED), (0, ExitCode.UNREACHABLE)]
)
def test_what_sns_refuses_stays_to_be_confirmed(
    asked: Confirmations, sns: Sns, capsys: Capture, status: int, code: ExitCode
) -> None:
    """One line says why, without the token; no redirect is followed."""
    sns.status = status
    assert main(["alerts", "confirm-sns", "--yes"]) == code
    [line] = capsys.readouterr().err.splitlines()
    assert "Amazon SNS" in line
    assert SENT["Token"] not in line
    assert sns.calls == [SENT["SubscribeURL"]]
    assert len(asked.all()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], ExitCode.USAGE, "give --yes"),
        (["other"], ExitCode.NOTHING, "no topic that ends in 'other' asks to be confirmed"),
        (["--forget"], ExitCode.OK, ""),
    ],
)
def test_nothing_is_called_unless_somebody_says_so(
    asked: Confirmations, sns: Sns, capsys: Capture, arguments: list[str], code: ExitCode, said: str
) -> None:
    """No terminal, another topic, or one that nobody wants."""
    assert main(["alerts", "confirm-sns", *arguments]) == code
    assert said in capsys.readouterr().err
    assert sns.calls == []
    assert len(asked.all()) == (0 if "--forget" in arguments else 1)


def test_of_several_topics_one_is_named(asked: Confirmations, sns: Sns, capsys: Capture) -> None:
    """By the end of its name."""
    asked.keep("cloudwatch", confirmation("arn:aws:sns:us-east-1:111122223333:other"))
    assert main(["alerts", "confirm-sns", "--yes"]) == ExitCode.USAGE
    assert "several topics ask" in capsys.readouterr().err
    assert main(["alerts", "confirm-sns", "other", "--yes"]) == ExitCode.OK
    assert [one.confirmation.topic for one in asked.all()] == [TOPIC]
    assert len(sns.calls) == 1


@pytest.mark.usefixtures("asked")
def test_a_kept_address_is_looked_at_again(tmp_path: Path, sns: Sns) -> None:
    """Whoever can write the file cannot make the command call another host, or confirm another topic."""
    [file] = (tmp_path / ".runbook" / "sns").iterdir()
    was = file.read_text()
    for told, other in (("sns.us-east-1.amazonaws.com", "evil.example"), ("alerts", "mine")):
        forged = was.replace(told, other, 1)
        assert forged != was
        file.write_text(forged)
        assert main(["alerts", "confirm-sns", "--yes"]) == ExitCode.NOTHING
    assert sns.calls == []


@pytest.mark.usefixtures("asked")
def test_alerts_tells_of_a_topic_that_asks(capsys: Capture) -> None:
    """Nothing comes from there before somebody confirms it."""
    assert main(["alerts"]) == ExitCode.OK
    assert f"SNS asks to confirm {TOPIC}: runbook alerts confirm-sns" in capsys.readouterr().err
