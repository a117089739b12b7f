"""`runbook drill` from the outside: the whole incident, as a person or a program sees it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require_binary
from tests.deployments.child_processes import processes_in, wait_until_gone

pytestmark = [pytest.mark.proof, pytest.mark.real, pytest.mark.timeout(300)]

Drilled = tuple[Path, subprocess.CompletedProcess[str]]

RUNBOOK = [sys.executable, "-c", "import sys; from deployments.cli import main; sys.exit(main())"]
NUMBER = (int, float)
DOCUMENT: dict[str, Any] = {
    "scenario": str,
    "incident": str,
    "verdict": str,
    "error_type": str,
    "severity": str,
    "path": list,
    "actions": list,
    "outcome": str,
    "messages": list,
    "readers": dict,
    "artifacts": list,
    "evidence": str,
    "postmortem": str,
    "seconds": dict,
    "as_expected": bool,
    "differences": list,
    "links": dict,
}
"""What programs can rely on."""

SECRETS = re.compile(r"ph[cx]_[A-Za-z0-9]{20,}|xoxb-[\w-]{20,}|inc_[0-9a-f]{64}")


@pytest.fixture(scope="session")  # the runner puts tests of other modules in between
def drilled(
    tmp_path_factory: pytest.TempPathFactory,
) -> Drilled:
    """A folder in which the default drill has run, and how that ended."""
    folder = tmp_path_factory.mktemp("drill")
    ended = subprocess.run(
        [*RUNBOOK, "drill", "--approve", "auto", "--json"],
        cwd=folder,
        env=dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return folder, ended


def test_a_drill_ends_as_its_scenario_expects(
    drilled: Drilled,
) -> None:
    """PostHog's outage is recognised, mitigated after an approval, watched, resolved and written up."""
    _, ended = drilled
    assert ended.returncode == 0, ended.stderr[-3000:]
    told = json.loads(ended.stdout)
    assert (told["verdict"], told["error_type"], told["outcome"]) == (
        "posthog_outage",
        "posthog_errors",
        "recovered",
    )
    assert told["as_expected"]
    assert told["differences"] == []
    assert told["actions"][0]["name"] == "enable_fallback"
    assert told["actions"][0]["approved_by"] == "drill"
    assert [item["state"] for item in told["messages"] if item["channel"] == "slack"][-1] == "RESOLVED"
    assert 0 < told["seconds"]["alert_to_verdict"] < told["seconds"]["total"]


def test_a_drill_prints_one_document(drilled: Drilled) -> None:
    """Programs find these keys and types."""
    folder, ended = drilled
    told = json.loads(ended.stdout)
    assert {key: type(value) for key, value in told.items()} == DOCUMENT
    assert told["seconds"].keys() == {"alert_to_verdict", "approval_to_effect", "total"}
    assert all(isinstance(seconds, NUMBER) for seconds in told["seconds"].values())
    assert all(isinstance(item, str) for key in ("path", "artifacts") for item in told[key])
    assert all(item.keys() == {"channel", "state"} for item in told["messages"])
    assert all(item.keys() == {"name", "target", "approved_by", "outcome"} for item in told["actions"])
    assert Path(told["postmortem"]).is_relative_to(folder)


def test_progress_goes_to_stderr_with_json(
    drilled: Drilled,
) -> None:
    """Standard output is one JSON document; people follow the incident on standard error, without colour."""
    _, ended = drilled
    for word in (
        "Alert",
        "Triage",
        "Decision",
        "Approval",
        "Approved",
        "Applied",
        "Watching",
        "Ended",
        "Closed",
    ):
        assert re.search(rf"(?m)^ *\+\S+ \S {word}\b", ended.stderr), word
    assert "\x1b" not in ended.stderr


def test_the_evidence_and_the_draft_stay(drilled: Drilled) -> None:
    """What was kept is readable after the drill; what only the drill needed is gone."""
    folder, ended = drilled
    told = json.loads(ended.stdout)
    kept = folder / ".runbook" / "drills" / told["incident"]
    assert Path(told["evidence"]) == kept
    assert {"before-mitigation", "resolution", "incident.json", "postmortem.md"} <= set(os.listdir(kept))
    assert "## Incident: PostHog" in Path(told["postmortem"]).read_text()
    assert json.loads((kept / "incident.json").read_text())["incident"] == told["incident"]
    assert list((folder / ".runbook" / "drill").iterdir()) == []


def test_no_secret_of_the_world_is_left_or_said(
    drilled: Drilled,
) -> None:
    """The world's keys are made up at random: one that is found in any text has leaked."""
    folder, ended = drilled
    texts = {"stdout": ended.stdout, "stderr": ended.stderr}
    texts |= {
        str(path.relative_to(folder)): path.read_bytes().decode(errors="replace")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert len(texts) > 10
    assert {name: found for name, text in texts.items() if (found := SECRETS.findall(text))} == {}


def test_nothing_runs_on_after_a_drill(drilled: Drilled) -> None:
    """World, Prefect, worker, receiver and Prometheus have ended."""
    folder, _ = drilled
    assert wait_until_gone(folder) == []


@pytest.mark.parametrize(
    "signal_",
    [
        pytest.param(signal.SIGINT, id="SIGINT"),
        pytest.param(signal.SIGKILL, id="SIGKILL", marks=pytest.mark.slow),
    ],
)
def test_nothing_runs_on_after_an_interruption(signal_: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, or kill -9 of the drill, ends everything that it started; Ctrl-C with exit code 130."""
    require_binary("prometheus")
    with subprocess.Popen(
        [*RUNBOOK, "drill", "--approve", "auto"],
        cwd=tmp_path,
        env=dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        shown = []
        for line in process.stdout:
            shown.append(line)
            if "Alert" in line and "+0" in line:
                break
        assert len(processes_in(tmp_path)) > 4, "".join(shown)
        process.send_signal(signal_)
        code = process.wait(timeout=90)
    assert code == (130 if signal_ is signal.SIGINT else -signal.SIGKILL)
    assert wait_until_gone(tmp_path) == []
