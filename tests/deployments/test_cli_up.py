"""`runbook up` from the outside: it brings everything up, says where, and takes it down again."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.deployments.child_processes import wait_until_gone

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
RUNBOOK = [sys.executable, "-c", "import sys; from deployments.cli import main; sys.exit(main())"]
TOKEN = "a-token-for-this-test"


@pytest.mark.parametrize(
    "signal_",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)],
    ids=lambda item: item.name,
)
def test_up_brings_everything_up_and_down(signal_: signal.Signals, tmp_path: Path) -> None:
    """Ready means that alerts are taken and a worker waits for runs; a stop that is asked for is no error."""
    example = (ROOT / "deployments" / "runbook.example.toml").read_text()
    (tmp_path / "runbook.toml").write_text(re.sub(r"(?m)^(# )?port = 8181", "port = 0", example))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    with subprocess.Popen(
        [*RUNBOOK, "up"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT), "RUNBOOK_ALERT_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("Ready."):
                break
        assert "Ready." in said, process.communicate()[1]
        places = dict(re.findall(r"(?m)^(\w[\w ]*): +(?:export PREFECT_API_URL=)?(http\S+)$", said))
        assert httpx.get(places["Alerts"].replace("/alerts/alertmanager", "/readyz")).status_code == 200
        assert httpx.post(places["Alerts"], content=json.dumps({})).status_code == 401
        deployed = httpx.post(f"{places['Other shells']}/deployments/filter", json={}).json()
        assert "respond" in {item["name"] for item in deployed}
        process.send_signal(signal_)
        assert process.wait(timeout=90) == 0, process.communicate()[1]
    assert wait_until_gone(tmp_path) == []
