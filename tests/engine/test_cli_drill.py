"""`runbook drill --json`: what programs can rely on."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RUNBOOK = Path(sys.executable).with_name("runbook")
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
    "artifacts": list,
    "evidence": str,
    "postmortem": str,
    "seconds": dict,
    "as_expected": bool,
    "differences": list,
    "links": dict,
}

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("drill"), pytest.mark.timeout(300)]


def test_a_drill_prints_one_document(tmp_path: Path) -> None:
    """A false alarm drilled without a terminal: exit 0, and a JSON document with these keys and types."""
    ended = subprocess.run(
        [RUNBOOK, "drill", "false-alarm", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stderr[-3000:]
    told = json.loads(ended.stdout)
    assert {key: type(value) for key, value in told.items()} == DOCUMENT
    assert told["seconds"].keys() == {"alert_to_verdict", "approval_to_effect", "total"}
    assert told["seconds"]["approval_to_effect"] is None
    assert all(isinstance(told["seconds"][name], NUMBER) for name in ("alert_to_verdict", "total"))
    assert (told["outcome"], told["actions"], told["differences"]) == ("false_positive", [], [])
    assert all(isinstance(item, str) for key in ("path", "artifacts") for item in told[key])
    assert all(item.keys() == {"channel", "state"} for item in told["messages"])
    assert Path(told["postmortem"]).is_relative_to(tmp_path)
