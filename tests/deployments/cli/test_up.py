"""`runbook up` from the outside: it brings everything up, says where, and takes it down again."""

import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest

from deployments.processes.process import free_port
from tests.deployments.child_processes import processes_in, wait_until_gone

pytestmark = [pytest.mark.proof, pytest.mark.real, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[3]
RUNBOOK = [sys.executable, "-c", "import sys; from deployments.cli import main; sys.exit(main())"]
TOKEN = "a-token-for-this-test"
OPEN_UMASK = 0o022
PREFECT_AT = 'public_url = "https://prefect.example.com/"'
RECEIVER_AT = 'public_url = "https://runbook.example.com"'


def settings_in(folder: Path) -> None:
    """The example settings, with any free port."""
    example = (ROOT / "deployments" / "runbook.example.toml").read_text()
    text = re.sub(r"(?m)^(# )?port = 8181", "port = 0", example)
    kubeconfig = f'kubeconfig = "{folder / "no-kubeconfig"}"'
    (folder / "runbook.toml").write_text(re.sub(r"(?m)^# kubeconfig = [^#]+", f"{kubeconfig}  ", text))


def environment() -> dict[str, str]:
    """The environment of a shell in which nothing of Prefect's is set."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return plain | {"PYTHONPATH": str(ROOT), "RUNBOOK_ALERT_TOKEN": TOKEN}


def runbook(folder: Path, *arguments: str, **exported: str) -> subprocess.CompletedProcess[str]:
    """Give a command in a folder, with a umask that lets everybody read."""
    return subprocess.run(
        [*RUNBOOK, *arguments],
        cwd=folder,
        env=environment() | exported,
        capture_output=True,
        text=True,
        check=False,
        umask=OPEN_UMASK,
        timeout=120,
    )


@contextmanager
def up(folder: Path, output: int | IO[bytes] = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """`runbook up` in a folder, with such a umask."""
    with subprocess.Popen(
        [*RUNBOOK, "up"],
        cwd=folder,
        env=environment(),
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        umask=OPEN_UMASK,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def said_until_ready(process: subprocess.Popen[str], stream: IO[str]) -> str:
    """What it says until all is there."""
    said = ""
    for line in stream:
        said += line
        if line.startswith("Ready."):
            return said
    pytest.fail(f"{said}{process.communicate()[1]}")


def modes(folder: Path) -> dict[str, int]:
    """Whatever in a folder is open to others, and how."""
    return {
        str(path.relative_to(folder)): mode
        for path in (folder, *folder.rglob("*"))
        if (mode := stat.S_IMODE(path.lstat().st_mode)) & 0o077 and not path.is_symlink()
    }


@pytest.mark.parametrize(
    "signal_",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)],
    ids=lambda item: item.name,
)
def test_up_brings_everything_up_and_down(signal_: signal.Signals, tmp_path: Path) -> None:
    """Ready means that alerts are taken and a worker waits for runs; a stop that is asked for is no error."""
    settings_in(tmp_path)
    with up(tmp_path) as process:
        assert process.stdout is not None
        said = said_until_ready(process, process.stdout)
        places = dict(re.findall(r"(?m)^(\w[\w ]*): +(?:export PREFECT_API_URL=)?(http[^\s]+)", said))
        assert httpx.get(f"{places['Receiver']}/readyz").status_code == 200
        alerts = f"{places['Receiver']}/alerts/alertmanager"
        assert httpx.post(alerts, content=json.dumps({})).status_code == 401
        assert httpx.post(f"{places['Other shells']}/deployments/filter", json={}).status_code == 401
        other_shells_find_prefect(tmp_path, said)
        nothing_is_open_to_others(tmp_path, said)
        process.send_signal(signal_)
        assert process.wait(timeout=90) == 0, process.communicate()[1]
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert wait_until_gone(tmp_path) == []
    assert modes(tmp_path / ".runbook") == {}


def test_ports_and_public_addresses_are_those_of_the_settings(tmp_path: Path) -> None:
    """They stay over a restart, links lead to the public address, and a port in use names its setting."""
    settings_in(tmp_path)
    prefect, receiver = free_port(), free_port()
    file = tmp_path / "runbook.toml"
    text = file.read_text().replace("\n[prefect]", f"\n[prefect]\nport = {prefect}\n{PREFECT_AT}")
    file.write_text(text.replace("port = 0", f"port = {receiver}\n{RECEIVER_AT}"))
    here = f"http://127.0.0.1:{prefect}"
    for _ in range(2):
        with up(tmp_path) as process:
            assert process.stdout is not None
            said = said_until_ready(process, process.stdout)
            assert f"Prefect:       https://prefect.example.com (on this machine {here})\n" in said
            assert f"https://runbook.example.com (on this machine http://127.0.0.1:{receiver})\n" in said
            public = {"host": "prefect.example.com", "origin": "https://prefect.example.com"}
            told = httpx.get(f"{here}/ui-settings", headers=public).json()
            assert told["api_url"] == "https://prefect.example.com/api"
            assert httpx.get(f"{here}/api/health", headers=public).status_code == 200
            assert httpx.get(f"{here}/api/health", headers={"origin": "https://a.example"}).status_code == 403
            answer = runbook(tmp_path, "respond", "--summary", "by hand", "--json")
            assert json.loads(answer.stdout)["url"].startswith("https://prefect.example.com/runs/")
            process.terminate()
            assert process.wait(timeout=90) == 0
    for port, setting in ((prefect, "[prefect] port"), (receiver, "[receiver] port")):
        with socket.create_server(("127.0.0.1", port)):
            refused = runbook(tmp_path, "up")
        assert refused.returncode == 1
        [line] = refused.stderr.splitlines()
        assert f"cannot listen on 127.0.0.1 port {port} (Address already in use)" in line
        assert f"another {setting}" in line
    assert wait_until_gone(tmp_path) == []


def test_what_is_missing_is_a_line_each_with_what_follows(tmp_path: Path) -> None:
    """Who starts it knows before the first alert that nobody would be woken."""
    settings_in(tmp_path)
    with up(tmp_path) as process:
        assert process.stdout is not None
        said = said_until_ready(process, process.stdout)
    lines = re.findall(r"(?m)^Missing: +(.+)$", said)
    assert [line.partition(":")[0] for line in lines] == [
        "No pager and no channel",
        "No status page of your own",
        f"No cluster (there is no kubeconfig at {tmp_path / 'no-kubeconfig'})",
        "No self-watch",
        "Nobody is listed in [policy.people]",
    ]


def other_shells_find_prefect(folder: Path, said: str) -> None:
    """In the folder nothing needs to be set; elsewhere what is printed is enough; without it, it is told."""
    respond = ("respond", "--summary", "by hand", "--json")
    here = runbook(folder, *respond)
    assert here.returncode == 0, here.stderr
    assert json.loads(here.stdout)["url"].startswith(re.findall(r"(?m)^Prefect: +(\S+)", said)[0])

    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    [exports] = re.findall(r"(?m)^Other shells: +(.+)$", said)
    shell = f"{exports}; exec {sys.executable} -c '{RUNBOOK[2]}' {respond[0]} --summary hand --json"
    pasted = subprocess.run(
        ["sh", "-c", shell], cwd=elsewhere, env=environment(), capture_output=True, text=True, check=False
    )
    assert pasted.returncode == 0, pasted.stderr
    [url] = re.findall(r"PREFECT_API_URL=(\S+)", exports)
    without = runbook(elsewhere, *respond, PREFECT_API_URL=url)
    assert without.returncode == 1
    assert f"Prefect: no password, or a wrong one, for {url}; set PREFECT_API_AUTH_STRING" in without.stderr
    another = runbook(folder, *respond, PREFECT_API_AUTH_STRING="runbook:another")
    assert another.returncode == 0, "the server of the folder has the password of the folder"


def nothing_is_open_to_others(folder: Path, said: str) -> None:
    """Neither a file nor, in a log, a command line or what was printed to a pipe, the password."""
    state = folder / ".runbook"
    assert modes(state) == {}
    assert {"prefect.db", "incidents.db", "logs", "prefect-password"} <= {
        path.name for path in state.iterdir()
    }
    password = (state / "prefect-password").read_text().strip().partition(":")[2].encode()
    assert password.decode() not in said
    assert f"Password:      in {state / 'prefect-password'}" in said
    written = [path.name for path in state.rglob("*") if path.is_file() and password in path.read_bytes()]
    assert written == ["prefect-password"]
    lines = processes_in(folder)
    assert len(lines) > 3
    assert not any(password.decode() in line for line in lines)


def test_an_open_folder_of_an_earlier_release_is_closed_and_that_is_said_once(tmp_path: Path) -> None:
    """Prefect's database has all secrets and the key to them; it was readable by everybody."""
    settings_in(tmp_path)
    evidence = tmp_path / ".runbook" / "evidence" / "inc-1"
    evidence.mkdir(parents=True, mode=0o755)
    (tmp_path / ".runbook" / "prefect.db").write_text("")
    for path in (tmp_path / ".runbook", *(tmp_path / ".runbook").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    first, second = runbook(tmp_path, "incidents"), runbook(tmp_path, "incidents")
    assert (first.returncode, second.returncode) == (0, 0)
    [told] = first.stderr.splitlines()
    assert told.startswith("runbook: ")
    assert "/.runbook was readable by other users (mode 0755); now only you can read it" in told
    assert second.stderr == ""
    assert modes(tmp_path / ".runbook") == {}


def test_a_store_where_others_can_write_is_refused(tmp_path: Path) -> None:
    """They could put a journal of their own in its place, with an approval in it."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (tmp_path / "runbook.toml").write_text(f'[store]\nurl = "sqlite+aiosqlite:///{shared}/incidents.db"\n')
    refused = runbook(tmp_path, "incidents")
    assert refused.returncode == 1
    assert (
        f"other users can write to {shared} (mode 0777); restrict it (chmod go-w {shared})"
    ) in refused.stderr
    receiver = subprocess.run(
        [sys.executable, "-m", "deployments.receiver", "--config", "runbook.toml"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert receiver.returncode == 1
    [line] = receiver.stderr.splitlines()
    assert line.startswith(f"folder: other users can write to {shared} (mode 0777)")
    assert list(shared.iterdir()) == []


def test_an_evidence_folder_where_others_can_write_is_refused(tmp_path: Path) -> None:
    """They could put a file of theirs in the place of what was collected, or a link to elsewhere."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    (tmp_path / "runbook.toml").write_text(
        f'[store]\nurl = "sqlite+aiosqlite:///incidents.db"\n[evidence]\nfolder = "{shared}"\n'
    )
    receiver = subprocess.run(
        [sys.executable, "-m", "deployments.receiver", "--config", "runbook.toml"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert receiver.returncode == 1
    [line] = receiver.stderr.splitlines()
    assert line.startswith(f"folder: other users can write to {shared} (mode 0777)")
    assert list(shared.iterdir()) == []


def test_on_a_terminal_the_password_is_shown(tmp_path: Path) -> None:
    """A person at 3 a.m. types what they see; and a second server in the folder is refused."""
    settings_in(tmp_path)
    ours, theirs = pty.openpty()
    with up(tmp_path, theirs) as process, os.fdopen(ours, "r") as terminal:
        said = said_until_ready(process, terminal)
        password = (tmp_path / ".runbook" / "prefect-password").read_text().strip()
        assert re.findall(r"(?m)^Password: +(\S+)", said) == [password]
        second = runbook(tmp_path, "up")
        assert second.returncode == 1
        assert "a server already runs with the state in" in second.stderr
        process.terminate()
        assert process.wait(timeout=90) == 0
    os.close(theirs)
    assert wait_until_gone(tmp_path) == []
