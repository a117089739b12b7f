"""Warnings about the settings: files that others can read or change, and backups that are shown nothing."""

import os
from pathlib import Path

import pytest

from deployments.cli import sources
from deployments.settings import warnings as settings_warnings
from tests.deployments.settings_samples import load

REFERENCE = '[pager]\nrouting_key = { file = "pager.key" }'
CLOSE = "chmod 600 it; in a Kubernetes volume, set defaultMode: 0400, or 0440 with an fsGroup"


@pytest.fixture
def reachable(config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings' folder with all above it open to everybody, as under /etc."""
    stat = Path.stat

    def open_folders(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = stat(path, follow_symlinks=follow_symlinks)
        return found if path.is_relative_to(config.parent) else os.stat_result((0o40755, *found[1:]))

    monkeypatch.setattr(Path, "stat", open_folders)
    config.parent.chmod(0o755)
    config.touch()
    config.chmod(0o644)
    return config


def secret_file(config: Path, mode: int) -> Path:
    """A file with a secret beside the settings."""
    path = config.parent / "pager.key"
    path.write_text("R0UT1NG")
    path.chmod(mode)
    return path


def warnings(config: Path, text: str) -> list[str]:
    """What is warned about, a line each, without the file's name."""
    return [line.removeprefix(f"{config}: ") for line in load(config, text).warning_lines()]


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666, 0o444, 0o602])
def test_a_secret_file_that_everybody_can_read_is_told(reachable: Path, mode: int) -> None:
    """The line names the setting, the file, its mode and what to do; the settings are taken all the same."""
    path = secret_file(reachable, mode)
    assert warnings(reachable, REFERENCE) == [
        f"pager.routing_key: {path} is open to everybody on this machine (mode {mode:04o}): {CLOSE}"
    ]


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o000, 0o700, 0o611])
def test_a_secret_file_of_ones_own_is_not_told(reachable: Path, mode: int) -> None:
    """Nobody else can read it."""
    if os.geteuid() and not mode & 0o400:
        mode = 0o400  # only root reads it then
    secret_file(reachable, mode)
    assert warnings(reachable, REFERENCE) == []


def test_a_closed_folder_is_enough(reachable: Path) -> None:
    """What nobody can come to, nobody can read."""
    secret_file(reachable, 0o644)
    reachable.parent.chmod(0o700)
    assert warnings(reachable, REFERENCE) == []


def test_a_link_is_followed(reachable: Path) -> None:
    """Kubernetes' volumes are links to links: what counts is the file, and the folders that it is in."""
    path = secret_file(reachable, 0o644)
    folder = reachable.parent / "..2026_11_22"
    folder.mkdir(0o755)
    path.rename(folder / "pager.key")
    (reachable.parent / "..data").symlink_to(folder.name)
    path.symlink_to("..data/pager.key")
    assert len(warnings(reachable, REFERENCE)) == 1
    folder.chmod(0o700)
    assert warnings(reachable, REFERENCE) == []


@pytest.mark.parametrize(
    ("group", "ours", "told"),
    [("the group staff", True, True), ("", True, False), ("the group staff", False, False)],
    ids=["a group of several", "the owner's own group", "a file of another owner"],
)
def test_a_group_counts_where_it_is_more_than_the_owner(
    reachable: Path, monkeypatch: pytest.MonkeyPatch, group: str, ours: bool, told: bool
) -> None:
    """A group that is only its owner's is nobody else; a file of another owner is ours through the group."""
    path = secret_file(reachable, 0o640)
    monkeypatch.setattr(settings_warnings, "_is_own_group", lambda _: not group)
    monkeypatch.setattr(settings_warnings, "_group", lambda _: "staff")
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid if ours else 12345)
    expected = [f"pager.routing_key: {path} is open to {group} (mode 0640): {CLOSE}"]
    assert warnings(reachable, REFERENCE) == (expected if told else [])


def test_a_command_tells_it_once(reachable: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, however often it reads its settings."""
    path = secret_file(reachable, 0o644)
    load(reachable, REFERENCE)
    for _ in range(2):
        sources.read_settings(reachable)
    told = [line for line in capsys.readouterr().err.splitlines() if str(path) in line]
    assert len(told) == 1
    assert told[0].startswith(f"runbook: {reachable}: pager.routing_key: ")


def test_a_kubeconfig_counts_as_a_secret_file(reachable: Path) -> None:
    """It holds credentials, whatever else is in it."""
    path = reachable.parent / "kubeconfig"
    path.touch(0o644)
    [line] = warnings(reachable, '[cluster]\nkubeconfig = "kubeconfig:/no/such/file"')
    assert line.startswith(f"cluster.kubeconfig: {path} is open to everybody")


def test_settings_that_others_can_change_are_told(reachable: Path) -> None:
    """Who writes the settings decides what the runbook does with its rights."""
    reachable.chmod(0o666)
    assert warnings(reachable, "") == [
        (
            "can be changed by everybody on this machine, who could then change what the runbook "
            "does: chmod go-w it"
        )
    ]


@pytest.mark.parametrize(("mode", "told"), [(0o777, True), (0o1777, False), (0o755, False)])
def test_a_folder_that_others_can_write_is_as_bad(reachable: Path, mode: int, told: bool) -> None:
    """They could put another file in the place of ours, but not in a sticky folder such as /tmp."""
    reachable.parent.chmod(mode)
    assert [line.startswith("can be replaced by everybody") for line in warnings(reachable, "")] == [
        True
    ] * told


BACKUP = '[prometheus]\nurl = "https://a.example/x"\nbackup_urls = ["https://a.example/y", "https://b.example/y"]\n'


def test_a_backup_on_another_host_that_is_shown_nothing_is_told(config: Path) -> None:
    """Credentials stay with their host, so whoever has a backup elsewhere must say what that is shown."""
    (config.parent / "token.txt").write_text("t0ken")
    text = f"{BACKUP}bearer_token = {{ file = 'token.txt' }}\n"
    assert warnings(config, text) == [
        'prometheus.credentials."https://b.example": missing: no credentials of this section '
        "are sent to that host: "
        "set the credentials for that host there, or leave the table empty"
    ]
    assert warnings(config, f'{text}[prometheus.credentials."https://b.example"]') == []
    assert warnings(config, BACKUP) == []


@pytest.mark.parametrize(
    ("people", "listed"),
    [("", "nobody"), ("[policy.people.ana]\n", "1"), ("[policy.people.ana]\n[policy.people.bob]\n", "")],
)
def test_a_rule_that_takes_more_people_than_there_are_is_told(config: Path, people: str, listed: str) -> None:
    """Before an incident waits for a second approval that nobody can give."""
    said = warnings(config, f"[policy.approvals.high]\ncount = 2\n{people}")
    assert said == (
        [
            f"policy.approvals.high.count: takes 2 people, but [policy.people] lists {listed}: no "
            "approval can succeed: give each of them a table [policy.people.NAME] with all their logins"
        ]
        if listed
        else []
    )
