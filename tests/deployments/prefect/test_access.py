"""The password of our own Prefect server, and how commands find it while, and only while, the server runs."""

import json
import os
import stat
import subprocess
from pathlib import Path

import httpx
import prefect
import pytest
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    get_current_settings,
    temporary_settings,
)

from blocks.transport.errors import Refused
from deployments.cli.prefect_settings import chosen_prefect
from deployments.prefect.access import (
    PASSWORD_FILE,
    SERVER_FILE,
    Access,
    claim,
    earlier_port,
    find_access,
    password_of,
)
from deployments.prefect.login import ASK
from deployments.prefect.question_style import STYLE
from deployments.prefect.server import PrefectServer

pytestmark = pytest.mark.proof

URL = "http://127.0.0.1:20123"
BROKEN_FILES = ["", "[]", "{}", '{"ui_url": 1}', '{"ui_url": "http://127.0.0.1:0x"}', "\x00"]


def mode(path: Path) -> int:
    """The permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_password_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """The same over restarts, another one for another installation, and long enough not to be guessed."""
    password = password_of(tmp_path / "state")
    assert password == password_of(tmp_path / "state")
    assert password != password_of(tmp_path / "other")
    assert password.startswith("runbook:")
    assert len(password) > 40
    assert mode(tmp_path / "state" / PASSWORD_FILE) == 0o600
    assert mode(tmp_path / "state") == 0o700
    assert [path.name for path in (tmp_path / "state").iterdir()] == [PASSWORD_FILE]


async def test_the_port_of_the_last_server_is_known(tmp_path: Path) -> None:
    """`runbook up` listens there again, so that links to runs which were sent before still lead somewhere."""
    assert earlier_port(tmp_path) is None
    (await claim(tmp_path, api_url=f"{URL}/api", ui_url=URL)).close()
    assert earlier_port(tmp_path) == 20123


@pytest.mark.parametrize("said", BROKEN_FILES)
def test_a_broken_file_names_no_port(tmp_path: Path, said: str) -> None:
    """A crash may have cut it; then any port is taken."""
    (tmp_path / SERVER_FILE).write_text(said)
    assert earlier_port(tmp_path) is None


def test_an_empty_password_file_is_no_password(tmp_path: Path) -> None:
    """Prefect would take it for none at all."""
    (tmp_path / PASSWORD_FILE).write_text("\n")
    with pytest.raises(Refused, match="is empty"):
        password_of(tmp_path)


def test_the_password_is_not_in_what_is_printed_of_an_access() -> None:
    """A traceback or a log may hold it."""
    access = Access(f"{URL}/api", URL, "runbook:secret", Path("/folder/it's/prefect-password"))
    assert "secret" not in repr(access)
    assert "secret" not in access.exports
    assert "secret" not in access.login(terminal=False)
    assert access.login(terminal=True) == "runbook:secret"


def test_another_shell_reads_the_password_from_its_file(tmp_path: Path) -> None:
    """As it is printed, it can be pasted, whatever the folder is called."""
    folder = tmp_path / "it's a $HOME"
    password = password_of(folder)
    exports = Access(f"{URL}/api", URL, password, folder / PASSWORD_FILE).exports
    said = subprocess.run(
        ["sh", "-c", f"{exports}; env"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    ).stdout.splitlines()
    assert {f"PREFECT_API_URL={URL}/api", f"PREFECT_API_AUTH_STRING={password}"} <= set(said)


async def test_a_server_is_found_as_long_as_it_runs(tmp_path: Path) -> None:
    """After it has ended, another user may listen on its port: its password is sent there no more."""
    password = password_of(tmp_path)
    assert find_access([tmp_path]) is None
    held = await claim(tmp_path, api_url=f"{URL}/api", ui_url=URL)
    found = find_access([tmp_path / "nothing", tmp_path])
    assert found == Access(f"{URL}/api", URL, password, tmp_path / PASSWORD_FILE)
    assert mode(tmp_path / SERVER_FILE) == 0o600
    assert password not in (tmp_path / SERVER_FILE).read_text()
    held.close()
    assert find_access([tmp_path]) is None
    (await claim(tmp_path, api_url=f"{URL}1/api", ui_url=f"{URL}1")).close()
    assert json.loads((tmp_path / SERVER_FILE).read_text())["ui_url"] == f"{URL}1"


async def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    """They would share the database, and commands would find either."""
    with await claim(tmp_path, api_url=f"{URL}/api", ui_url=URL):
        with pytest.raises(Refused, match="a server already runs with the state in"):
            await claim(tmp_path, api_url=f"{URL}1/api", ui_url=f"{URL}1")
        assert json.loads((tmp_path / SERVER_FILE).read_text())["ui_url"] == URL


async def test_what_others_have_written_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of another user could name a server of theirs, which would be told what we ask for."""
    password_of(tmp_path)
    with await claim(tmp_path, api_url=f"{URL}/api", ui_url=URL):
        monkeypatch.setattr(os, "geteuid", lambda: (tmp_path / SERVER_FILE).stat().st_uid + 1)
        assert find_access([tmp_path]) is None


@pytest.mark.parametrize(
    ("url", "serves"),
    [
        (f"{URL}/api", True),
        (f"{URL}/api/", True),
        ("http://localhost:20123/api", True),
        ("http://127.0.0.1:20124/api", False),
        ("http://127.0.0.1:20123/other", False),
        ("https://api.prefect.cloud/api", False),
    ],
)
def test_which_addresses_are_the_server_s(url: str, serves: bool) -> None:
    """The password goes to the server that it is for, and nowhere else."""
    assert Access(f"{URL}/api", URL, "runbook:secret", Path("x")).serves(url) is serves


OURS = f"{URL}/api"
THEIRS = "https://prefect.example/api"


@pytest.mark.parametrize(
    ("exported", "password", "chosen", "sent"),
    [
        ("", "", OURS, "ours"),
        (OURS, "", OURS, "ours"),
        ("http://localhost:20123/api", "", "http://localhost:20123/api", "ours"),
        (OURS, "another", OURS, "another"),
        (THEIRS, "", THEIRS, None),
        (THEIRS, "theirs", THEIRS, "theirs"),
    ],
)
async def test_a_command_speaks_to_the_server_of_its_folder_unless_it_is_told_another(
    exported: str,
    password: str,
    chosen: str,
    sent: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing needs to be exported in the folder of `runbook up`; what is exported goes first."""
    monkeypatch.chdir(tmp_path)
    for variable, value in (("RUNBOOK_CONFIG", ""), ("PREFECT_API_URL", exported)):
        monkeypatch.setenv(variable, value)
    environment = {PREFECT_API_URL: exported or THEIRS} | (
        {PREFECT_API_AUTH_STRING: password} if password else {}
    )
    state = tmp_path / ".runbook"
    ours = password_of(state)
    unset = {PREFECT_API_AUTH_STRING} - environment.keys()
    with (
        await claim(state, api_url=OURS, ui_url=URL),
        temporary_settings(environment, restore_defaults=unset),
        chosen_prefect() as url,
    ):
        assert url == chosen
        known = get_current_settings().api
        assert known.url == chosen
        told = known.auth_string.get_secret_value() if known.auth_string else None
    assert told == (ours if sent == "ours" else sent)


@pytest.mark.parametrize("place", ["", ".runbook"], ids=["a drill", "up"])
async def test_the_server_of_a_settings_file_is_found_from_elsewhere(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--config` is enough, in whatever folder the command is given."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    state = tmp_path / "there" / place
    password_of(state)
    with (
        await claim(state, api_url=OURS, ui_url=URL),
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        chosen_prefect(tmp_path / "there" / "runbook.toml") as url,
    ):
        assert url == OURS


@pytest.mark.real
async def test_the_server_s_password_is_nowhere_but_in_its_file(prefect_server: PrefectServer) -> None:
    """Neither in a command line, which every user of the machine sees, nor in a log or the database."""
    password = prefect_server.access.password.partition(":")[2]
    commands = Path(f"/proc/{prefect_server.process.pid}/cmdline").read_bytes().decode()  # noqa: ASYNC240
    state = prefect_server.access.password_file.parent
    written = [path for path in state.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    assert password not in commands
    assert written == [prefect_server.access.password_file]
    assert find_access([state]) == prefect_server.access


@pytest.mark.real
async def test_the_ui_s_files_are_the_user_s_own(prefect_server: PrefectServer) -> None:
    """Where Prefect is installed they would be of whoever started a server first: nobody else could."""
    environment = Path(f"/proc/{prefect_server.process.pid}/environ").read_bytes().decode()  # noqa: ASYNC240
    named = dict(line.split("=", 1) for line in environment.split("\0") if "=" in line)
    folder = Path(named["PREFECT_UI_STATIC_DIRECTORY"])
    async with httpx.AsyncClient() as client:
        shown = await client.get(f"{prefect_server.ui_url}/dashboard", headers={"accept": "text/html"})
    assert (
        shown.content.replace(ASK.encode() + STYLE.encode(), b"")
        == (folder / "v1" / "index.html").read_bytes()
    )
    assert mode(folder.parent) == 0o700
    assert not folder.is_relative_to(Path(prefect.__file__).parent)
