"""What is not configured: told with what follows from it, and only where it is so."""

from pathlib import Path
from typing import Any

import pytest

from blocks.environment import Environment
from deployments.prefect.configure import blocks
from deployments.settings.missing import Missing, missing
from tests.deployments.settings_samples import load

PAGER = '[pager]\nrouting_key = { env = "A_SECRET" }\n'
SLACK = '[slack]\ntoken = { env = "A_SECRET" }\nchannel = "C0123456789"\n'
PUBLISHER = (
    '[status_page_publisher]\nprovider = "statuspage"\napi_key = { env = "A_SECRET" }\npage_id = "abcdefg"\n'
)
WATCH = '[self_watch]\n[receiver.self_watch]\ntoken = { env = "A_SECRET" }\n'
PINGED = WATCH.replace("[self_watch]", '[self_watch]\nping_url = { env = "A_PING" }', 1)
SOURCE = '[receiver]\ntoken = { env = "A_SECRET" }\n'
OTHER_SOURCE = '[receiver.pagerduty]\nsecrets = [{ env = "A_SECRET" }]\n'
CLUSTER = "[cluster]\nin_cluster = true\n"
PEOPLE = '[policy.people.ana]\nlogins = ["ana", "U0ANA"]\n'
CLICKS = '[receiver.slack]\nsigning_secret = { env = "A_SECRET" }\n'
ACTS = "[policy.acts]\naccept_unverified = false\n"
UNASKED = '[policy.public]\npublish_without_asking = ["P1", "P2"]\n'
ALL = (PAGER, SLACK, PUBLISHER, PINGED, SOURCE, CLUSTER, PEOPLE, CLICKS, ACTS)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("A_SECRET", "a-secret-for-this-test")
    monkeypatch.setenv("A_PING", "https://ping.example/abc")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))


def found(folder: Path, *parts: str) -> dict[str, Missing]:
    """What is missing in settings of these parts, by name."""
    settings = load(folder / "runbook.toml", "\n".join(parts))
    return {each.name: each for each in missing(settings, Environment.of("default", blocks(settings)))}


def without(*parts: str) -> tuple[str, ...]:
    """All parts but these."""
    return tuple(part for part in ALL if part not in parts)


def test_where_all_is_there_nothing_is_missing(tmp_path: Path) -> None:
    """No line is printed then."""
    assert found(tmp_path, *ALL) == {}


@pytest.mark.parametrize(
    ("parts", "name", "words"),
    [
        (without(SOURCE), "sources", "No alert source is open: every alert is refused"),
        (
            without(PAGER, SLACK, CLICKS),
            "channels",
            "No pager and no channel: when the runbook needs a person, nobody",
        ),
        (without(PAGER), "pager", "No pager: pages reach the channel only (slack), and wake nobody"),
        (
            without(SLACK, CLICKS),
            "channel",
            "No channel: the team is told nothing but pages, and not asked about public texts. Set [slack].",
        ),
        (
            (*without(SLACK, CLICKS), UNASKED),
            "channel",
            "No channel: the team is told nothing but pages. Set [slack].",
        ),
        (without(PUBLISHER), "own status page", "No status page of your own: customers are told nothing"),
        (without(PINGED), "self-watch", "No self-watch: if the runbook itself stops, nobody is told"),
        ((*without(PINGED), WATCH), "self-watch", "A self-watch without a ping: if the worker and"),
        (without(CLUSTER), "cluster", "triage does not see the workload, and nothing can be changed"),
        (without(CLICKS), "Slack clicks", "No signing secret of Slack: nobody can answer there. Set signing"),
        (
            (*without(CLICKS, SLACK), f"{SLACK}buttons = true\n"),
            "Slack clicks",
            "Buttons in Slack without a signing secret: every click fails",
        ),
        (
            without(ACTS),
            "Slack clicks",
            "Acts in Slack take a claim: everybody in the channel may lead, re-rate or end an incident",
        ),
        (
            (*without(PEOPLE), PEOPLE.replace("U0ANA", "u0ana")),
            "Slack clicks",
            "No account of Slack is listed: each click counts as an unproven claim",
        ),
        (without(PEOPLE), "people", "an account on the receiver's machine may approve alone"),
        (
            (*without(PEOPLE), "[policy.approvals.high]\ncount = 2\n"),
            "people",
            "cannot approve its high-risk",
        ),
    ],
)
def test_each_thing_is_told_by_itself(parts: tuple[str, ...], name: str, words: str, tmp_path: Path) -> None:
    """With what follows from it, and how to change that."""
    [(known, told)] = found(tmp_path, *parts).items()
    assert known == name
    assert words in str(told)
    assert str(told).endswith(f". {told.next_step}.")


def test_one_source_with_a_credential_of_its_own_is_enough(tmp_path: Path) -> None:
    """The token that several share is not needed."""
    assert found(tmp_path, *without(SOURCE), OTHER_SOURCE) == {}


def test_a_signing_secret_without_a_token_is_told(tmp_path: Path) -> None:
    """Beside the channel that is missing."""
    told = found(tmp_path, *without(SLACK))
    assert [*told] == ["channel", "Slack clicks"]
    assert "A signing secret of Slack without a token" in str(told["Slack clicks"])


def test_buttons_that_the_settings_turn_off_stay_off(tmp_path: Path) -> None:
    """Also where the receiver takes clicks."""
    made: Any = blocks(load(tmp_path / "runbook.toml", f"{SLACK}buttons = false\n{CLICKS}"))["slack"]
    assert made.buttons is False
