"""The parts of the drill runner: its settings file, its prompt and its result."""

import asyncio
import json
import os
import stat
import threading
import tomllib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from deployments.drill.run.prompt import REASON, Lines, Typed, ask, question
from deployments.drill.run.report import DrillResult
from deployments.drill.run.scenario import load_scenario
from deployments.drill.run.settings import RATE_WINDOW, to_toml, write_settings
from deployments.drill.world.endpoints import Endpoints
from deployments.prefect.configure import blocks
from deployments.settings.settings import load_settings
from runbook.approvals.gates import Choice
from tests.deployments.journal_samples import EVENTS, OPENED_AT, incident

SECRET = "s3cret-of-the-drill-0123456789"


def endpoints(folder: Path) -> Endpoints:
    """A world's endpoints, with the same secret wherever there is one."""
    texts = {
        name: SecretStr(SECRET) if "SecretStr" in str(field.annotation) else f"http://127.0.0.1:9/{name}"
        for name, field in Endpoints.model_fields.items()
        if field.is_required()
    }
    components = {"statuspage_component_ids": ("c1",), "incident_io_component_ids": ("c2",)}
    paths = {"kubeconfig": folder / "kubeconfig", "state_dir": folder, "authority": folder / "ca.pem"}
    workflow = f"https://127.0.0.1:9/workflows/{'a' * 32}/triggers/manual/paths/invoke?sig={SECRET}"
    mail = {"smtp_host": "127.0.0.1", "smtp_port": 9, "teams_url": workflow, "teams_support_url": workflow}
    return Endpoints.model_validate(texts | components | paths | mail)


def test_the_settings_file_is_one_that_the_product_reads(tmp_path: Path) -> None:
    """The drill configures the runbook as a person would: every block can be made from the file."""
    path = write_settings(
        endpoints(tmp_path),
        tmp_path,
        store_url="sqlite+aiosqlite:///incidents.db",
        evidence=tmp_path / "kept",
        notifies=True,
    )
    settings = load_settings(path)
    made = blocks(settings)
    assert {"slack", "status_page_publisher", "pager", "cluster", "email", "teams"} <= made.keys()
    assert made["email"].support_to == ("support@example.com",)  # type: ignore[attr-defined]  # the block under this name
    assert made["status_page"].regions == ["US Cloud"]  # type: ignore[attr-defined]  # the block under this name
    assert made["prometheus"].window == RATE_WINDOW  # type: ignore[attr-defined]  # the block under this name
    assert settings.policy.settle_seconds < 5
    assert settings.evidence_folder == tmp_path / "kept"


def test_secrets_stand_beside_the_settings_file_for_the_owner_only(tmp_path: Path) -> None:
    """The file names them; only their owner can read them."""
    path = write_settings(
        endpoints(tmp_path),
        tmp_path,
        store_url="sqlite+aiosqlite:///incidents.db",
        evidence=tmp_path,
        notifies=True,
    )
    assert SECRET not in path.read_text()
    secrets = list((tmp_path / "secrets").iterdir())
    assert len(secrets) >= 9
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}


def test_the_settings_are_toml() -> None:
    """What is written reads back the same, whatever is in the strings."""
    sections: dict[str, dict[str, Any]] = {
        "a": {"text": 'quote " and \\ and 🇺🇸', "number": 2.5, "flag": True, "list": ["x", "y"], "empty": []},
        "b": {"secret": {"file": "/tmp/x y"}},  # noqa: S108  a value, not a file
    }
    assert tomllib.loads(to_toml(sections)) == sections


@pytest.fixture
def typing() -> Iterator[tuple[int, int]]:
    """A pipe in place of the terminal: what is read and what is typed into, which the test closes."""
    before = threading.enumerate()
    reading, writing = os.pipe()
    yield reading, writing
    for thread in threading.enumerate():
        if thread not in before:
            thread.join(10)  # a reader that lags behind would read from the next test's pipe of this number
    os.close(reading)


async def answer_typed(
    typing: tuple[int, int], text: str, editable: Sequence[str] = ()
) -> tuple[Typed, list[str]]:
    """The answer to a text that is typed, and the prompts that were shown."""
    reading, writing = typing
    os.write(writing, text.encode())
    os.close(writing)
    said: list[str] = []
    async with asyncio.timeout(10):
        return await ask(Lines(reading), said.append, editable), said


QUESTION, EDITABLE = question(), question(["memory"])


@pytest.mark.parametrize(
    ("text", "typed", "prompts"),
    [
        ("1\n", Typed(Choice.APPROVE), [QUESTION]),
        ("a\n", Typed(Choice.APPROVE), [QUESTION]),
        ("YES\n", Typed(Choice.APPROVE), [QUESTION]),
        ("3\n", Typed(Choice.SNOOZE), [QUESTION]),
        ("4\n", Typed(Choice.SNOOZE), [QUESTION]),
        ("l\n", Typed(Choice.SNOOZE), [QUESTION]),
        ("Not yet\n", Typed(Choice.SNOOZE), [QUESTION]),
        ("2\nnot now\n", Typed(Choice.REJECT, "not now"), [QUESTION, REASON]),
        ("no\n\n  \nnot now\n", Typed(Choice.REJECT, "not now"), [QUESTION, REASON, REASON, REASON]),
        ("\n\nmaybe\na\n", Typed(Choice.APPROVE), [QUESTION] * 4),
        ("e\n0\n5\n1\n", Typed(Choice.APPROVE), [QUESTION] * 4),
        ("a", Typed(Choice.APPROVE), [QUESTION]),
    ],
)
async def test_only_a_clear_answer_counts(
    text: str, typed: Typed, prompts: list[str], typing: tuple[int, int]
) -> None:
    """An empty line or another word is no answer, nor is an edit of nothing; a rejection needs a reason."""
    assert await answer_typed(typing, text) == (typed, prompts)


async def test_where_something_can_be_edited_the_prompt_offers_it_and_asks_for_the_value(
    typing: tuple[int, int],
) -> None:
    """The numbers have no gap; 4 is "not yet" at every question."""
    assert "1 approve, 2 reject, 3 edit, 4 not yet" in EDITABLE
    assert "1 approve, 2 reject, 3 not yet" in QUESTION
    answered = await answer_typed(typing, "3\n\n1Gi\n", ["memory"])
    assert answered == (
        Typed(Choice.EDIT, parameters={"memory": "1Gi"}),
        [EDITABLE, "New memory: ", "New memory: "],
    )


@pytest.mark.parametrize("text", ["", "\n", "r\n"])
async def test_the_end_of_the_input_approves_nothing(text: str, typing: tuple[int, int]) -> None:
    """A terminal that goes away is no yes."""
    with pytest.raises(EOFError):
        await answer_typed(typing, text)


def test_the_result_is_told_in_full_to_programs() -> None:
    """Names, verdict, way, actions, messages, places, seconds and the judge's word."""
    result = DrillResult.of(
        load_scenario("posthog-outage"),
        incident(),
        alerted_at=OPENED_AT - timedelta(seconds=0.5),
        evidence="kept",
        postmortem="kept/postmortem.md",
        links={"Prefect run": "http://127.0.0.1:1/x"},
    )
    told = json.loads(json.dumps(result.as_json()))
    assert told["scenario"] == "posthog-outage"
    assert told["path"] == ["posthog_returning_errors: yes", "status_page_incident: yes"]
    assert told["actions"] == [
        {
            "name": "enable_fallback",
            "target": "deployment/posthog-integration",
            "approved_by": "ana",
            "outcome": "recovered",
        }
    ]
    assert told["messages"] == [{"channel": "slack", "state": "IDENTIFIED"}]
    assert told["seconds"] == {
        "alert_to_verdict": 0.5 + 5 * 1.7,
        "approval_to_effect": 2 * 1.7,
        "total": pytest.approx(0.5 + (len(EVENTS) - 1) * 1.7),
    }
    assert told["as_expected"] is (told["differences"] == [])
    assert {"incident", "verdict", "error_type", "severity", "outcome", "artifacts", "links"} <= told.keys()


def test_without_a_decision_or_an_approval_there_are_no_times() -> None:
    """What did not happen took no time, rather than none."""
    result = DrillResult.of(
        load_scenario("posthog-outage"),
        incident(EVENTS[:3]),
        alerted_at=OPENED_AT,
        evidence=None,
        postmortem=None,
        links={},
    )
    assert (result.alert_to_verdict, result.approval_to_effect) == (None, None)
    assert not result.as_expected
